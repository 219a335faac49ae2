"""The promise: what the plan says stands in AWS, in the fewest writes, and time carries it out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from telling import NINE, a_fleet, a_ledger, a_plan, a_turn, an_order, carry_out, floors, in_order, told, writes

from predictive_scaling.apply import apply_plan
from predictive_scaling.errors import FleetBusy, GroupNotFound, WriteRefused
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox


def test_a_plan_becomes_scheduled_floors_with_a_restore_at_the_end(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)

    applied = carry_out(an_order(a_plan(5, 9, 4)), a_fleet(cloud), ledger)

    assert applied.written
    assert floors(cloud) == {"09:00": 5, "10:00": 9, "11:00": 4, "12:00": 2}
    assert told(ledger) == ["intent", "applied"]
    intent, outcome = in_order(ledger)
    assert outcome.aws_request_id, "the outcome can be found in CloudTrail"
    assert intent.after is not None
    assert intent.after["ps-web-20260105T0900Z"]["min"] == 5
    assert (outcome.forecast_id, outcome.by.run_id, outcome.by.actor) == ("web@20260105T0800Z", "run-1", "ada")


def test_the_same_plan_twice_makes_no_write(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger, plan = a_ledger(tmp_path), a_plan(5, 9, 4)
    carry_out(an_order(plan), a_fleet(cloud), ledger)
    before = writes(cloud)

    again = carry_out(an_order(plan, a_turn(run=2)), a_fleet(cloud), ledger)

    assert not again.written
    assert writes(cloud) == before
    assert told(ledger) == ["intent", "applied"]


def test_a_new_plan_writes_the_difference_and_removes_what_it_no_longer_wants(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger = a_ledger(tmp_path)
    carry_out(an_order(a_plan(5, 9, 4)), a_fleet(cloud), ledger)

    applied = carry_out(an_order(a_plan(5, 7), a_turn(run=2)), a_fleet(cloud), ledger)

    assert (len(applied.changes.put), len(applied.changes.delete), len(applied.changes.keep)) == (2, 1, 1)
    assert floors(cloud) == {"09:00": 5, "10:00": 7, "11:00": 2}


def test_a_hundred_steps_go_in_batches_that_are_each_told(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    carry_out(an_order(a_plan(*(3 + hour % 5 for hour in range(100)))), a_fleet(cloud), ledger)

    assert cloud.calls()["autoscaling.BatchPutScheduledUpdateGroupAction"] == 3
    assert told(ledger) == ["intent", "applied"] * 3
    assert [event.call for event in in_order(ledger)[::2]] == ["put 1 of 3", "put 2 of 3", "put 3 of 3"]


def test_a_dry_run_makes_no_mutating_call_and_says_what_it_would_do(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    before = writes(cloud)

    applied = carry_out(an_order(a_plan(5), write=False), a_fleet(cloud), ledger)

    assert not applied.written
    assert writes(cloud) == before
    assert floors(cloud) == {}
    (event,) = in_order(ledger)
    assert event.kind.value == "observed"
    assert "would schedule 2" in event.reason


def test_a_persons_own_action_is_left_alone_and_its_minute_is_given_way_to(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    cloud.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName="web", ScheduledActionName="launch-party", StartTime=NINE, MinSize=12
    )
    carry_out(an_order(a_plan(5)), a_fleet(cloud), a_ledger(tmp_path))
    assert floors(cloud) == {"08:59": 5, "09:00": 12, "10:00": 2}


def test_what_is_refused_inside_a_successful_answer_is_noticed(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.clock(now="2026-01-05T09:30:00+00:00")

    with pytest.raises(WriteRefused, match=r"ps-web-20260105T0900Z: .*past"):
        carry_out(an_order(a_plan(5, 9)), a_fleet(cloud), ledger)

    assert told(ledger) == ["intent", "failed"]
    assert ledger.open_operation("web") is None, "the next run may try"


def test_time_carries_the_plan_out_and_the_instances_come(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    carry_out(an_order(a_plan(5)), a_fleet(cloud), a_ledger(tmp_path))

    cloud.advance(timedelta(hours=1, minutes=10).total_seconds())

    seen = a_fleet(cloud).observe()
    assert (seen.min_size, seen.desired, seen.in_service) == (5, 5, 5)
    cloud.advance(timedelta(hours=1).total_seconds())
    restored = a_fleet(cloud).observe()
    assert (restored.min_size, restored.desired) == (2, 5), "the floor returns; scaling in is for the reactive policies"


def test_a_group_that_does_not_exist_is_named(cloud: sandbox.Cloud) -> None:
    with pytest.raises(GroupNotFound, match="'nowhere' does not exist"):
        AutoScalingFleet(cloud.client("autoscaling"), "nowhere").observe()


def test_a_second_writer_is_told_who_holds_the_fleet(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.add(service="autoscaling", operation="BatchPut.*", error="InternalFailure", status=500)
    with pytest.raises(Exception, match="may have taken effect"):
        carry_out(an_order(a_plan(5)), a_fleet(cloud), ledger)
    cloud.faults.clear()

    with pytest.raises(FleetBusy, match=r"apply_plans\.apply run run-1 try 1 for ada"):
        carry_out(an_order(a_plan(6), a_turn(run=2)), a_fleet(cloud), ledger)

    assert floors(cloud) == {}


def test_two_plans_that_are_too_many_for_aws_together_follow_each_other_all_the_same(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger, hours = a_ledger(tmp_path), [3 + hour % 5 for hour in range(80)]
    carry_out(an_order(a_plan(*hours)), a_fleet(cloud), ledger)

    anew = a_plan(*hours, first=NINE + timedelta(minutes=5))
    carry_out(an_order(anew, a_turn(run=2)), a_fleet(cloud), ledger)

    starts = [action.start for action in a_fleet(cloud).observe().actions]
    assert starts == [step.at for step in anew.steps[1:]]
    assert [event.call for event in in_order(ledger)[4::2]] == [
        "delete 1 of 2",
        "put 1 of 2",
        "put 2 of 2",
        "delete 2 of 2",
    ]


def test_what_was_taken_back_while_a_plan_was_drawn_is_not_put_there_again(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger, fleet = a_ledger(tmp_path), a_fleet(cloud)
    carry_out(an_order(a_plan(5, 9, 4)), fleet, ledger)
    seen = fleet.observe()
    carry_out(an_order(a_plan(), a_turn(run=2)), fleet, ledger)
    left = floors(cloud)

    with pytest.raises(FleetBusy, match="changed while its plan was drawn"):
        apply_plan(an_order(a_plan(5, 9, 4, 6), a_turn(run=3)), seen, fleet, ledger)

    assert floors(cloud) == left == {"09:00": 2}
    assert ledger.open_operation("web") is None
