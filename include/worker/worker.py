"""A worker of a queue fleet that loses nothing: the smallest one that is right.

It takes one message at a time, keeps it hidden from others while it works, and deletes it only when the work is done.
On SIGTERM it takes no new message, finishes the one in hand and exits with 0. A message that fails is left to the
queue, which gives it to somebody again, and after its `maxReceiveCount` to the dead-letter queue. A message that takes
long keeps its instance out of scale-in until it is done. Put your work into a function and name it in HANDLER.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger("worker")

LONG_POLL_SECONDS = 5
"""How long SIGTERM may find the worker waiting for a message; at most 20."""
RETRY_SECONDS = 5
LONGEST_VISIBILITY = 43_200
"""Seconds; SQS hides a message for half a day at the most, and for none it would be everybody's at once."""


class Shelter:
    """Keeps an instance out of scale-in while a message is in hand for longer than a while.

    Short messages cost no call: Auto Scaling counts calls, and a hook at the end is enough for them.
    """

    def __init__(self, autoscaling: Any, group: str, instance: str, *, after_seconds: float) -> None:
        self._autoscaling = autoscaling
        self._group = group
        self._instance = instance
        self._after = after_seconds
        self._taken = False

    @contextmanager
    def while_working(self) -> Iterator[None]:
        """Protect the instance if the work takes long, and no longer than it takes."""
        timer = threading.Timer(self._after, self._protect, kwargs={"protected": True})
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            self.leave()

    def leave(self) -> None:
        """Let the instance go again where it is protected; what failed is tried the next time."""
        if self._taken:
            self._protect(protected=False)

    def _protect(self, *, protected: bool) -> None:
        try:
            self._autoscaling.set_instance_protection(
                AutoScalingGroupName=self._group,
                InstanceIds=[self._instance],
                ProtectedFromScaleIn=protected,
            )
        except (BotoCoreError, ClientError) as error:
            logger.warning("scale-in protection could not be set to %s: %s", protected, error)
            # What was refused did not happen; what was not answered may have.
            self._taken = self._taken or not isinstance(error, ClientError)
        else:
            self._taken = protected


class Worker:
    """Takes messages from one queue, one at a time, until it is told to stop."""

    def __init__(
        self,
        sqs: Any,
        queue_url: str,
        handle: Callable[[str], None],
        *,
        visibility_seconds: int,
        shelter: Shelter | None = None,
    ) -> None:
        self._sqs = sqs
        self._shelter = shelter
        self._queue = queue_url
        self._handle = handle
        self._visibility = visibility_seconds
        self._stopping = threading.Event()

    def stop(self, *_signal: object) -> None:
        """Take no further message."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped; a queue that cannot be reached is asked again."""
        while not self._stopping.is_set():
            try:
                self._turn()
            except (BotoCoreError, ClientError) as error:
                logger.warning("the queue cannot be used, again in %s s: %s", RETRY_SECONDS, error)
                self._stopping.wait(RETRY_SECONDS)
        logger.info("stopped; nothing in hand")

    def _turn(self) -> None:
        if self._shelter:
            self._shelter.leave()  # an idle queue would else keep an instance that could not be let go at once
        for message in self._receive():
            if self._stopping.is_set():  # it came while we were told to stop: somebody else may have it at once
                self._hide(message, 0)
                return
            self._work(message)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=LONG_POLL_SECONDS,
            VisibilityTimeout=self._visibility,
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _work(self, message: dict[str, Any]) -> None:
        """Do the work, and only then delete the message."""
        try:
            with ExitStack() as around:
                around.enter_context(self._kept_hidden(message))
                if self._shelter:
                    around.enter_context(self._shelter.while_working())
                self._handle(message["Body"])
        except Exception:
            logger.exception("message %s failed, and is left to the queue", message["MessageId"])
            return
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        logger.info("message %s is done", message["MessageId"])

    @contextmanager
    def _kept_hidden(self, message: dict[str, Any]) -> Iterator[None]:
        """Extend the message's visibility timeout for as long as the work takes."""
        done = threading.Event()

        def extend() -> None:
            while not done.wait(self._visibility / 3):
                try:
                    self._hide(message, self._visibility)
                except (BotoCoreError, ClientError) as error:
                    logger.warning("message %s may be given to somebody else: %s", message["MessageId"], error)

        extending = threading.Thread(target=extend, daemon=True)
        extending.start()
        try:
            yield
        finally:
            done.set()
            extending.join()

    def _hide(self, message: dict[str, Any], seconds: int) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )


def handler(path: str) -> Callable[[str], None]:
    """Find the function that `module:function` names."""
    module, _, name = path.partition(":")
    found: Callable[[str], None] = getattr(importlib.import_module(module), name)
    return found


def shelter_of(autoscaling: Any) -> Shelter | None:
    """Give the shelter that the environment asks for; none unless the time, the instance and its group are known."""
    names = ("PROTECT_AFTER_SECONDS", "AUTO_SCALING_GROUP", "INSTANCE_ID")
    after, group, instance = (os.environ.get(name, "") for name in names)
    if not (after and group and instance):
        return None
    return Shelter(autoscaling, group, instance, after_seconds=float(after))


def visibility_seconds() -> int:
    """Read for how long a message is hidden."""
    seconds = int(os.environ.get("VISIBILITY_SECONDS", "120"))
    if not 1 <= seconds <= LONGEST_VISIBILITY:
        msg = f"VISIBILITY_SECONDS {seconds} is not 1 to {LONGEST_VISIBILITY}"
        raise ValueError(msg)
    return seconds


def hire() -> Worker:
    """Make the worker that the environment asks for."""
    config = Config(retries={"mode": "adaptive", "total_max_attempts": 6})
    return Worker(
        boto3.client("sqs", config=config),
        os.environ["QUEUE_URL"],
        handler(os.environ["HANDLER"]),
        visibility_seconds=visibility_seconds(),
        shelter=shelter_of(boto3.client("autoscaling", config=config)),
    )


def main() -> int:
    """Read the environment, and work."""
    level = os.environ.get("LOG_LEVEL", "INFO")
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    try:
        worker = hire()
    except (KeyError, ValueError, ImportError, AttributeError, BotoCoreError) as error:
        needed = "QUEUE_URL, HANDLER=module:function, VISIBILITY_SECONDS, PROTECT_AFTER_SECONDS and AWS_DEFAULT_REGION"
        logger.error("cannot start: %r; see to %s", error, needed)  # noqa: TRY400 - the message is the whole story
        return 2
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
