"""Process mode: an instance in service is a process, and ends as the instance does."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

import sandbox
from sandbox import interruptions
from sandbox.processes import Crew, Job
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLITE = """
import os, signal, sys, time
def stop(*_):
    open(f"{os.environ['NOTES']}/{os.environ['INSTANCE_ID']}", "w").write("goodbye")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
open(f"{os.environ['NOTES']}/{os.environ['INSTANCE_ID']}", "w").write("hello")
time.sleep(60)
"""
STUBBORN = POLITE.replace("signal.signal(signal.SIGTERM, stop)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        running.configure(boot_seconds=10, boot_jitter=0)
        running.create_fleet("workers", min_size=0, max_size=3, desired=2)
        running.client("autoscaling").put_lifecycle_hook(
            AutoScalingGroupName="workers",
            LifecycleHookName="farewell",
            LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
            HeartbeatTimeout=3600,
        )
        running.advance(11)
        yield running


def a_crew(cloud: sandbox.Cloud, notes: Path, program: str = POLITE, grace: float = 10) -> Crew:
    return Crew(
        cloud, "workers", Job(command=[sys.executable, "-c", program], environment={"NOTES": str(notes)}, grace=grace)
    )


def told(notes: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in notes.iterdir() if path.read_text()}


def all_say_hello(notes: Path, count: int) -> bool:
    return list(told(notes).values()) == ["hello"] * count


def members(cloud: sandbox.Cloud) -> dict[str, str]:
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return {row["InstanceId"]: row["LifecycleState"] for row in group["Instances"]}


def test_scale_in_says_goodbye_and_completes_the_hook(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    with a_crew(cloud, tmp_path) as crew:
        wait(lambda: all_say_hello(tmp_path, 2))
        cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=1)
        wait(lambda: len(members(cloud)) == 1)
        (gone,) = set(told(tmp_path)) - set(members(cloud))
        assert told(tmp_path)[gone] == "goodbye"
        assert crew.ended == {gone: 0}
    assert list(crew.ended.values()) == [0, 0], "the end of the crew is polite too"


def test_a_notice_says_goodbye_and_a_loss_does_not(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    with a_crew(cloud, tmp_path) as crew:
        wait(lambda: all_say_hello(tmp_path, 2))
        noticed, killed = sorted(members(cloud))
        with WORLD.lock:
            interruptions.interrupt(noticed)
            interruptions.kill(killed)
        wait(lambda: len(crew.ended) == 2)
        assert (crew.ended[noticed], crew.ended[killed]) == (0, -9)
        cloud.advance(200)
        wait(lambda: len(crew.at_work) == 2)  # both were replaced


def test_one_that_does_not_listen_is_killed_after_its_grace(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    with a_crew(cloud, tmp_path, STUBBORN, grace=0.5) as crew:
        wait(lambda: all_say_hello(tmp_path, 2))
        cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="workers", DesiredCapacity=1)
        wait(lambda: list(crew.ended.values()) == [-9])
        wait(lambda: len(members(cloud)) == 1)
