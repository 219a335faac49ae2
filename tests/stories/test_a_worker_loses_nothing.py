"""The example worker as a process of its own, on a queue of the sandbox, told to stop in the middle of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from by_hand import at_work, seen, the_fleet
from rights import keys_of
from telling import a_ledger

from demo.local_airflow import ROOT
from predictive_scaling.scale_in import Request, let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import sandbox

HANDLER = """
import os, time

def handle(body):
    note("began", body)
    if body == "bad":
        raise ValueError("this one cannot be done")
    time.sleep(float(os.environ["WORK_SECONDS"]))
    note("done", body)

def note(what, body):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{what} {body}\\n")
"""
PATIENCE = 60


@dataclass
class Shop:
    """A queue, the workers on it, and what they noted down."""

    cloud: sandbox.Cloud
    folder: Path
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "job.py").write_text(HANDLER)
        self.notes = self.folder / "notes"
        self.notes.touch()
        self.sqs = self.cloud.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)

    def hire(self, *, work: float = 0.3, visibility: int = 30, **environment: str) -> subprocess.Popen[str]:
        """Start a worker, which may do what its own policy allows."""
        keys = keys_of(self.cloud, "worker")
        env = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "QUEUE_URL": self.queue,
            "HANDLER": "job:handle",
            "VISIBILITY_SECONDS": str(visibility),
            "WORK_SECONDS": str(work),
            "NOTES": str(self.notes),
            "AWS_ENDPOINT_URL": self.cloud.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
            **environment,
        }
        script = ROOT / "include" / "worker" / "worker.py"
        worker = subprocess.Popen([sys.executable, script], env=env, stdout=subprocess.PIPE, text=True)
        self.workers.append(worker)
        return worker

    def told(self) -> Counter[str]:
        return Counter(self.notes.read_text().splitlines())

    def left(self) -> dict[str, int]:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        answer: dict[str, Any] = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=list(names))
        return {name: int(answer["Attributes"][name]) for name in names}

    def wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not until():
            assert time.monotonic() < end, f"it did not come about; noted so far: {self.told()}"
            time.sleep(0.05)


@pytest.fixture
def shop(cloud: sandbox.Cloud, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(cloud, tmp_path)
    yield made
    for worker in made.workers:
        worker.kill()
        worker.communicate()


def test_a_worker_told_to_stop_finishes_its_message_and_takes_no_other(shop: Shop) -> None:
    bodies = [f"m{number}" for number in range(5)]
    shop.send(*bodies)
    first = shop.hire(work=1.0)
    shop.wait(lambda: sum(shop.told().values()) >= 3)  # one is done, the second is in hand
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, said
    assert "stopped; nothing in hand" in said
    assert sorted(shop.told().values()) == [1, 1, 1, 1], "two were begun, and both were done"
    assert sum(shop.left().values()) == 3, "the others are still in the queue"

    shop.hire(work=0)
    shop.wait(lambda: not sum(shop.left().values()))
    assert shop.told() == Counter(f"{what} {body}" for body in bodies for what in ("began", "done"))


def test_a_long_message_stays_hidden_for_as_long_as_it_takes(shop: Shop) -> None:
    shop.send("long")
    shop.hire(work=5, visibility=2)
    shop.hire(work=5, visibility=2)
    shop.wait(lambda: shop.told()["done long"] == 1 and not sum(shop.left().values()))
    assert shop.told() == {"began long": 1, "done long": 1}


def test_a_message_that_fails_goes_back_and_the_worker_goes_on(shop: Shop) -> None:
    shop.send("bad", "good")
    shop.hire(work=0)
    shop.wait(lambda: shop.told()["done good"] == 1)
    assert shop.told()["done bad"] == 0
    assert sum(shop.left().values()) == 1, "the bad one is not deleted"


def test_a_worker_that_dies_gives_its_message_back(shop: Shop) -> None:
    shop.send("only")
    victim = shop.hire(work=30, visibility=2)
    shop.wait(lambda: shop.told()["began only"] == 1)
    victim.kill()
    shop.hire(work=0)
    shop.wait(lambda: shop.told()["done only"] == 1 and not sum(shop.left().values()))
    assert shop.told() == {"began only": 2, "done only": 1}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("VISIBILITY_SECONDS", "0"),
        ("VISIBILITY_SECONDS", "86400"),
        ("PROTECT_AFTER_SECONDS", "soon"),
        ("HANDLER", "job:nobody"),
    ],
)
def test_a_worker_that_is_set_up_wrongly_takes_no_message_and_says_why(shop: Shop, setting: str, value: str) -> None:
    shop.send("only")
    shelter: dict[str, Any] = {"PROTECT_AFTER_SECONDS": "5", "AUTO_SCALING_GROUP": "web", "INSTANCE_ID": "i-1"}
    worker = shop.hire(**{**shelter, setting: value})
    said, _ = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 2
    assert "cannot start" in said
    assert setting in said
    assert not shop.told()


def test_an_instance_with_a_long_message_in_hand_is_not_let_go_before_it_is_done(shop: Shop) -> None:
    shop.cloud.advance(600)
    shop.cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MinSize=0)
    oldest, younger = sorted(seen(shop.cloud).instances, key=lambda each: (str(each.launched_at), each.id))
    shop.send("long")
    shop.hire(work=6, PROTECT_AFTER_SECONDS="0.5", AUTO_SCALING_GROUP="web", INSTANCE_ID=oldest.id)
    shop.wait(lambda: {each.id: each.protected for each in seen(shop.cloud).instances}[oldest.id])

    at = at_work(the_fleet(shop.cloud), a_ledger(shop.folder))
    let = let_go(Request(amount=1, reason="it is over"), at)

    assert let.instances == (younger.id,), "the idle one, though it is younger"
    assert f"keep {oldest.id} (us-east-1a): protected from scale-in" in let.story
    shop.wait(lambda: shop.told()["done long"] == 1)
    shop.wait(lambda: not any(each.protected for each in seen(shop.cloud).instances))


def test_an_instance_that_could_not_be_let_go_at_once_is_let_go_later_though_no_message_comes(shop: Shop) -> None:
    shop.cloud.advance(600)
    instance = seen(shop.cloud).instances[0].id
    shop.send("long")
    shop.hire(work=3, PROTECT_AFTER_SECONDS="0.3", AUTO_SCALING_GROUP="web", INSTANCE_ID=instance)
    shop.wait(lambda: any(each.protected for each in seen(shop.cloud).instances))
    shop.cloud.faults.add(service="autoscaling", operation="SetInstanceProtection", error="AccessDenied", count=1)

    shop.wait(lambda: not sum(shop.left().values()))
    shop.wait(lambda: not any(each.protected for each in seen(shop.cloud).instances))
