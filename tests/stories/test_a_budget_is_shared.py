"""The promise: a budget holds fleets that are judged at the same time, unseen yet, or no longer named by any file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from budgeting import Till, a_fleet_of
from living import Life
from rights import connect
from telling import MONDAY, a_plan, a_run

from forecasting import Plan, Step
from predictive_scaling.answering import answer_all
from predictive_scaling.cost_gate import Claim, CostGate
from predictive_scaling.errors import InvalidSetting
from predictive_scaling.fleets import Instance, Observed
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.reaction import Reaction, Watched

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import sandbox
    from predictive_scaling.fleet_spec import FleetSpec

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _connection(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(cloud, monkeypatch, "costs")


def both(**caps: Any) -> dict[str, Any]:
    return {"name": "both", "fleets": ["shop", "pay"], **caps}


def two_fleets() -> list[FleetSpec]:
    return [a_fleet_of("shop", price_per_hour=1.0), a_fleet_of("pay", price_per_hour=1.0)]


def running(size: int) -> Observed:
    instances = tuple(Instance(id=f"i-{at}", zone="us-east-1a") for at in range(size))
    return Observed(min_size=2, max_size=20, desired=size, in_service=size, instances=instances)


def flat(till: Till, size: int) -> Plan:
    return Plan((Step(till.now, size, f"{size} are needed"),))


def granted(till: Till, gate: CostGate, spec: FleetSpec, size: int, *, seen: int = 2) -> int:
    """Take a turn of a fleet at a gate: what it is granted is its plan from then on."""
    claim = Claim(spec=spec, policy=spec.policy, plan=flat(till, size), observed=running(seen))
    plan = gate.capped(claim, by=a_run(), now=till.now).plan
    till.followed(spec, plan, desired=plan.capacity_at(till.now))
    return plan.capacity_at(till.now)


def test_tasks_that_began_together_do_not_grant_the_same_money_twice(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    for spec in (shop, pay):
        till.followed(spec, flat(till, 2), desired=2)
    first, second = till.gate(), till.gate()
    for gate in (first, second):
        granted(till, gate, pay, 2)  # both have read what the fleets hold

    assert (granted(till, first, shop, 9), granted(till, second, pay, 9)) == (9, 3)


def test_what_another_task_has_granted_and_not_yet_written_is_held(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    for spec in (shop, pay):
        till.followed(spec, flat(till, 2), desired=2)
    till.pass_by(HOUR / 60)
    first = till.gate()
    claim = Claim(spec=shop, policy=shop.policy, plan=flat(till, 9), observed=running(2))
    assert first.capped(claim, by=a_run(), now=till.now).plan.capacity_at(till.now) == 9

    assert granted(till, till.gate(), pay, 9) == 3
    till.pass_by(HOUR)
    assert granted(till, till.gate(), pay, 9) == 9, "the turn died before it wrote: its fleet is where it was"


def test_what_another_task_has_granted_is_held_however_much_is_told_meanwhile(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    for spec in (shop, pay):
        till.followed(spec, flat(till, 2), desired=2)
    till.pass_by(HOUR / 60)
    claim = Claim(spec=shop, policy=shop.policy, plan=flat(till, 9), observed=running(2))
    till.gate().capped(claim, by=a_run(), now=till.now)
    till.ledger.record(*[Event(fleet="batch", kind=EventKind.HELD, reason="busy", by=a_run())] * 300)

    assert granted(till, till.gate(), pay, 9) == 3


def test_a_new_fleet_leaves_another_new_one_its_floor(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=10)], [shop, pay])
    assert granted(till, till.gate(), shop, 9) == 8


def test_a_fleet_whose_file_was_broken_a_moment_ago_is_still_paid_for(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    assert granted(till, till.gate(), shop, 9) == 9
    till.fleets = [pay]
    assert granted(till, till.gate(), pay, 9) == 3
    till.pass_by(25 * HOUR)
    assert granted(till, till.gate(), pay, 9) == 9, "a day later nothing is believed to run"


def test_what_a_fleet_has_spent_stays_spent_when_its_file_goes(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(monthly=5000)], [shop, pay])
    granted(till, till.gate(), shop, 9, seen=9)
    till.pass_by(10 * HOUR)
    granted(till, till.gate(), shop, 9, seen=9)
    till.fleets = [pay]
    till.pass_by(72 * HOUR)
    granted(till, till.gate(), pay, 2)
    (month,) = till.told("pay")[-1].after["sums"]  # type: ignore[index]
    assert month["spent"] == pytest.approx(9 * 10 + 9 * 24), "and for a day it is believed to run on"


def test_instances_that_came_and_went_between_two_verdicts_are_paid_for(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(daily=500)], [shop, pay])
    till.ledger._clock = lambda: till.now  # noqa: SLF001 - the ledger's events are of the story's time
    granted(till, till.gate(), shop, 2)
    till.ledger.record(resized("shop", 20))
    till.pass_by(HOUR / 2)
    till.ledger.record(resized("shop", 2))
    till.pass_by(HOUR / 2)
    granted(till, till.gate(), shop, 2)
    (day,) = till.told("shop")[-1].after["sums"]  # type: ignore[index]
    assert day["spent"] == pytest.approx(20 / 2 + 2 / 2)


def resized(fleet: str, size: int) -> Event:
    return Event(
        fleet=fleet,
        kind=EventKind.APPLIED,
        by=a_run(),
        reason="resized",
        call="resize to its load",
        after={"desired": size},
    )


def test_units_are_priced_as_units_before_the_first_verdict(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = a_fleet_of("shop", price_per_hour=1.0, units=4), a_fleet_of("pay", price_per_hour=1.0)
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    till.followed(shop, flat(till, 16), desired=16)
    assert granted(till, till.gate(), pay, 20) == 8, "sixteen units are four instances"


def test_a_bad_file_of_budgets_holds_back_what_is_judged_and_nothing_else(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [{**both(hourly=12), "weekly": 9}], [shop, pay])
    gate = till.gate()  # who lowers, stops or puts back never comes to it
    with pytest.raises(InvalidSetting, match=r"budgets\.yaml: budget 'both' has \['weekly'\]"):
        granted(till, gate, shop, 9)
    assert till.told("shop") == []


def test_a_bad_price_file_holds_back_only_what_it_would_price(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "own.yaml").write_text("rates: 7")
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    assert granted(till, till.gate(), shop, 9) == 9, "its file has a price"
    cloud.faults.add(service="pricing", error="AccessDeniedException")
    unpriced = replace(pay, policy=replace(pay.policy, price_per_hour=0.0))
    seen = replace(running(2), types=("t3.micro",), instances=(), zones=("us-east-1a",))
    claim = Claim(spec=unpriced, policy=unpriced.policy, plan=a_plan(9), observed=seen)
    with pytest.raises(InvalidSetting, match=r"own\.yaml: rates is 7"):
        till.gate().capped(claim, by=a_run(), now=till.now)


def test_a_bill_that_cannot_be_had_is_asked_for_again_a_while_later(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [{"name": "all", "daily": 500}], [shop, pay])
    cloud.faults.add(service="ce", error="AccessDeniedException")
    cloud.faults.forget_calls()
    for spec in (shop, pay):
        granted(till, till.gate(), spec, 4)
        assert "Cost Explorer is out of reach" in till.told(spec.name)[-1].reason
    assert cloud.calls()["ce.GetCostAndUsage"] == 1
    cloud.faults.clear()
    till.pass_by(HOUR / 3)
    granted(till, till.gate(), shop, 4)
    assert "Cost Explorer as of 2026-01-05 08:20 UTC, 1 paid request" in till.told("shop")[-1].reason


def test_a_bad_file_of_budgets_holds_back_no_lowering_at_the_load(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    (tmp_path / "budgets.yaml").write_text("budgets: [{name: web}]")
    life = Life(cloud, tmp_path, MONDAY, rights=("scale",))
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=6)
    group = life.reach(life.spec).observe()
    lower, higher = (
        Reaction(fleet="web", before=6, capacity=size, out=size > 6, reason="the load", decided_at=MONDAY)
        for size in (4, 9)
    )
    watched = {"web": Watched(spec=life.spec, group=group)}

    (raised,) = answer_all([higher], watched, life.around(), now=MONDAY)
    assert raised.failed
    assert "budgets.yaml: budget 'web' caps nothing" in raised.told
    (lowered,) = answer_all([lower], watched, life.around(), now=MONDAY)
    assert lowered.written
    assert life.reach(life.spec).observe().desired == 4


def test_what_was_seen_above_a_plan_an_hour_ago_is_paid_for_in_the_coming_hour(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    shop, pay = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=12)], [shop, pay])
    till.followed(shop, flat(till, 4), desired=9)
    till.pass_by(HOUR * 59 / 60)  # the next turns of both are about to come
    wanted = Plan((Step(till.now, 9, "the morning"), Step(till.now + 4 * HOUR, 2, "over")))
    claim = Claim(spec=pay, policy=pay.policy, plan=wanted, observed=running(2))
    plan = till.gate().capped(claim, by=a_run(), now=till.now).plan
    assert [plan.capacity_at(till.now + hours * HOUR) for hours in (0, 0.5, 1.5)] == [3, 3, 8]


def test_a_verdict_says_what_a_person_has_let_pass(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    shop, _ = two_fleets()
    till = Till(cloud, tmp_path, [both(hourly=5, at_cap="ask")], [shop])
    claim = Claim(spec=shop, policy=shop.policy, plan=flat(till, 9), observed=running(2), granted=8)
    assert till.gate().capped(claim, by=a_run(), now=till.now).plan.capacity_at(till.now) == 8
    assert till.told("shop")[-1].reason.endswith("; a person let up to 8 instances pass)")
