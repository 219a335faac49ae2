"""The promise: a plan that met trouble on its way is in place after the next run, whole, once, and by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from meanwhile import Meanwhile
from rights import marked
from telling import (
    MONDAY,
    NINE,
    a_fleet,
    a_ledger,
    a_plan,
    a_turn,
    an_order,
    carry_out,
    floors,
    in_order,
    told,
    writes,
)

from predictive_scaling.calls import BATCH
from predictive_scaling.errors import CloudUnavailable, GroupNotFound, OutcomeUnknown, WriteRefused

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.store import SqlLedger

MANY = [3 + hour % 4 for hour in range(60)]
"""Enough steps for two batches."""


def assert_in_place_once(cloud: sandbox.Cloud, ledger: SqlLedger, plan: list[int]) -> None:
    """The plan and nothing but the plan is there, nothing is open, and another run writes nothing."""
    wanted = {step.at: step.capacity for step in a_plan(*plan).steps[1:]}
    actions = a_fleet(cloud).observe().actions
    assert sorted((action.start, action.min_size) for action in actions if action.start) == sorted(wanted.items())
    assert ledger.open_operation("web") is None
    before = writes(cloud)
    carry_out(an_order(a_plan(*plan), a_turn(run=99)), a_fleet(cloud), ledger)
    assert writes(cloud) == before


@pytest.mark.parametrize(
    ("error", "status", "skip"),
    [
        *(("Throttling", 400, calls) for calls in (0, 2, 3, 4)),
        *(("ServiceUnavailable", 503, calls) for calls in (3, 4)),
    ],
)
def test_five_minutes_without_any_answer_are_recovered_from_unaided(
    cloud: sandbox.Cloud, tmp_path: Path, error: str, status: int, skip: int
) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.add(service="autoscaling", error=error, status=status, seconds=300, skip=skip)
    for minute in range(5):
        with pytest.raises((CloudUnavailable, WriteRefused, OutcomeUnknown), match=error):
            carry_out(an_order(a_plan(*MANY), a_turn(attempt=minute + 1)), a_fleet(cloud), ledger)
        cloud.advance(60)
    carry_out(an_order(a_plan(*MANY), a_turn(attempt=6)), a_fleet(cloud), ledger)
    assert_in_place_once(cloud, ledger, MANY)


@pytest.mark.parametrize(
    "how",
    [{"drop": True}, {"latency": 2.0}, {"error": "ServiceUnavailable", "status": 503}],
    ids=["cut off", "answered late", "answered 503"],
)
@pytest.mark.parametrize("skip", [0, 1])
def test_a_batch_that_took_effect_unanswered_is_found_and_not_sent_again(
    cloud: sandbox.Cloud, tmp_path: Path, how: dict[str, Any], skip: int
) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.add(operation="BatchPut.*", after=True, count=1, skip=skip, **how)
    with pytest.raises(OutcomeUnknown, match="it may have taken effect"):
        carry_out(an_order(a_plan(*MANY)), a_fleet(cloud, read_timeout=1.0 if "latency" in how else 60), ledger)
    sent = writes(cloud)
    carry_out(an_order(a_plan(*MANY), a_turn(attempt=2)), a_fleet(cloud), ledger)
    assert writes(cloud) == sent + (1 if skip == 0 else 0), "only the batch that was never sent"
    assert_in_place_once(cloud, ledger, MANY)


def test_a_batch_of_which_aws_refused_a_part_is_completed_by_the_next_run(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger, somebody = a_ledger(tmp_path), cloud.client("autoscaling")

    def takes_our_minute() -> None:
        somebody.put_scheduled_update_group_action(
            AutoScalingGroupName="web", ScheduledActionName="a-sale", StartTime=NINE, MinSize=2
        )

    with pytest.raises(WriteRefused, match=r"refused part of `put 1 of 1`: ps-web-20260105T0900Z: AlreadyExists"):
        carry_out(an_order(a_plan(5, 7)), Meanwhile(a_fleet(cloud), "before:put:1", takes_our_minute), ledger)
    assert ledger.open_operation("web") is None
    assert floors(cloud) == {"09:00": 2, "10:00": 7, "11:00": 2}, "what was accepted stays"

    carry_out(an_order(a_plan(5, 7), a_turn(run=2)), a_fleet(cloud), ledger)

    assert floors(cloud) == {"08:59": 5, "09:00": 2, "10:00": 7, "11:00": 2}
    assert told(ledger) == ["intent", "failed", "intent", "applied"]


def test_a_group_that_is_full_of_actions_takes_what_fits_and_the_next_run_the_rest(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger = a_ledger(tmp_path)
    cloud.configure(max_scheduled_actions=BATCH + 5)
    with pytest.raises(WriteRefused, match="refused part of `put 2 of 2`"):
        carry_out(an_order(a_plan(*MANY)), a_fleet(cloud), ledger)
    cloud.configure(max_scheduled_actions=125)
    carry_out(an_order(a_plan(*MANY), a_turn(run=2)), a_fleet(cloud), ledger)
    assert_in_place_once(cloud, ledger, MANY)


@pytest.mark.parametrize("moment", ["before:put:1", "after:put:1"])
def test_a_group_deleted_on_the_way_leaves_nothing_open_and_its_successor_gets_the_plan(
    cloud: sandbox.Cloud, tmp_path: Path, moment: str
) -> None:
    ledger = a_ledger(tmp_path)
    fleet = Meanwhile(a_fleet(cloud), moment, lambda: delete(cloud))
    with pytest.raises((WriteRefused, GroupNotFound)):
        carry_out(an_order(a_plan(5)), fleet, ledger)

    for attempt in (2, 3):
        with pytest.raises(GroupNotFound, match="'web' does not exist"):
            carry_out(an_order(a_plan(5), a_turn(attempt=attempt)), a_fleet(cloud), ledger)
    assert ledger.open_operation("web") is None
    assert told(ledger) == ["intent", "failed"]
    assert "web" in str(in_order(ledger)[-1].error)

    create(cloud)
    carry_out(an_order(a_plan(5), a_turn(run=4)), a_fleet(cloud), ledger)
    assert floors(cloud) == {"09:00": 5, "10:00": 2}
    assert_in_place_once(cloud, ledger, [5])


def delete(cloud: sandbox.Cloud) -> None:
    cloud.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    cloud.advance(120)
    cloud.clock(now=MONDAY)


def create(cloud: sandbox.Cloud) -> None:
    cloud.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=2,
        MaxSize=20,
        DesiredCapacity=2,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "web"},
    )
    marked(cloud)
