"""The promise: whatever moment a change of capacity dies at, its retry ends where it would have, changing once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aftermath import assert_every_intent_has_one_certain_outcome
from arranging import a_cloud_of_four
from by_hand import at_work, seen, sizes, the_fleet
from deeds import DEEDS, set_sizes
from dying import die
from telling import a_fleet, a_ledger, a_plan, an_order, carry_out, floors

from predictive_scaling.ledger.records import EventKind
from predictive_scaling.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with a_cloud_of_four() as running:
        yield running


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


@pytest.mark.parametrize("moment", ["before:delete:1", "after:delete:1", "after:observe:2"])
def test_a_schedule_that_is_rolled_back_is_gone_whenever_its_rollback_died(
    cloud: sandbox.Cloud, tmp_path: Path, moment: str
) -> None:
    ledger = a_ledger(tmp_path)
    carry_out(an_order(a_plan(5, 7)), a_fleet(cloud), ledger)
    die(cloud, tmp_path, moment, "roll_back")
    assert ledger.open_operation("web") is not None

    DEEDS["roll_back"](at_work(the_fleet(cloud), ledger, attempt=2))

    assert floors(cloud) == {}
    assert_every_intent_has_one_certain_outcome(ledger)


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


def test_an_instance_that_died_before_it_was_let_go_is_no_trouble(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    die(cloud, tmp_path, "before:retire:2", "scale_in")
    first = next(event for event in ledger.events(fleet="web") if (event.call or "").startswith("retire"))
    cloud.client("ec2").terminate_instances(InstanceIds=[(first.call or "").split()[1]])
    cloud.advance(300)
    DEEDS["scale_in"](at_work(the_fleet(cloud), ledger, attempt=2))
    assert seen(cloud).staying_units >= 2
    assert_every_intent_has_one_certain_outcome(ledger)
