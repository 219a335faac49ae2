"""Plans tell their grounds, are compared, and are made one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import Forecast, InvalidPlan, InvalidRequest, Plan, Policy, Step, draw_plan
from forecasting.plan_changes import changes, combined

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)


def a_forecast(*demand: float) -> Forecast:
    values = np.array([demand, demand], dtype=float)
    return Forecast(start=MONDAY, step=FIVE, quantiles=(0.5, 0.9), values=values, engine="by hand", reason="a test")


def a_plan(*sizes: int) -> Plan:
    return Plan(tuple(Step(MONDAY + index * HOUR, size, f"reason {size}") for index, size in enumerate(sizes)))


plans = st.lists(st.integers(0, 20), min_size=1, max_size=60).map(lambda sizes: a_plan(*sizes))


def test_a_step_carries_what_it_rests_on() -> None:
    policy = Policy(1, 10, 100, price_per_hour=0.5)
    plan = draw_plan(a_forecast(*[150.0] * 12, *[1_150.0] * 12, *[150.0] * 24), policy, now=MONDAY)
    step = plan.steps[1]
    assert (step.demand, step.quantile, step.unbounded, step.bound) == (1_150.0, 0.9, 12, "max_size")
    assert step.price_per_hour == pytest.approx(5.0)
    assert step.rejected == "to stay at 2 would leave 8 missing at p90"
    # An hour and 50 minutes at two instead of ten: the steps' own times.
    assert plan.steps[2].rejected == "to stay at 10 would leave 15.3 instance-hours idle, $7.67"


def test_the_costs_that_chose_the_quantile_are_told() -> None:
    policy = Policy(1, 10, 100, price_per_hour=1, shortage_cost=9).at_cost()
    plan = draw_plan(a_forecast(150.0), policy, now=MONDAY)
    assert "= 2 (p90, for an hour short costs 9, an idle one 1)" in plan.steps[0].reason


def test_json_gives_back_the_grounds() -> None:
    plan = draw_plan(a_forecast(*[150.0] * 12, *[1_150.0] * 12), Policy(1, 10, 100, price_per_hour=0.5), now=MONDAY)
    again = Plan.from_json(plan.to_json())
    assert [repr(step) for step in again.steps] == [repr(step) for step in plan.steps]
    assert again.plan_id == plan.plan_id


@settings(deadline=None)
@given(plans, plans)
def test_changes_lead_from_the_old_plan_to_the_new(old: Plan, new: Plan) -> None:
    found = changes(old, new)
    for minutes in range(0, 61 * 60, 30):
        when = MONDAY + timedelta(minutes=minutes)
        inside = [each for each in found if each.start <= when and (each.end is None or when < each.end)]
        if old.capacity_at(when) == new.capacity_at(when):
            assert inside == []
        else:
            (change,) = inside
            assert (change.before, change.after) == (old.capacity_at(when), new.capacity_at(when))


def test_a_change_says_what_moved() -> None:
    old, new = (
        draw_plan(a_forecast(*[demand] * 24), Policy(1, size, 100), now=MONDAY)
        for demand, size in ((500.0, 40), (900.0, 8))
    )
    (change,) = changes(old, new)
    assert (change.before, change.after) == (5, 8)
    assert "demand seen 500 -> 900; bound none -> max_size; p90 of 900" in change.reason
    assert str(change).startswith("Mon 00:00 to Mon 02:00 UTC: 5 -> 8; demand seen")


@settings(deadline=None)
@given(plans, plans, st.integers(2, 125))
def test_several_metrics_are_all_served_within_the_number_of_steps(one: Plan, other: Plan, slots: int) -> None:
    both = combined({"requests": one, "messages": other}, slots)
    assert len(both.steps) <= slots
    for minutes in range(0, 61 * 60, 30):
        when = MONDAY + timedelta(minutes=minutes)
        assert both.capacity_at(when) >= max(one.capacity_at(when), other.capacity_at(when))
    assert both.steps[-1].capacity == max(one.steps[-1].capacity, other.steps[-1].capacity)


def test_the_metric_that_asks_for_most_is_named() -> None:
    both = combined({"requests": a_plan(4, 2), "messages": a_plan(3, 9)})
    assert [step.reason for step in both.steps] == [
        "requests: reason 4; beside messages 3",
        "messages: reason 9; beside requests 2",
    ]


def test_plans_for_different_moments_are_not_combined() -> None:
    later = Plan((Step(MONDAY + HOUR, 1, "a"),))
    with pytest.raises(InvalidPlan, match="draw them for one moment"):
        combined({"a": a_plan(1), "b": later})
    with pytest.raises(InvalidRequest, match="0 plans for 125 steps"):
        combined({})
