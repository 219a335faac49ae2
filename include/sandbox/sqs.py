"""SQS as moto has it, except that a long poll holds nobody up, and that a queue may be ten thousand messages deep.

A queue counts what is sent to it, for AWS publishes that.
Moto asks the clock for every message whenever a queue is touched; here once for all of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Queue, SQSBackend

from sandbox.patches import replaces
from sandbox.world import WORLD

if TYPE_CHECKING:
    from moto.sqs.models import Message

LOOK_SECONDS = 0.05

_moto_receive = SQSBackend.receive_message
_moto_add = Queue.add_message


@replaces(SQSBackend)
def receive_message(  # noqa: PLR0913, PLR0917 - moto's signature
    self: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> list[Message]:
    """Receive, in a long poll look again and again, and let others have the world in between."""
    end = time.monotonic() + wait_seconds_timeout
    while True:
        found: list[Message] = _moto_receive(self, queue_name, count, 0, visibility_timeout, message_attribute_names)
        if found or time.monotonic() >= end:
            return found
        WORLD.lock.release()
        try:
            time.sleep(LOOK_SECONDS)
        finally:
            WORLD.lock.acquire()


@replaces(SQSBackend)
def is_message_valid_based_on_retention_period(self: SQSBackend, queue_name: str, message: Message) -> bool:
    """Tell whether a message is young enough to be kept."""
    queue: Any = self.get_queue(queue_name)
    return _now() - float(message.sent_timestamp or 0) < float(queue.message_retention_period) * 1000


@replaces(Queue)
def add_message(self: Queue, message: Message) -> None:
    """Take a message and count it; one that a FIFO queue knows already is not taken."""
    held = len(self._messages)
    _moto_add(self, message)
    if len(self._messages) > held:
        vars(self)["_sent"] = vars(self).get("_sent", 0) + 1


def sent_of_late(queue: Queue) -> int:
    """Tell how many messages a queue took since this was asked before."""
    return int(vars(queue).pop("_sent", 0))


@replaces(Queue)
def delete_message(self: Queue, receipt_handle: str) -> None:
    """Delete the message of this receipt; one that was deleted already is no trouble."""
    if receipt_handle in self.deleted_messages:
        return
    message = next((each for each in self._messages if each.had_receipt_handle(receipt_handle)), None)
    if message is None:
        raise ReceiptHandleIsInvalid
    self.pending_messages.discard(message)
    self.deleted_messages.update(str(handle) for handle in message.all_receipt_handles)
    self._messages.remove(message)


def _now() -> float:
    return time.time() * 1000


def _messages(self: Queue) -> list[Message]:
    """List those that somebody may receive."""
    now = _now()
    return [each for each in self._messages if each.visible_at < now >= each.delayed_until]


def _delayed(self: Queue) -> int:
    now = _now()
    return sum(each.delayed_until > now for each in self._messages)


def _not_visible(self: Queue) -> int:
    now = _now()
    return sum(each.visible_at >= now for each in self._messages)


for _name, _count in (
    ("messages", _messages),
    ("approximate_number_of_messages_delayed", _delayed),
    ("approximate_number_of_messages_not_visible", _not_visible),
):
    replaces(Queue, _name)(property(_count))  # type: ignore[type-var]
