"""Is a message lost, or done twice, when workers come and go? Real worker processes on the sandbox's queue and group.

Twenty workers empty a queue. Meanwhile eight are scaled in, two are taken back by Spot after a notice and two are
killed without one. A message that a killed worker had in hand comes back by SQS's own rule, and may then be done twice:
those are counted apart.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sandbox
from sandbox import interruptions
from sandbox.processes import Crew, Job
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES: Final = int(os.environ.get("MESSAGES", "10000"))
WORKERS: Final = 20
FEWER: Final = 12
WORKER: Final = Path(__file__).parents[1] / "include" / "worker" / "worker.py"
SPEED: Final = 10
HANDLER: Final = """
import os, time

def handle(body):
    note("began", body)
    time.sleep(0.05)
    note("done", body)

def note(what, body):
    with open(os.path.join(os.environ["NOTES"], os.environ["INSTANCE_ID"]), "a") as notes:
        notes.write(f"{what} {body}\\n")
"""


def measure(_traces: Path | None) -> None:
    """Print how many messages were sent, done, lost and done twice."""
    with tempfile.TemporaryDirectory() as folder, sandbox.running() as cloud:
        notes = Path(folder) / "notes"
        notes.mkdir()
        (Path(folder) / "job.py").write_text(HANDLER)
        queue = _a_queue(cloud)
        _a_group(cloud)
        began = time.monotonic()
        with Crew(cloud, "workers", _job(cloud, queue, folder, notes)) as crew:
            killed = _trouble(cloud, crew, notes)
            _wait("the queue is empty", lambda: not _left(cloud, queue))
        _tell(notes, killed, crew.ended, time.monotonic() - began)


def _a_queue(cloud: sandbox.Cloud) -> str:
    sqs = cloud.client("sqs")
    queue: str = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    for first in range(0, MESSAGES, 10):
        rows = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(first, min(first + 10, MESSAGES))]
        sqs.send_message_batch(QueueUrl=queue, Entries=rows)
    return queue


def _a_group(cloud: sandbox.Cloud) -> None:
    cloud.configure(boot_seconds=10)
    cloud.create_fleet("workers", min_size=0, max_size=WORKERS, desired=WORKERS)
    cloud.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName="workers",
        LifecycleHookName="farewell",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=60 * SPEED,
    )
    cloud.clock(speed=SPEED)


def _job(cloud: sandbox.Cloud, queue: str, folder: str, notes: Path) -> Job:
    environment = {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "PYTHONPATH": folder,
        "QUEUE_URL": queue,
        "HANDLER": "job:handle",
        "VISIBILITY_SECONDS": "30",
        "NOTES": str(notes),
        "LOG_LEVEL": "WARNING",
    }
    return Job(command=[sys.executable, str(WORKER)], environment=environment)


def _trouble(cloud: sandbox.Cloud, crew: Crew, notes: Path) -> set[str]:
    """Scale in, give notice, kill; give the instances that were killed."""
    _wait("all are at work", lambda: len(list(notes.iterdir())) == WORKERS)
    _wait("a tenth is done", lambda: _done(notes) >= MESSAGES // 10)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=FEWER)
    _wait("some are gone", lambda: len(crew.at_work) == FEWER)
    noticed, killed = crew.at_work[:2], crew.at_work[2:4]
    with WORLD.lock:
        for instance in noticed:
            interruptions.interrupt(instance)
        for instance in killed:
            interruptions.kill(instance)
    return set(killed)


def _left(cloud: sandbox.Cloud, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer: dict[str, Any] = cloud.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def _done(notes: Path) -> int:
    return sum(path.read_text().count("done ") for path in notes.iterdir())


def _wait(what: str, until: Callable[[], bool], patience: float = 1800) -> None:
    end = time.monotonic() + patience
    while not until():
        if time.monotonic() > end:
            msg = f"waited {patience:.0f} s, and never: {what}"
            raise TimeoutError(msg)
        time.sleep(0.5)


def _tell(notes: Path, killed: set[str], ended: dict[str, int], seconds: float) -> None:
    did = {path.name: path.read_text().splitlines() for path in notes.iterdir()}
    done = Counter(line.removeprefix("done ") for lines in did.values() for line in lines if line.startswith("done "))
    in_killed_hands = {line.split()[1] for instance in killed for line in did.get(instance, ())[-2:]}
    twice = {body for body, count in done.items() if count > 1}
    print(f"messages sent            {MESSAGES:>7,}")
    print(f"workers                  {WORKERS:>7}, in all {len(did)}: {len(killed)} killed, the others exited with")
    print(
        f"                                 {dict(Counter(code for each, code in ended.items() if each not in killed))}"
    )
    print(f"lost                     {MESSAGES - len(done):>7}")
    print(f"done twice               {len(twice - in_killed_hands):>7}")
    print(
        f"done twice by redelivery {len(twice & in_killed_hands):>7}  (their worker was killed before it deleted them)"
    )
    print(f"took                     {seconds:>7.0f} s, {MESSAGES / seconds:.0f} messages a second")
