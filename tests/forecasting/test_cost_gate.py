from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.local_airflow import ROOT
from forecasting import Forecast, InvalidPolicy, Plan, Policy, Step
from forecasting.budget import AtCap, Budget, Span, read_budgets, windows
from forecasting.cost_account import Account, Asked, Held, Spent
from forecasting.cost_forecast import SpendForecast
from forecasting.cost_gate import MORE_STEPS, beside, clamped
from forecasting.cost_verdict import Outcome

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def asking(*capacities: int, fleet: str = "web", price: float = 1.0, floor: int = 2, units: int = 1) -> Asked:
    """Ask for these capacities from 08:00 on, an hour each; the last one stays."""
    steps = (Step(MONDAY + hour * HOUR, size, f"{size} are needed") for hour, size in enumerate(capacities))
    return Asked(fleet=fleet, plan=Plan(tuple(steps)), price=price, floor=floor, units=units)


def sizes(plan: Plan) -> list[int]:
    return [step.capacity for step in plan.steps]


def test_a_plan_within_its_budget_comes_out_as_it_went_in() -> None:
    asked = asking(2, 5, 2)
    plan, verdict = clamped(asked, Budget(name="web", daily=100), Account(spent=Spent(day=10)), now=MONDAY)
    assert plan == asked.plan
    assert verdict.outcome is Outcome.WITHIN


def test_the_verdict_shows_the_whole_sum() -> None:
    # 16 hours of the day are left: 32 for the floor of 2; 3 + 6 asked above it.
    spent = Spent(day=10, month=40, source="the bill")
    plan, verdict = clamped(asking(2, 5, 8, 2), Budget(name="web", daily=48), Account(spent=spent), now=MONDAY)
    assert sizes(plan) == [2, 5, 2], "both hours at 5: 3 + 3 fit the 6 that are left"
    assert verdict.reason == (
        "budget web: clamped at the cap, daily 2026-01-05: $10.00 spent + $32.00 committed + $9.00 asked = $51.00 "
        "of $48.00; at most 5 of 8 instances, $6.00 of what is asked (the bill)"
    )
    assert verdict.as_json()["sums"][0]["total"] == 51


def test_a_plan_that_costs_just_its_cap_as_money_is_shown_is_granted_whole_in_the_verdict_too() -> None:
    asked = replace(asking(6, price=0.33336), plan=Plan((Step(MONDAY, 6, "day"), Step(MONDAY + 16 * HOUR, 2, "over"))))
    plan, verdict = clamped(asked, Budget(name="web", daily=32), Account(), now=MONDAY)
    assert (plan, verdict.outcome, verdict.sums[0].granted) == (asked.plan, Outcome.WITHIN, verdict.sums[0].asked)
    assert verdict.reason == (
        "budget web: within the cap, daily 2026-01-05: $0.00 spent + $10.67 committed + $21.34 asked = $32.00 of $32.00"
        " (nothing is known to be spent)"
    )


def test_a_verdict_on_today_does_not_tell_of_tomorrows_peak() -> None:
    steps = (Step(MONDAY, 7, "today"), Step(MONDAY + 16 * HOUR, 8, "tomorrow"), Step(MONDAY + 20 * HOUR, 2, "over"))
    asked = replace(asking(7), plan=Plan(steps))
    _, verdict = clamped(asked, Budget(name="web", daily=100), Account(spent=Spent(day=90)), now=MONDAY)
    assert "= $202.00 of $100.00; $0.00 of what is asked;" in verdict.reason


def test_a_step_says_who_held_it() -> None:
    plan, _ = clamped(asking(2, 8, 2), Budget(name="web", hourly=5), Account(), now=MONDAY)
    assert plan.steps[1].reason == "8 are needed; held at 5 of 8 by budget web"
    assert (plan.steps[1].bound, plan.steps[1].unbounded) == ("budget", 8)


def test_a_maximum_that_was_raised_for_a_step_is_lowered_with_it() -> None:
    steps = (Step(MONDAY, 2, "night", most=20), Step(MONDAY + HOUR, 30, "breach", most=30))
    asked = replace(asking(1), plan=Plan((*steps, Step(MONDAY + 2 * HOUR, 2, "over", most=20))))
    plan, _ = clamped(asked, Budget(name="web", hourly=8), Account(), now=MONDAY)
    assert [(step.capacity, step.most) for step in plan.steps] == [(2, 20), (8, 20), (2, 20)]
    plan, _ = clamped(asked, Budget(name="web", hourly=25), Account(), now=MONDAY)
    assert [(step.capacity, step.most) for step in plan.steps] == [(2, 20), (25, 25), (2, 20)]


def test_an_hourly_cap_counts_what_the_others_hold_at_that_instant() -> None:
    other = asking(1, 4, 1, fleet="shop")
    plan, verdict = clamped(asking(6, 6, 6), Budget(name="all", hourly=7), Account(others=(other,)), now=MONDAY)
    assert sizes(plan) == [6, 3, 6]
    assert "hourly from Mon 09:00 UTC: $6.00 an hour committed + $4.00 asked = $10.00 of $7.00" in verdict.reason


def test_a_plan_beside_one_that_changes_all_the_time_gets_few_more_steps() -> None:
    other = asking(*[1, 5] * 20, fleet="shop")
    steps = (Step(MONDAY, 6, "all day"), Step(MONDAY + 40 * HOUR, 2, "over"))
    asked = replace(asking(6), plan=Plan(steps))
    plan, _ = clamped(asked, Budget(name="all", hourly=9), Account(others=(other,)), now=MONDAY)
    assert sizes(plan) == [4, 2], "less than could be had every other hour, for AWS takes 125 actions a group"


def test_the_floor_is_never_cut_and_the_verdict_says_that_it_passes_the_cap() -> None:
    spent = Account(spent=Spent(day=90))
    plan, verdict = clamped(asking(2, 8, 2), Budget(name="web", daily=100), spent, now=MONDAY)
    assert sizes(plan) == [2, 2]
    assert "what is spent and committed passes it already, and no floor is cut" in verdict.reason


def test_a_plan_that_only_lowers_passes_though_the_money_is_gone() -> None:
    asked = asking(2, 1)  # someone lowered it below its usual floor
    plan, _ = clamped(asked, Budget(name="web", hourly=0, daily=0, monthly=0), Account(spent=Spent(day=9)), now=MONDAY)
    assert plan == asked.plan


def test_ask_holds_the_rest_back_and_alert_lets_it_pass() -> None:
    asked, budget = asking(2, 8, 2), Budget(name="web", hourly=5)
    held, asks = clamped(asked, replace(budget, at_cap=AtCap.ASK), Account(), now=MONDAY)
    let, warns = clamped(asked, replace(budget, at_cap=AtCap.ALERT), Account(), now=MONDAY)
    assert (sizes(held), asks.outcome) == ([2, 5, 2], Outcome.ASK)
    assert (let, warns.outcome) == (asked.plan, Outcome.ALERT)


def test_each_day_has_its_own_money() -> None:
    steps = (Step(MONDAY, 2, "night"), Step(MONDAY + 10 * HOUR, 6, "on"), Step(MONDAY + 30 * HOUR, 2, "over"))
    asked = replace(asking(1), plan=Plan(steps))
    today = Account(spent=Spent(day=30))  # 32 for the floor until midnight: nothing is left
    plan, _ = clamped(asked, Budget(name="web", daily=62), today, now=MONDAY)
    assert [(step.at.day, step.at.hour, step.capacity) for step in plan.steps] == [(5, 8, 2), (6, 0, 3), (6, 14, 2)]


def test_a_plan_that_an_hourly_cap_makes_level_keeps_to_the_money_of_each_day() -> None:
    evening = MONDAY + 14 * HOUR
    steps = tuple(Step(evening + hour * HOUR, size, "load") for hour, size in ((0, 8), (4, 9), (12, 8), (30, 9)))
    asked = Asked(fleet="web", plan=Plan(steps), price=1.0, floor=1)
    for spent, today in ((0.0, 6), (70.0, 1)):
        plan, _ = clamped(asked, Budget(name="web", hourly=6, daily=72), Account(spent=Spent(day=spent)), now=evening)
        tomorrow = replace(asked, plan=plan).cost(evening + 2 * HOUR, evening + 26 * HOUR)
        assert (plan.capacity_at(evening), tomorrow) == (today, 72.0)


def test_a_plan_that_one_budget_makes_level_keeps_to_the_next_ones_days() -> None:
    evening = MONDAY + 14 * HOUR
    asked = replace(asking(8, floor=1), plan=Plan((Step(evening, 8, "load"), Step(evening + 30 * HOUR, 9, "load"))))
    level, _ = clamped(asked, Budget(name="all", hourly=6), Account(), now=evening)
    plan, _ = clamped(replace(asked, plan=level), Budget(name="web", daily=72), Account(), now=evening)
    assert sizes(plan) == [6, 3, 3]


def test_the_cut_keeps_whole_instances_of_several_units() -> None:
    plan, _ = clamped(asking(4, 12, 4, floor=4, units=4), Budget(name="web", hourly=11), Account(), now=MONDAY)
    assert sizes(plan) == [4, 8, 4] or sizes(plan) == [4]
    assert max(sizes(plan)) == 8


def shared(budget: Budget) -> dict[str, int]:
    """Let three fleets ask for five each, in any order, until each knows what the others were granted."""
    standing = {name: asking(5, fleet=name, floor=1) for name in ("pay", "batch", "shop")}
    for _ in standing:
        for name in ("pay", "batch", "shop"):
            asked = asking(5, fleet=name, floor=1)
            plan, _ = clamped(asked, budget, Account(others=beside(name, standing.values(), budget)), now=MONDAY)
            standing[name] = replace(asked, plan=plan)
    return {name: max(sizes(each.plan)) for name, each in standing.items()}


def test_fleets_give_way_in_the_order_of_the_budget() -> None:
    budget = Budget(name="all", fleets=("batch", "shop", "pay"), hourly=14, at_cap=AtCap.SHED)
    assert shared(budget) == {"batch": 4, "shop": 5, "pay": 5}
    assert shared(replace(budget, hourly=8)) == {"batch": 1, "shop": 2, "pay": 5}


capacities = st.lists(st.integers(0, 30), min_size=1, max_size=60)
rates = st.none() | st.floats(0, 30)
money = st.none() | st.floats(0, 3000)


@settings(max_examples=300, deadline=None)
@given(capacities, capacities, rates, money, money, st.floats(0, 500), st.integers(0, 5))
def test_no_plan_passes_a_cap_rises_or_falls_below_its_floor(
    wanted: list[int],
    beside: list[int],
    hourly: float | None,
    daily: float | None,
    monthly: float | None,
    spent: float,
    floor: int,
) -> None:
    if hourly is daily is monthly is None:
        return
    now = MONDAY + timedelta(minutes=20)
    asked = asking(*wanted, price=0.7, floor=floor)
    account = Account(spent=Spent(day=spent, month=2 * spent), others=(asking(*beside, fleet="other", price=0.3),))
    budget = Budget(name="web", hourly=hourly, daily=daily, monthly=monthly)

    plan, verdict = clamped(asked, budget, account, now=now)

    for at in {step.at for step in (*plan.steps, *asked.plan.steps)}:
        most = asked.plan.capacity_at(at)
        assert min(most, floor) <= plan.capacity_at(at) <= most
    again, second = clamped(replace(asked, plan=plan), budget, account, now=now)
    assert again == plan, "what is granted is granted in full when it is asked for again"
    for each in second.sums:
        assert each.total <= max(each.cap, each.spent + each.committed) + 0.01
    assert all(each.granted <= each.asked + 1e-9 for each in verdict.sums)
    assert len(plan.steps) <= len(asked.plan.steps) + MORE_STEPS + len(wanted) // 24


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(capacities, st.integers(-5, 5)), max_size=4), st.floats(0, 50), st.floats(0, 50))
def test_plans_added_up_cost_what_they_cost_one_by_one(
    plans: list[tuple[list[int], int]], first: float, second: float
) -> None:
    now, starts = MONDAY + timedelta(minutes=20), [MONDAY + later * HOUR / 3 for _, later in plans]
    asks = [asking(*sizes_, price=0.3) for sizes_, _ in plans]
    moved = [
        replace(ask, plan=Plan(tuple(replace(step, at=step.at - MONDAY + start) for step in ask.plan.steps)))
        for ask, start in zip(asks, starts, strict=True)
    ]
    held = Held.of(moved, now)
    since, until = (now + min(first, second) * HOUR, now + max(first, second) * HOUR)
    assert held.rate_at(since) == pytest.approx(sum(each.rate_at(since) for each in moved))
    begun = [max(each.plan.start, now) for each in moved]
    before = sum(
        each.price * each.floor * max((min(start, until) - since) / HOUR, 0)
        for each, start in zip(moved, begun, strict=True)
    )
    assert held.cost(since, until) == pytest.approx(before + sum(each.cost(since, until) for each in moved), abs=1e-6)
    seen = [since + share * (until - since) / 50 for share in range(50)]
    assert held.most(since, until) >= max(held.rate_at(when) for when in seen) - 1e-9


def a_forecast(low: float, middle: float, high: float) -> Forecast:
    values = np.outer([low, middle, high], np.ones(48))
    return Forecast(
        start=MONDAY, step=HOUR, quantiles=(0.1, 0.5, 0.9), values=values, engine="made", reason="for a test"
    )


def a_demand(low: float = 200, middle: float = 400, high: float = 800) -> SpendForecast:
    return SpendForecast(forecast=a_forecast(low, middle, high), policy=Policy(2, 20, 100.0), price=1.0)


def chance(left: float, demand: SpendForecast, capacity: int = 2) -> tuple[float, float, float]:
    until = datetime(2026, 1, 6, tzinfo=UTC)
    found = demand.chance_to_pass(left, [(MONDAY, capacity, 16.0)], MONDAY, until)
    return round(found.likely, 3), round(found.least, 3), round(found.most, 3)


def test_the_chance_is_read_off_the_quantiles_of_the_money() -> None:
    # 16 hours: 32 at p10, 64 at p50, 128 at p90; never under the plan's 32, never over 20 instances' 320.
    assert chance(64, a_demand()) == (0.5, 0.1, 0.5)
    assert chance(96, a_demand()) == (0.3, 0.1, 0.5)
    assert chance(200, a_demand())[1:] == (0, 0.1)
    assert chance(40, a_demand())[1:] == (0.5, 0.9)


def test_what_is_certain_is_told_as_certain() -> None:
    assert chance(31, a_demand()) == (1, 1, 1), "the plan alone costs more"
    assert chance(320, a_demand()) == (0, 0, 0), "all that the fleet may have costs no more"
    assert chance(96, a_demand(), capacity=10) == (1, 1, 1)


def test_after_the_forecast_days_are_like_its_last() -> None:
    until = MONDAY + timedelta(days=10)
    found = a_demand().chance_to_pass(240 * 4.0, [(MONDAY, 2, 240.0)], MONDAY, until)
    assert round(found.likely, 3) == 0.5


def test_a_month_ends_where_the_calendar_says() -> None:
    first, second = windows(Span.MONTHLY, datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2026, 2, 1, 9, tzinfo=UTC))
    assert (str(first), first.end, str(second)) == ("January 2026", second.start, "February 2026")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("budgets: {web: 5}", "write a list"),
        ("budgets: [{name: web}]", "budget 'web' caps nothing: give hourly, daily or monthly"),
        ("budgets: [{name: web, daily: -1}]", "daily is -1: give an amount of 0 or more"),
        ("budgets: [{name: web, daily: 5, at_cap: stop}]", "at_cap 'stop': write clamp, ask, shed, alert"),
        ("budgets: [{name: web, daily: 5, at_cap: shed}]", "list two or more fleets"),
        ("budgets: [{name: web, weekly: 5}]", r"has \['weekly'\]: write name, fleets"),
        ("budgets: [{name: web, daily: 5, fleets: 7}]", "write `all` or a list"),
        ("budgets: [{name: a, daily: 5}, {name: a, daily: 6}]", "share a name"),
        ("budgets: [{name: , daily: 5}]", "has no name"),
        ("budgets: [{name: ../web, daily: 5}]", "has no usable name"),
        (f"budgets: [{{name: {'web ' * 20}, daily: 5}}]", "has no usable name"),
        ("budgets: [{name: web, daily: yes}]", "daily is True: give an amount"),
        ("budgets: [{name: web, daily: 5, bill: web}]", "has bill 'web': write a filter"),
        ("budgets: [{name: web, daily: 5, 1: 2, weekly: 3}]", r"has \[1, 'weekly'\]"),
    ],
)
def test_a_wrong_file_of_budgets_says_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "budgets.yaml"
    file.write_text(text)
    with pytest.raises(InvalidPolicy, match=message) as caught:
        read_budgets(file)
    assert str(file) in str(caught.value)


def test_the_sample_file_of_budgets_can_be_read() -> None:
    found = read_budgets(ROOT / "include" / "samples" / "budgets.yaml")
    assert [each.at_cap for each in found] == [AtCap.ASK, AtCap.SHED, AtCap.ALERT]
    assert [each.covers("api-checkout") for each in found] == [False, True, True]
