"""The promise: whatever moment a change of capacity dies at, its retry ends where it would have, changing once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from by_hand import a_ledger, assert_every_intent_has_one_certain_outcome, at_work, seen, sizes, the_fleet
from deeds import DEEDS, set_sizes

import sandbox
from predictive_scaling.errors import CloudUnavailable, OutcomeUnknown, WriteRefused
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    """Four instances, bounds 2..20, on a Monday at eight; no second passes by itself."""
    with sandbox.running() as running:
        running.clock(now="2026-01-05T08:00:00+00:00", speed=0)
        running.create_fleet("web", min_size=2, max_size=20, desired=4)
        running.advance(900)
        yield running


def die(cloud: sandbox.Cloud, folder: Path, moment: str, deed: str) -> None:
    """Begin a deed in a process of its own that kills itself."""
    script = Path(__file__).with_name("dying_by_hand.py")
    path = [*sys.path, str(script.parent)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    command = [sys.executable, str(script), cloud.url, str(folder), moment, deed]
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def changes(cloud: sandbox.Cloud) -> int:
    return sum(cloud.calls().get(f"autoscaling.{name}", 0) for name in ("UpdateAutoScalingGroup", RETIRE))


RETIRE = "TerminateInstanceInAutoScalingGroup"
AROUND_A_RESIZE = ["before:resize:1", "after:resize:1", "before:observe:2", "after:observe:2"]
AROUND_TWO_RETIRES = [
    "before:retire:1",
    "after:retire:1",
    "before:retire:2",
    "after:retire:2",
    "before:observe:2",
    "after:observe:2",
]
AROUND_GIVING_UP = ["after:observe:3", "before:retire:1", "after:retire:1", "after:retire:2", "after:observe:4"]


@pytest.mark.parametrize(
    ("deed", "moment", "desired", "writes"),
    [
        *(("scale_out", moment, 6, 1) for moment in AROUND_A_RESIZE),
        *(("scale_in", moment, 2, 2) for moment in AROUND_TWO_RETIRES),
        *(("give_up", moment, 4, 3) for moment in AROUND_GIVING_UP),
        *(("set_capacity", moment, 6, 1) for moment in AROUND_A_RESIZE),
        *(("roll_back", moment, 4, 2) for moment in AROUND_A_RESIZE),
    ],
)
def test_the_retry_ends_where_the_first_try_would_have(
    cloud: sandbox.Cloud, tmp_path: Path, deed: str, moment: str, desired: int, writes: int
) -> None:
    ledger = a_ledger(tmp_path)
    if deed == "roll_back":
        set_sizes(at_work(the_fleet(cloud), ledger, run=7))
    before = {instance.id for instance in seen(cloud).instances}
    cloud.faults.forget_calls() if deed != "roll_back" else None
    die(cloud, tmp_path, moment, deed)

    DEEDS[deed](at_work(the_fleet(cloud), ledger, attempt=2))

    low, present, _ = sizes(cloud)
    assert (low, present) == (3 if deed == "set_capacity" else 2, desired)
    assert changes(cloud) == writes, "what was done was not done again"
    assert_every_intent_has_one_certain_outcome(ledger)
    if deed == "give_up":
        assert before == {instance.id for instance in seen(cloud).instances if not instance.leaving}


@pytest.mark.parametrize("deed", ["scale_out", "scale_in", "set_capacity"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_another_run_ends_what_was_abandoned_by_what_it_sees(
    cloud: sandbox.Cloud, tmp_path: Path, deed: str, side: str
) -> None:
    ledger = a_ledger(tmp_path)
    die(cloud, tmp_path, f"{side}:{'retire' if deed == 'scale_in' else 'resize'}:1", deed)
    assert ledger.open_operation("web") is not None

    later = at_work(the_fleet(cloud), ledger, run=2).turn
    settle("web", the_fleet(cloud), ledger, replace(later, now=later.now + timedelta(minutes=16)))

    (end, *_) = ledger.events(fleet="web")
    assert end.kind is (EventKind.APPLIED if side == "after" else EventKind.FAILED)
    assert "looked at the group after scale_manually.add run run-1 try 1 for ada" in end.reason
    assert bool(end.error) is (side == "before")
    assert_every_intent_has_one_certain_outcome(ledger)


def test_somebody_elses_number_is_not_taken_for_ours(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    die(cloud, tmp_path, "before:resize:1", "scale_out")
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)

    with pytest.raises(Exception, match="desired is 3, neither 4 as before nor 6 as asked: somebody else moved it"):
        DEEDS["scale_out"](at_work(the_fleet(cloud), ledger, attempt=2))

    assert sizes(cloud)[1] == 3
    assert_every_intent_has_one_certain_outcome(ledger)


@pytest.mark.parametrize("deed", ["scale_out", "scale_in", "set_capacity"])
def test_an_answer_that_was_lost_is_found_in_the_group(cloud: sandbox.Cloud, tmp_path: Path, deed: str) -> None:
    ledger = a_ledger(tmp_path)
    operation = "Update.*|Terminate.*"
    cloud.faults.add(service="autoscaling", operation=operation, error="InternalFailure", status=500, after=True)
    with pytest.raises(OutcomeUnknown, match="may have taken effect"):
        DEEDS[deed](at_work(the_fleet(cloud), ledger))
    cloud.faults.clear()
    DEEDS[deed](at_work(the_fleet(cloud), ledger, attempt=2))
    assert sizes(cloud)[1] == (2 if deed == "scale_in" else 6)
    assert changes(cloud) == (2 if deed == "scale_in" else 1)
    assert_every_intent_has_one_certain_outcome(ledger)


@pytest.mark.parametrize("deed", ["scale_out", "scale_in", "set_capacity"])
def test_throttling_changes_nothing_and_is_no_more_than_a_reason_to_try_again(
    cloud: sandbox.Cloud, tmp_path: Path, deed: str
) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.add(service="autoscaling", operation="Update.*|Terminate.*", error="Throttling", status=400)
    with pytest.raises((WriteRefused, CloudUnavailable), match="Throttling"):
        DEEDS[deed](at_work(the_fleet(cloud), ledger))
    cloud.faults.clear()
    DEEDS[deed](at_work(the_fleet(cloud), ledger, attempt=2))
    assert sizes(cloud)[1] == (2 if deed == "scale_in" else 6)
    assert_every_intent_has_one_certain_outcome(ledger)


def test_an_instance_that_died_before_it_was_let_go_is_no_trouble(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    die(cloud, tmp_path, "before:retire:2", "scale_in")
    first = next(event for event in ledger.events(fleet="web") if (event.call or "").startswith("retire"))
    cloud.client("ec2").terminate_instances(InstanceIds=[(first.call or "").split()[1]])
    cloud.advance(300)
    DEEDS["scale_in"](at_work(the_fleet(cloud), ledger, attempt=2))
    assert seen(cloud).staying_units >= 2
    assert_every_intent_has_one_certain_outcome(ledger)
