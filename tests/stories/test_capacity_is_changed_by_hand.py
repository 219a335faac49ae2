"""The promise: what a person asks for is brought, seen to the end, or put back; and told in the log and the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from aftermath import assert_every_intent_has_one_certain_outcome
from airflow.sdk.exceptions import AirflowFailException
from arranging import a_cloud_of_four
from by_hand import WEB, Desk, a_desk, a_run, at_work, seen, sizes, the_fleet, told
from meanwhile import once

from forecasting.override import OverrideKind
from predictive_scaling.fleets import Sizes
from predictive_scaling.ledger.overrides import EVERY_FLEET, SqlOverrides
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.operators import InventoryOperator, ScaleInOperator, ScaleOutOperator, SetCapacityOperator
from predictive_scaling.overriding import Desk as Overriding
from predictive_scaling.overriding import Wish, impose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERY = timedelta(seconds=0.05)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Four instances behind a load balancer, bounds 2..20 of the group and 2..12 of the fleet file."""
    with a_cloud_of_four(balanced=True) as cloud:
        yield a_desk(cloud, tmp_path, monkeypatch)


def add(amount: int, **options: Any) -> ScaleOutOperator:
    given = {"reason": "a sale", "every": EVERY, "timeout": timedelta(minutes=2), **options}
    return ScaleOutOperator(task_id="add", fleet="web", amount=amount, **given)


def remove(amount: int, **options: Any) -> ScaleInOperator:
    given = {"reason": "it is over", "every": EVERY, "timeout": timedelta(minutes=2), **options}
    return ScaleInOperator(task_id="remove", fleet="web", amount=amount, **given)


def last_reason(desk: Desk) -> str:
    return desk.ledger.events(fleet="web", limit=1)[0].reason


def test_what_is_added_serves_before_the_task_ends_and_the_seconds_are_kept(desk: Desk) -> None:
    result = desk.carry_out(add(2))
    assert (result["from"], result["to"]) == (4, 6)
    assert seen(desk.cloud).serving_units == 6, "in service, and healthy in the target group"
    assert told(desk.ledger) == ["intent resize up", "applied resize up", "applied -"]
    (end, *_) = desk.ledger.events(fleet="web")
    assert end.after is not None
    assert end.after["seconds"] == pytest.approx(result["seconds"], abs=0.1)
    assert result["promised"] == 300, "lead_time of the fleet file"
    assert end.reason.endswith("the 300 s of lead_time")


def test_each_change_says_what_it_costs_an_hour_where_the_file_has_a_price(desk: Desk, tmp_path: Path) -> None:
    to = partial(SetCapacityOperator, task_id="set", fleet="web", reason="a try")

    def told_of(operator: Any, run: int) -> str:
        desk.carry_out(operator, run=run)
        return desk.ledger.events(fleet="web", kind=EventKind.INTENT)[0].reason

    assert told_of(to(desired=5), 1) == "set desired 4 -> 5: a try"
    with (tmp_path / "fleets" / "web.yaml").open("a") as file:
        file.write("price_per_hour: 0.25\n")
    assert told_of(add(2), 2) == "add 2 to 5: a sale; $0.50 an hour more"
    assert told_of(remove(1), 3).endswith(": it is over; $0.25 an hour less")
    assert told_of(to(desired=9), 4) == "set desired 6 -> 9: a try; $0.75 an hour more"
    assert told_of(to(min_size=3), 5) == "set min 2 -> 3: a try"


def test_more_than_the_bounds_allow_is_cut_and_nothing_left_to_add_is_refused(desk: Desk) -> None:
    assert desk.carry_out(add(50))["to"] == 12, "max of the fleet file comes before MaxSize of the group"
    with pytest.raises(AirflowFailException, match="cannot add 1 to 12: max of the fleet file is 12; raise it first"):
        desk.carry_out(add(1), run=2)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(desk: Desk) -> None:
    for operator in (add(2, only_plan=True), remove(1, only_plan="True")):
        assert desk.carry_out(operator)["written"] is False
    assert sizes(desk.cloud) == (2, 4, 20)
    assert told(desk.ledger) == ["observed -", "observed -"]
    assert "would retire i-" in last_reason(desk)


def test_when_capacity_runs_short_what_came_is_kept_and_no_more_is_asked_for(desk: Desk) -> None:
    desk.cloud.shortages.add(limit=5)
    with pytest.raises(AirflowFailException, match=r"capacity.*kept 1 that came; desired is 5, it was 4 before"):
        desk.carry_out(add(3, on_failure="keep"))
    assert sizes(desk.cloud) == (2, 5, 20)
    assert_every_intent_has_one_certain_outcome(desk.ledger)


def test_when_asked_to_all_is_put_back_and_only_the_newcomers_go(desk: Desk) -> None:
    before = {instance.id for instance in seen(desk.cloud).instances}
    desk.cloud.shortages.add(limit=6)
    with pytest.raises(AirflowFailException, match=r"let go 2 that came; desired is 4, it was 4 before"):
        desk.carry_out(add(3, on_failure=["rollback"]))
    after = seen(desk.cloud)
    assert after.desired == 4
    assert {instance.id for instance in after.instances if not instance.leaving} == before
    assert told(desk.ledger)[-1] == "failed -"
    assert_every_intent_has_one_certain_outcome(desk.ledger)


def test_a_shortage_that_passes_is_left_to_awss_next_attempt(desk: Desk) -> None:
    desk.cloud.shortages.add(limit=4)
    operator, cloud = add(1), desk.cloud
    assert len(the_fleet(cloud).observe().zones) > 1, "there is somewhere else"

    cloud.configure(launch_retry_seconds=150)
    fleet = the_fleet(cloud)
    relief = once(lambda: any(each.failed_launch for each in fleet.examine().activities), cloud.shortages.clear)
    result = desk.carry_out(operator)
    relief.join()
    assert result["to"] == 5
    assert seen(cloud).serving_units == 5


def test_a_full_quota_is_not_waited_on(desk: Desk) -> None:
    desk.cloud.configure(standard_vcpus=0)
    with pytest.raises(AirflowFailException, match=r"launch failed \(quota\).*raise it in Service Quotas"):
        desk.carry_out(add(1))
    assert sizes(desk.cloud) == (2, 4, 20)


def test_a_wait_that_somebody_else_ended_says_so_and_leaves_their_number(desk: Desk) -> None:
    desk.cloud.configure(boot_seconds=100_000)
    fleet = the_fleet(desk.cloud)
    other = once(lambda: fleet.observe().desired == 6, lambda: fleet.resize(Sizes(desired=3)))
    with pytest.raises(AirflowFailException, match="somebody else set desired to 3 while 6 were awaited"):
        desk.carry_out(add(2))
    other.join()
    assert sizes(desk.cloud) == (2, 3, 20)


def test_instances_that_never_become_ready_are_given_up_when_the_time_is_over(desk: Desk) -> None:
    desk.cloud.configure(boot_seconds=100_000)
    with pytest.raises(AirflowFailException, match=r"the time was up .*4 of 6 serve, 2 on their way.*desired is 4"):
        desk.carry_out(add(2, on_failure="rollback", timeout=timedelta(seconds=0.3)))
    assert sizes(desk.cloud) == (2, 4, 20)


def test_a_cleared_task_brings_the_same_number_and_not_another_two(desk: Desk) -> None:
    first = desk.carry_out(add(2))
    again = desk.carry_out(add(2), attempt=2)
    assert again == {**first, "seconds": pytest.approx(first["seconds"], abs=0.1)}
    assert sizes(desk.cloud) == (2, 6, 20)
    assert told(desk.ledger) == ["intent resize up", "applied resize up", "applied -"], "one end, told once"


def test_a_task_cleared_a_thousand_events_later_brings_no_others_either(desk: Desk) -> None:
    desk.carry_out(add(2))
    (end, *_) = desk.ledger.events(fleet="web", limit=1)
    desk.ledger.record(*(replace(end, kind=EventKind.OBSERVED, by=a_run(9)) for _ in range(1001)))
    desk.carry_out(add(2), attempt=2)
    assert sizes(desk.cloud) == (2, 6, 20)


def test_a_task_cleared_after_its_time_was_up_tells_that_they_came_after_all(desk: Desk) -> None:
    desk.cloud.configure(boot_seconds=600)
    with pytest.raises(AirflowFailException, match="the time was up"):
        desk.carry_out(add(2, on_failure="keep", timeout=timedelta(seconds=0.3)))
    desk.cloud.advance(900)
    assert desk.carry_out(add(2), attempt=2)["to"] == 6
    assert told(desk.ledger)[-2:] == ["failed -", "applied -"]


def test_who_is_let_go_is_drained_first_and_gone_when_the_task_ends(desk: Desk) -> None:
    desk.cloud.configure(drain_seconds=60)
    oldest = sorted(seen(desk.cloud).instances, key=lambda each: (str(each.launched_at), each.id))
    result = desk.carry_out(remove(2))
    assert result["retired"] == [instance.id for instance in oldest[:2]]
    left = seen(desk.cloud)
    assert (left.desired, len(left.instances)) == (2, 2)
    assert [each.split(" i-")[0] for each in told(desk.ledger)] == [
        *["intent retire", "applied retire"] * 2,
        "applied -",
    ]


def test_a_hook_is_followed_to_its_end_and_told_when_the_time_is_over(desk: Desk) -> None:
    desk.cloud.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName="web",
        LifecycleHookName="finish",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
        HeartbeatTimeout=900,
        DefaultResult="CONTINUE",
    )
    with pytest.raises(AirflowFailException, match="held by its lifecycle hook; they are on their way out"):
        desk.carry_out(remove(1, timeout=timedelta(seconds=1)))
    assert desk.carry_out(remove(1), attempt=2)["retired"], "cleared, the same task follows the same instance"
    assert sizes(desk.cloud) == (2, 3, 20), "and lets no other go"


def test_fewer_are_let_go_than_asked_when_a_bound_holds_and_none_is_an_error(desk: Desk) -> None:
    assert len(desk.carry_out(remove(9))["retired"]) == 2, "the group's minimum is 2"
    with pytest.raises(AirflowFailException, match="none of 1 can be let go: 0 of 1 may go: the group's minimum is 2"):
        desk.carry_out(remove(1), run=2)


def test_so_many_an_hour_is_counted_from_the_ledger(desk: Desk) -> None:
    desk.carry_out(remove(1, per_hour=1))
    with pytest.raises(AirflowFailException, match="1 may leave an hour, and 1 did"):
        desk.carry_out(remove(1, per_hour=1), run=2)


def test_sizes_are_set_verified_and_not_written_twice(desk: Desk) -> None:
    operator = SetCapacityOperator(task_id="set", fleet="web", reason="a test", desired="5", min_size=3)
    assert desk.carry_out(operator)["done"] == "wrote min 2 -> 3, desired 4 -> 5; read back and verified"
    again = SetCapacityOperator(task_id="set", fleet="web", reason="a test", desired=5)
    assert desk.carry_out(again, run=2)["done"] == "wrote nothing: the group is at min 3, max 20, desired 5 already"
    assert sizes(desk.cloud) == (3, 5, 20)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"desired": 13}, r"desired 13 is outside 2\.\.12 of the fleet file: ask for less, or edit it"),
        ({"desired": 1}, r"desired 1 is outside 2\.\.12 of the fleet file: ask for more, or edit it"),
        ({"desired": "many"}, "desired 'many' is not a whole number"),
        ({"min_size": 5}, "desired 4, max 20 cannot hold together: .* as it is, at min 2, max 20, desired 4$"),
    ],
)
def test_sizes_that_cannot_be_are_refused_with_the_reason(desk: Desk, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        desk.carry_out(SetCapacityOperator(task_id="set", fleet="web", reason="a test", **asked))
    assert sizes(desk.cloud) == (2, 4, 20)
    assert told(desk.ledger) == []


def test_a_suspended_process_is_named_before_anything_is_written(desk: Desk) -> None:
    desk.cloud.client("autoscaling").suspend_processes(
        AutoScalingGroupName="web", ScalingProcesses=["Launch", "Terminate"]
    )
    for operator, process in ((add(1), "Launch"), (remove(1), "Terminate")):
        with pytest.raises(AirflowFailException, match=f"the group's process {process} is suspended: resume it"):
            desk.carry_out(operator)
    assert told(desk.ledger) == []


def test_an_unknown_fleet_is_answered_with_the_known_ones(desk: Desk) -> None:
    with pytest.raises(AirflowFailException, match="there is no fleet 'wep': choose one of web"):
        desk.carry_out(SetCapacityOperator(task_id="set", fleet="wep", reason="a typo", desired=3))


def test_the_inventory_lists_every_instance_with_its_state(desk: Desk) -> None:
    desk.cloud.clock(speed=0)
    the_fleet(desk.cloud).retire(seen(desk.cloud).instances[0].id)
    rows = InventoryOperator(task_id="list").execute({})
    assert len(rows) == 4
    assert [row["draining"] for row in rows].count(True) == 1
    assert all(row["fleet"] == "web" and row["launched_at"] for row in rows)


def laid_over(desk: Desk, kind: OverrideKind, fleet: str = "web") -> Overriding:
    """Lay a person's word over the plan; AWS carries it out in a minute or two."""
    overriding = Overriding(
        overrides=SqlOverrides(desk.ledger._engine),  # noqa: SLF001 - one database for all tables
        ledger=desk.ledger,
        by=a_run(7),
    )
    now = datetime.now(UTC)
    impose(Wish(kind=kind, reason="a release", starts_at=now), fleet, seen(desk.cloud), overriding, now=now)
    return overriding


@pytest.mark.parametrize("kind", [OverrideKind.FREEZE, OverrideKind.NO_SCALE_IN, OverrideKind.NO_SCALE_OUT])
def test_what_a_persons_word_over_the_plan_would_undo_in_a_minute_is_refused_and_nothing_else(
    desk: Desk, kind: OverrideKind
) -> None:
    laid_over(desk, kind)
    up = [add(2), SetCapacityOperator(task_id="set", fleet="web", desired=6, reason="a sale")]
    down = [remove(1), SetCapacityOperator(task_id="set", fleet="web", desired=3, reason="it is over")]
    refused = {OverrideKind.NO_SCALE_IN: down, OverrideKind.NO_SCALE_OUT: up}.get(kind, [*up, *down])
    for run, operator in enumerate(refused):
        with pytest.raises(AirflowFailException, match=f"would be brought to 4 again by {kind}.*resume_fleet"):
            desk.carry_out(operator, run)
    assert sizes(desk.cloud) == (2, 4, 20)
    for run, operator in enumerate((each for each in up if each not in refused), start=8):
        desk.carry_out(operator, run)
    assert seen(desk.cloud).desired == (6 if kind is OverrideKind.NO_SCALE_IN else 4)


def test_under_a_stop_no_word_over_the_plan_is_written_and_capacity_is_changed_by_hand(desk: Desk) -> None:
    overriding = laid_over(desk, OverrideKind.FREEZE)
    now = datetime.now(UTC)
    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=now)
    impose(stop, EVERY_FLEET, None, overriding, now=now)
    desk.carry_out(add(2))
    assert seen(desk.cloud).desired == 6


def test_a_hold_above_the_maximum_of_the_file_bounds_as_it_is_obeyed(desk: Desk) -> None:
    overriding, now = laid_over(desk, OverrideKind.FREEZE), datetime.now(UTC)
    hold = Wish(kind=OverrideKind.HOLD, reason="while max was 14", starts_at=now, min_size=14)
    impose(hold, "web", seen(desk.cloud), overriding, now=now)
    with pytest.raises(AirflowFailException, match=r"11 would be brought to 12 again by hold .*held to max 12"):
        desk.carry_out(SetCapacityOperator(task_id="set", fleet="web", desired=11, reason="a sale"))
    desk.carry_out(SetCapacityOperator(task_id="set", fleet="web", desired=12, reason="a sale"), 2)
    assert seen(desk.cloud).desired == 12


def test_nobody_else_acts_on_a_fleet_that_is_held(desk: Desk) -> None:
    from predictive_scaling.errors import FleetBusy, OutcomeUnknown
    from predictive_scaling.scale_in import Request, let_go
    from predictive_scaling.scale_out import raise_desired

    desk.cloud.faults.add(service="autoscaling", operation="Update.*", error="InternalFailure", status=500)
    with pytest.raises(OutcomeUnknown):
        raise_desired(WEB, at_work(the_fleet(desk.cloud), desk.ledger), 2, "a sale")
    desk.cloud.faults.clear()
    with pytest.raises(FleetBusy, match=r"scale_manually\.add run run-1 try 1 for ada"):
        let_go(Request(amount=1, reason="x"), at_work(the_fleet(desk.cloud), desk.ledger, 2))
