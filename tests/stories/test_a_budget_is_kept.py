"""The promise: no plan passes its budget, whoever says what is spent, and what lowers a fleet is never held back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from budgeting import Till, a_fleet_of
from rights import connect, connect_with, keys_of
from telling import MONDAY, NINE, a_plan, a_run, an_order, carry_out, floors
from telling import a_fleet as the_group

from forecasting import Forecast
from forecasting.cost_verdict import Outcome
from predictive_scaling.cost_gate import Claim
from predictive_scaling.fleet_spec import FleetSpec, Shard
from predictive_scaling.fleets import Observed
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.look import Look
from predictive_scaling.lookout import Lookout
from predictive_scaling.sources.memory import MemorySource
from predictive_scaling.summary import keep_resized

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import sandbox
    from forecasting import Plan

HOUR = timedelta(hours=1)
PRICE = 0.0104  # a t3.micro in the sandbox's list


@pytest.fixture(autouse=True)
def _connection(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(cloud, monkeypatch, "costs")


def budget(name: str = "web", **caps: Any) -> dict[str, Any]:
    return {"name": name, "fleets": ["web"], **caps}


def peak(plan: Plan) -> int:
    return max(step.capacity for step in plan.steps)


def test_a_plan_is_clamped_at_the_cap_and_the_ledger_shows_the_sum(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(hourly=5 * PRICE)])

    gated = till.claimed(a_plan(4, 9, 6))
    carry_out(an_order(gated.plan), the_group(cloud), till.ledger)

    assert floors(cloud) == {"09:00": 4, "10:00": 5, "12:00": 2}
    (verdict,) = till.told()
    assert verdict.reason == (
        "budget web: clamped at the cap, hourly from Mon 10:00 UTC: $0.02 an hour committed + $0.07 asked = $0.09 of "
        "$0.05; at most 5 of 9 instances, $0.03 of what is asked (the ledger's own sum of instance-hours of 1 fleet "
        "since 2026-01-05 08:00 UTC)"
    )
    assert verdict.after is not None
    assert verdict.after["outcome"] == "clamped"


def test_above_the_cap_a_person_is_asked_and_what_fits_goes_ahead(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(hourly=5 * PRICE, at_cap="ask")])
    gated = till.claimed(a_plan(9))
    assert peak(gated.plan) == 5
    (asks,) = gated.asks
    assert asks.outcome is Outcome.ASK
    assert (asks.granted_peak, asks.asked_peak) == (5, 9)


def test_an_alert_lets_the_plan_pass(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(hourly=5 * PRICE, at_cap="alert")])
    gated = till.claimed(a_plan(9))
    assert peak(gated.plan) == 9
    assert till.told()[0].reason.startswith("budget web: passes, with a warning, the cap")


def test_fleets_are_shed_in_the_order_of_their_group(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    fleets = [a_fleet_of("pay"), a_fleet_of("shop"), a_fleet_of("batch")]  # all look at the same group
    group = {"name": "all three", "fleets": ["batch", "shop", "pay"], "hourly": 20 * PRICE, "at_cap": "shed"}
    till = Till(cloud, tmp_path, [group], fleets)

    peaks = {}
    for _ in range(2):  # of the others a turn knows what they left behind
        for number in (2, 0, 1):
            peaks[fleets[number].name] = peak(till.claimed(a_plan(9), fleet=number).plan)

    assert peaks == {"pay": 9, "shop": 9, "batch": 2}
    assert till.told("batch")[-1].after["outcome"] == "shed"  # type: ignore[index]
    assert till.told("pay")[-1].after["outcome"] == "within"  # type: ignore[index]


def test_what_a_fleet_has_above_its_plan_is_not_granted_to_another(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    group = {"name": "both", "fleets": ["shop", "pay"], "hourly": 12 * PRICE}
    till = Till(cloud, tmp_path, [group], [a_fleet_of("shop"), a_fleet_of("pay")])  # both look at the same group
    till.claimed(a_plan(4))
    raised = Observed(min_size=4, max_size=20, desired=9, in_service=9)
    keep_resized("shop", raised, till.statuses, now=till.now)

    held = till.claimed(a_plan(9), fleet=1).plan
    assert held.capacity_at(NINE) == 3, "the shop was seen with nine"
    assert held.capacity_at(MONDAY + HOUR) == 8, "an hour later it is believed to follow its plan of four"


def test_what_the_watch_saw_above_a_floor_before_the_first_turn_is_not_granted_to_another(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    group = {"name": "both", "fleets": ["shop", "pay"], "hourly": 12 * PRICE}
    till = Till(cloud, tmp_path, [group], [a_fleet_of("shop", price_per_hour=PRICE), a_fleet_of("pay")])
    raised = Observed(min_size=2, max_size=20, desired=9, in_service=9)
    keep_resized("shop", raised, till.statuses, now=till.now)
    assert till.statuses.of("shop") is None, "it had no turn"

    held = till.claimed(a_plan(9), fleet=1).plan
    assert held.capacity_at(NINE) == 3, "the shop was seen with nine"
    assert held.capacity_at(MONDAY + HOUR) == 9, "an hour later it is believed to be back at its floor of two"

    till.pass_by(2 * HOUR)
    later = till.claimed(a_plan(9, first=till.now), fleet=1).plan
    assert later.capacity_at(till.now) == 9, "what was seen long ago holds nothing"


def test_a_look_between_a_grant_and_its_being_written_gives_nothing_of_it_away(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    group = {"name": "both", "fleets": ["shop", "pay"], "hourly": 12 * PRICE}
    till = Till(cloud, tmp_path, [group], [a_fleet_of("shop", price_per_hour=PRICE), a_fleet_of("pay")])
    till.followed(till.fleets[0], a_plan(2))
    till.pass_by(timedelta(minutes=1))
    spec, observed = till.fleets[0], Observed(min_size=2, max_size=20, desired=2, in_service=2)
    claim = Claim(spec=spec, policy=spec.policy, plan=a_plan(9), observed=observed)
    till.gate().capped(claim, by=a_run(), now=till.now)
    till.pass_by(timedelta(seconds=30))
    till.statuses.keep_looks([Look.at_group("shop", observed, till.now)])

    assert till.claimed(a_plan(9), fleet=1).plan.capacity_at(NINE) == 3


@pytest.mark.usefixtures("cloud")
def test_a_watch_judges_by_the_fleets_of_every_shard_and_of_none(tmp_path: Path) -> None:
    for name, group, reaction in (("shop", "web", "{}"), ("pay", "gone", "{}"), ("batch", "batch", "null")):
        (tmp_path / f"{name}.yaml").write_text(
            f"{{name: {name}, group: {group}, metric: {{namespace: A, name: B}}, target_per_instance: 1, "
            f"min: 2, max: 9, reaction: {reaction}}}"
        )
    watched = set()
    for shard in ("1-of-2", "2-of-2"):
        lookout = Lookout(folder=tmp_path, shard=Shard.parse(shard), source=MemorySource())
        lookout.look(MONDAY)
        watched |= set(lookout.watched)
        assert {spec.name for spec in lookout.fleets} == {"shop", "pay", "batch"}
    assert watched == {"shop"}


def test_a_lowering_passes_though_all_money_is_spent(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(hourly=0, daily=0, monthly=0)])
    lower = a_plan(1, 0, base=1)
    assert till.claimed(lower).plan == lower


def test_an_account_is_billed_by_cost_explorer_and_each_paid_request_is_counted(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    till = Till(cloud, tmp_path, [{"name": "all", "daily": 1}])
    till.pass_by(6 * HOUR)
    cloud.faults.forget_calls()

    till.claimed(a_plan(4))
    till.pass_by(HOUR)
    gated = till.claimed(a_plan(4))
    till.pass_by(7 * HOUR)
    later = till.claimed(a_plan(4))

    assert cloud.calls()["ce.GetCostAndUsage"] == 2, "six hours are served from the storage"
    first = till.told()[0].after
    assert first is not None
    assert first["sums"][0]["spent"] == pytest.approx(2 * 6 * PRICE, rel=0.01)
    assert "Cost Explorer as of 2026-01-05 14:00 UTC, 1 paid requests this month, $0.01" in gated.notes[-1]
    assert "2 paid requests this month, $0.02" in later.notes[-1]


def of_two_connections(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch) -> list[FleetSpec]:
    """Give two fleets of one account, each with a connection of its own."""
    connect_with(keys_of(cloud, "costs"), cloud, monkeypatch, name="aws_other")
    return [a_fleet_of(), replace(a_fleet_of("shop", group="shop"), connection="aws_other")]


def test_an_account_that_two_connections_lead_to_is_billed_once(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till(cloud, tmp_path, [{"name": "all", "daily": 1}], of_two_connections(cloud, monkeypatch))
    till.pass_by(6 * HOUR)
    cloud.faults.forget_calls()

    gated = till.claimed(a_plan(4))

    (daily,) = gated.verdicts[0].sums
    assert daily.spent == pytest.approx(2 * 6 * PRICE, rel=0.01)
    assert cloud.calls()["ce.GetCostAndUsage"] == 1


def test_whose_account_a_connection_leads_to_is_asked_once_in_a_while_whether_or_not_it_is_told(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till(cloud, tmp_path, [{"name": "all", "daily": 1000}], of_two_connections(cloud, monkeypatch))
    cloud.faults.add(service="sts", error="AccessDenied")

    def asked() -> int:
        cloud.faults.forget_calls()
        till.claimed(a_plan(4))
        return cloud.calls().get("sts.GetCallerIdentity", 0)

    assert [asked(), asked()] == [1, 0], "who gave no answer is left alone for a while"
    cloud.faults.clear()
    till.pass_by(HOUR / 4)
    assert [asked(), asked()] == [2, 0], "the next task, or look of the watch, knows it"


def test_when_cost_explorer_fails_the_ledgers_own_sum_holds_the_cap_and_says_so(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    till = Till(cloud, tmp_path, [{"name": "all", "daily": 1}])
    till.claimed(a_plan(4))  # the meter begins
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=6)
    till.pass_by(HOUR)
    till.claimed(a_plan(4))
    cloud.faults.add(service="ce", error="AccessDeniedException")
    till.pass_by(6 * HOUR)

    gated = till.claimed(a_plan(4))

    (daily,) = gated.verdicts[0].sums
    assert daily.spent == pytest.approx((4 * 1 + 6 * 6) * PRICE, rel=0.01), "an hour at 2 to 6, six at 6"
    assert "the ledger's own sum of instance-hours of 1 fleet since 2026-01-05 08:00 UTC" in gated.notes[-1]
    assert "Cost Explorer is out of reach" in gated.notes[-1]
    assert "AccessDeniedException" in gated.notes[-1]


def test_the_meter_is_found_however_much_was_told_since(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(daily=1)])
    till.claimed(a_plan(4))
    till.ledger.record(*[Event(fleet="web", kind=EventKind.HELD, reason="no metric", by=a_run())] * 300)
    till.pass_by(HOUR)
    (daily,) = till.claimed(a_plan(4)).verdicts[0].sums
    assert daily.spent == pytest.approx(2 * PRICE, rel=0.01)


def test_what_was_spent_stays_spent_however_often_no_price_was_known_since(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    till = Till(cloud, tmp_path, [budget(daily=1)])
    till.claimed(a_plan(4))
    cloud.faults.add(service="pricing", error="AccessDeniedException")
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    till.pass_by(2 * HOUR)
    (tmp_path / "storage/costs/prices/us-east-1.json").unlink()
    for _ in range(12):
        assert till.claimed(a_plan(4)).verdicts == ()
    till.fleets = [a_fleet_of(price_per_hour=PRICE)]
    (daily,) = till.claimed(a_plan(4)).verdicts[0].sums
    assert daily.spent == pytest.approx((2 + 4) / 2 * 2 * PRICE, rel=0.01)


def test_the_meter_agrees_with_the_bill_of_the_cloud(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(daily=1)])
    till.claimed(a_plan(4))
    for size in (3, 8, 5, 5, 2, 7, 7, 7):
        cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=size)
        till.claimed(a_plan(4))  # looks at what was asked for
        till.pass_by(HOUR)
        till.claimed(a_plan(4))
    rows = cloud.client("ce").get_cost_and_usage(
        TimePeriod={"Start": "2026-01-05", "End": "2026-01-06"}, Granularity="DAILY", Metrics=["UnblendedCost"]
    )["ResultsByTime"]
    billed = float(rows[0]["Total"]["UnblendedCost"]["Amount"])
    spent = till.told()[-1].after["sums"][0]["spent"]  # type: ignore[index]
    assert spent == pytest.approx(billed, rel=0.1)


def test_without_budgets_nobody_is_asked_and_nothing_is_told(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [{"name": "another", "fleets": ["other"], "daily": 1}])
    cloud.faults.forget_calls()
    gated = till.claimed(a_plan(9))
    assert (peak(gated.plan), gated.notes, till.told()) == (9, (), [])
    assert not {name for name in cloud.calls() if name.startswith(("ce.", "pricing."))}


def test_a_plan_without_a_price_passes_and_says_so(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    cloud.faults.add(service="pricing", error="AccessDeniedException")
    till = Till(cloud, tmp_path, [budget(hourly=PRICE)])
    gated = till.claimed(a_plan(9))
    assert peak(gated.plan) == 9
    (told,) = till.told()
    assert "passes the budgets unjudged: no price of t3.micro on_demand in us-east-1 is known" in told.reason


def test_a_day_that_is_over_is_no_longer_counted(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    till = Till(cloud, tmp_path, [budget(daily=1, monthly=9)])
    till.claimed(a_plan(4))
    till.pass_by(MONDAY.replace(day=6, hour=2) - till.now)
    daily, *_, monthly = till.claimed(a_plan(4, first=till.now + HOUR)).verdicts[0].sums
    assert daily.spent == pytest.approx(2 * 2 * PRICE, rel=0.01)
    assert monthly.spent == pytest.approx(2 * 18 * PRICE, rel=0.01)


def test_the_chance_to_pass_a_cap_is_told_beside_the_sum(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    # 16 hours until midnight at 4, 6 and 12 instances: 64, 96 and 192 instance-hours; 20 is the most there may be.
    till = Till(cloud, tmp_path, [budget(daily=120 * PRICE)])
    flat = np.outer([400.0, 600.0, 1200.0], np.ones(192))
    made = Forecast(
        start=MONDAY.replace(second=0),
        step=timedelta(minutes=15),
        quantiles=(0.5, 0.9, 0.95),
        values=flat,
        engine="made",
        reason="for a test",
    )
    gated = till.claimed(a_plan(4), forecast=made)
    (event,) = till.told()
    chance = event.after["sums"][0]["chance"]  # type: ignore[index]
    assert (chance["least"], chance["most"]) == (0.05, 0.1)
    assert gated.notes[-1].count("(5% to 10%) that the load passes it") == 1
