"""A plan puts capacity in place before the load, in few steps, each explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import Forecast, InvalidForecast, InvalidPlan, InvalidRequest, Plan, Policy, Step, draw_plan

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)


def a_forecast(*demand: float, start: datetime = MONDAY) -> Forecast:
    values = np.array([demand, demand], dtype=float)
    return Forecast(start=start, step=FIVE, quantiles=(0.5, 0.9), values=values, engine="by hand", reason="a test")


def a_peak() -> Forecast:
    """An hour at 1,000, an hour at 8,420, an hour at 1,000."""
    return a_forecast(*[1_000.0] * 12, *[8_420.0] * 12, *[1_000.0] * 12)


demands = st.lists(st.integers(0, 30_000), min_size=1, max_size=150)
policies = st.builds(
    Policy,
    st.integers(0, 5),
    st.integers(5, 60),
    st.integers(300, 2_000),
    st.integers(0, 40).map(lambda minutes: timedelta(minutes=minutes)),
    tolerance=st.sampled_from([0.0, 0.1, 0.3]),
    stabilisation=st.sampled_from([timedelta(0), FIVE, timedelta(minutes=20)]),
    granularity=st.sampled_from([MINUTE, FIVE, timedelta(hours=1)]),
)


@settings(max_examples=150, deadline=None)
@given(demands, policies, st.integers(0, 700), st.integers(2, 125), st.one_of(st.none(), st.integers(0, 70)))
def test_a_plan_never_falls_below_the_need_and_never_takes_too_many_steps(
    demand: list[int], policy: Policy, minutes: int, slots: int, current: int | None
) -> None:
    forecast = a_forecast(*demand)
    now = min(MONDAY + timedelta(minutes=minutes, seconds=30), forecast.end - MINUTE)
    plan = draw_plan(forecast, policy, now=now, current=current, slots=slots)
    instants = [step.at for step in plan.steps]
    assert len(plan.steps) <= slots
    assert instants == sorted(set(instants))
    assert all(at.second == at.microsecond == 0 for at in instants)
    assert plan.start <= now < plan.start + MINUTE
    assert all(policy.min_size <= step.capacity <= policy.max_size for step in plan.steps)
    for opens, value in zip(forecast.times(), demand, strict=True):
        need = policy.bounded(policy.needed(value))
        when = max(now, opens - policy.lead_time)
        while when < opens + FIVE:
            assert plan.capacity_at(when) >= need
            when += MINUTE
    if plan.steps[-1].at >= forecast.end:
        assert plan.steps[-1].capacity == policy.min_size
    else:
        assert plan.capacity_at(forecast.end) == policy.min_size


def test_a_raise_comes_early_and_a_lowering_after_the_load() -> None:
    plan = draw_plan(a_peak(), Policy(1, 40, 600, timedelta(minutes=6)), now=MONDAY)
    assert [(step.at - MONDAY, step.capacity) for step in plan.steps] == [
        (timedelta(0), 2),
        (timedelta(minutes=54), 15),
        (timedelta(minutes=125), 2),
        (timedelta(minutes=180), 1),
    ]


def test_every_step_says_why() -> None:
    plan = draw_plan(a_peak(), Policy(1, 40, 600, timedelta(minutes=6)), now=MONDAY, current=2)
    assert [step.reason for step in plan.steps] == [
        "p90 of 1,000 at Mon 00:00 UTC / 600 per instance = 2; stays at 2",
        "p90 of 8,420 at Mon 01:00 UTC / 600 per instance = 15; raised 6m early (lead time); from 2",
        "p90 of 1,000 at Mon 02:00 UTC / 600 per instance = 2; the most until Mon 03:00 UTC; lowered from 15",
        "the forecast ends at Mon 03:00 UTC: back to min_size 1 unless a newer plan comes; from 2",
    ]


def test_a_step_is_the_most_until_the_load_it_names_is_over_though_the_next_raise_begins_before() -> None:
    load = a_forecast(*[9_000.0] * 12, *[1_000.0] * 5, 1_100.0, *[9_000.0] * 12)
    policy = Policy(1, 40, 600, timedelta(minutes=8))
    lowered, raised = draw_plan(load, policy, now=MONDAY, current=15).steps[1:3]
    assert lowered.reason == (
        "p90 of 1,100 at Mon 01:25 UTC / 600 per instance = 2; the most until Mon 01:30 UTC; lowered from 15"
    )
    assert raised.at == MONDAY + timedelta(minutes=82), "8 minutes before the load of 01:30"


def test_reasons_are_told_in_the_time_zone_of_the_reader() -> None:
    plan = draw_plan(a_peak(), Policy(1, 40, 600), now=MONDAY, timezone="Europe/Berlin")
    assert "at Mon 02:00 CET" in plan.steps[1].reason


def test_a_cap_is_told_with_what_is_short() -> None:
    plan = draw_plan(a_peak(), Policy(1, 10, 600), now=MONDAY)
    assert plan.capacity_at(MONDAY + timedelta(minutes=90)) == 10
    assert "capped at max_size 10, 5 short of what is wanted" in plan.steps[1].reason


def test_the_floor_is_told() -> None:
    plan = draw_plan(a_peak(), Policy(4, 40, 600), now=MONDAY)
    assert "= 2; held at min_size 4" in plan.steps[0].reason
    assert plan.steps[-1].capacity == 4
    assert "forecast ends" not in plan.steps[-1].reason


def test_small_short_lowerings_are_no_steps() -> None:
    wobble = [12_000.0, 11_400.0] * 18
    tolerant = draw_plan(a_forecast(*wobble), Policy(1, 40, 600, FIVE, stabilisation=timedelta(0)), now=MONDAY)
    assert [step.capacity for step in tolerant.steps] == [20, 1]


def test_a_small_lowering_that_lasts_is_a_step() -> None:
    plan = draw_plan(a_forecast(*[12_000.0] * 12, *[11_400.0] * 36), Policy(1, 40, 600), now=MONDAY)
    assert [step.capacity for step in plan.steps] == [20, 19, 1]


def test_the_present_capacity_is_kept_through_a_wobble() -> None:
    plan = draw_plan(a_forecast(*[11_400.0] * 6, *[12_000.0] * 6), Policy(1, 40, 600), now=MONDAY, current=20)
    assert [step.capacity for step in plan.steps] == [20, 1]
    assert "stays at 20" in plan.steps[0].reason


def test_merging_joins_where_it_costs_least() -> None:
    stairs = [float(600 * size) for size in (2, 3, 9, 10, 20) for _ in range(12)]
    plan = draw_plan(a_forecast(*stairs), Policy(1, 40, 600, tolerance=0.0), now=MONDAY, slots=4)
    assert [step.capacity for step in plan.steps] == [3, 10, 20, 1]
    assert "joined with a neighbour" in plan.steps[0].reason


def test_a_forecast_made_in_the_past_is_used_from_now_on() -> None:
    plan = draw_plan(a_peak(), Policy(1, 40, 600), now=MONDAY + timedelta(minutes=90, seconds=20))
    assert plan.steps[0] == Step(
        MONDAY + timedelta(minutes=90), 15, "p90 of 8,420 at Mon 01:25 UTC / 600 per instance = 15; holds from now on"
    )


@pytest.mark.parametrize("current", [-1, 10**10])
def test_a_present_that_cannot_be_is_refused(current: int) -> None:
    with pytest.raises(InvalidRequest, match=f"current is {current}: give the capacity the fleet has now"):
        draw_plan(a_forecast(100.0), Policy(1, 9, 100.0), now=MONDAY, current=current)


def test_a_forecast_that_has_ended_is_refused() -> None:
    with pytest.raises(InvalidForecast, match=r"ended at 2026-01-05T03:00:00\+00:00, before now"):
        draw_plan(a_peak(), Policy(1, 40, 600), now=MONDAY + timedelta(hours=3))


@pytest.mark.parametrize("slots", [1, 126])
def test_a_number_of_steps_out_of_range_is_refused(slots: int) -> None:
    with pytest.raises(InvalidRequest, match=f"slots is {slots}"):
        draw_plan(a_peak(), Policy(1, 40, 600), now=MONDAY, slots=slots)


def test_equal_plans_have_equal_ids_and_different_ones_do_not() -> None:
    first, again = (draw_plan(a_peak(), Policy(1, 40, 600), now=MONDAY) for _ in range(2))
    other = draw_plan(a_peak(), Policy(2, 40, 600), now=MONDAY)
    assert first.plan_id == again.plan_id != other.plan_id
    assert len(first.plan_id) == 12


def test_json_gives_back_the_same_plan() -> None:
    plan = draw_plan(a_peak(), Policy(1, 40, 600), now=MONDAY)
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("text", ["", "[]", '{"format": "plan/0"}', '{"format": "plan/1", "steps": []}'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlan):
        Plan.from_json(text)


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(InvalidPlan, match="does not come after"):
        Plan((Step(MONDAY, 1, "a"), Step(MONDAY, 2, "b")))


def test_an_instant_before_the_plan_is_refused() -> None:
    plan = Plan((Step(MONDAY, 1, "a"),))
    with pytest.raises(InvalidPlan, match="lies before the plan"):
        plan.capacity_at(MONDAY - MINUTE)


@settings(max_examples=60, deadline=None)
@given(demands, st.sampled_from([0.0, 0.1, 0.5]), st.sampled_from([0.05, 0.3]))
def test_more_headroom_never_means_fewer_instances(demand: list[int], some: float, more: float) -> None:
    forecast = a_forecast(*demand)
    lean, ample = (
        draw_plan(forecast, Policy(0, 90, 600, tolerance=0.0, headroom=share), now=MONDAY)
        for share in (some, some + more)
    )
    instants = {step.at for plan in (lean, ample) for step in plan.steps}
    assert all(ample.capacity_at(at) >= lean.capacity_at(at) for at in instants)


def test_a_plan_drawn_again_from_what_it_holds_is_the_same() -> None:
    policy = Policy(1, 40, 600, timedelta(minutes=6))
    first = draw_plan(a_peak(), policy, now=MONDAY)
    again = draw_plan(a_peak(), policy, now=MONDAY, current=first.capacity_at(MONDAY))
    assert [(step.at, step.capacity) for step in again.steps] == [(step.at, step.capacity) for step in first.steps]


def test_a_day_of_23_hours_is_planned_by_the_hours_there_are() -> None:
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    forecast = a_forecast(*[600.0] * 12, *[6_000.0] * 12, start=spring)
    plan = draw_plan(forecast, Policy(1, 40, 600), now=spring, timezone="Europe/Berlin")
    assert plan.steps[1].at == spring + timedelta(minutes=55)
    assert "at Sun 03:00 CEST" in plan.steps[1].reason


@pytest.mark.parametrize(
    ("limits", "slots", "why"),
    [
        ({"cooldown_up": timedelta(hours=2)}, 125, "raised 1h5m early (to change no faster and no more often than"),
        ({}, 5, "raised 1h5m early; from 2; joined with a neighbour"),
    ],
)
def test_a_raise_earlier_than_the_lead_time_is_not_blamed_on_it(limits: dict[str, Any], slots: int, why: str) -> None:
    forecast = a_forecast(*[1_000.0] * 12, *[8_000.0] * 12, *[8_420.0] * 12, *[1_000.0] * 24, *[9_000.0] * 48)
    plan = draw_plan(forecast, Policy(1, 40, 600, FIVE, **limits), now=MONDAY, current=2, slots=slots)
    assert plan.steps[1].at == MONDAY + timedelta(minutes=55)
    assert why in plan.steps[1].reason
    assert "lead time" not in plan.steps[1].reason


def test_a_step_on_the_way_up_is_not_said_to_be_kept() -> None:
    forecast = a_forecast(*[1_000.0] * 12, *[4_000.0] * 12, *[8_420.0] * 12)
    limits: dict[str, Any] = {"max_step_up": 5, "cooldown_up": timedelta(minutes=10)}
    plan = draw_plan(forecast, Policy(1, 40, 600, FIVE, **limits), now=MONDAY, current=2)
    (between,) = [step for step in plan.steps if step.capacity == 10]
    assert "more before it is needed: to change no faster and no more often than the policy allows" in between.reason
    assert "kept" not in between.reason
    assert between.bound == "limits"
