"""Several loads of one fleet: whoever needs most at a moment is what the fleet is held against, and what it orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import Demand, InvalidRequest, Policy
from forecasting.comparison import outcomes
from forecasting.evidence import Evidence, Load, forecast_past, gather
from forecasting.foresight import Foresight
from forecasting.gate import judge
from forecasting.rehearsal import Rehearsal
from forecasting.together import Together, greatest, needs

if TYPE_CHECKING:
    from forecasting.rehearsal import Mode

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE, QUARTER, BOOT = timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=10)
POLICY = Policy(1, 50, 100.0, BOOT)
LOADS = st.lists(st.floats(0, 3_000) | st.just(float("nan")), min_size=24, max_size=24).filter(
    lambda values: not all(np.isnan(values[12:]))
)


def a_demand(values: list[float], step: timedelta = FIVE) -> Demand:
    return Demand(MONDAY, step, np.array(values))


def rehearsed(demand: Demand) -> Rehearsal:
    return Rehearsal(demand, since=MONDAY + timedelta(hours=1))


def wandering(days: int, *, level: float) -> Demand:
    steps = np.random.default_rng(3).normal(0, 0.05, days * 96)
    return Demand(MONDAY, QUARTER, level * np.exp(np.clip(np.cumsum(steps), -1.0, 1.0)))


def daily(days: int, *, top: float, busy: range) -> Demand:
    hours = np.arange(days * 96) / 4 % 24
    noise = np.exp(np.random.default_rng(4).normal(0, 0.02, days * 96))
    return Demand(MONDAY, QUARTER, np.where((hours >= busy.start) & (hours < busy.stop), top, top / 20) * noise)


def evidence_of(**loads: tuple[Demand, float]) -> Evidence:
    past = forecast_past({name: demand for name, (demand, _) in loads.items()}, engine="seasonal_naive")
    lived = []
    for name, (demand, target) in loads.items():
        made = past[name]
        assert isinstance(made, dict)
        lived.append(Load(name=name, demand=demand, target_per_instance=target, past=made))
    return gather(lived, replace(POLICY, target_per_instance=lived[0].target_per_instance), BOOT)


@given(first=LOADS, second=LOADS, target=st.floats(20, 500))
def test_the_need_and_the_order_of_several_loads_are_the_greatest_of_each(
    first: list[float], second: list[float], target: float
) -> None:
    one, two = rehearsed(a_demand(first)), rehearsed(a_demand(second))
    alone = (
        one.steered(POLICY, "reactive", BOOT),
        two.steered(replace(POLICY, target_per_instance=target), "reactive", BOOT),
    )

    both = Together(one, (two, target)).steered(POLICY, "reactive", BOOT)

    assert both.ordered.tolist() == np.maximum(alone[0].ordered, alone[1].ordered).tolist()
    unknown = (alone[0].needed < 0) | (alone[1].needed < 0)
    assert both.needed.tolist() == np.where(unknown, -1, np.maximum(alone[0].needed, alone[1].needed)).tolist()


@pytest.mark.parametrize("mode", ["predictive", "floor", "hybrid", "aws_hourly", "hist"])
def test_in_every_mode_each_load_is_foretold_by_itself_and_the_greatest_order_is_given(mode: Mode) -> None:
    naive = Foresight(engine="seasonal_naive")
    day, night = daily(10, top=1_000, busy=range(8, 20)), daily(10, top=70, busy=range(20, 24))
    one, two = (Rehearsal(each, since=each.end - timedelta(hours=18), foresight=naive) for each in (day, night))

    both = Together(one, (two, 10.0)).steered(POLICY, mode, BOOT)

    alone = one.steered(POLICY, mode, BOOT), two.steered(replace(POLICY, target_per_instance=10.0), mode, BOOT)
    assert both.ordered.tolist() == np.maximum(alone[0].ordered, alone[1].ordered).tolist()
    assert (both.ordered != alone[0].ordered).any()
    assert (both.ordered != alone[1].ordered).any()


@given(values=LOADS)
def test_one_load_together_with_no_other_is_itself(values: list[float]) -> None:
    alone, together = rehearsed(a_demand(values)), Together(rehearsed(a_demand(values)))
    for first, second in (
        (alone.steered(POLICY, "reactive", BOOT), together.steered(POLICY, "reactive", BOOT)),
        (alone.still(POLICY, BOOT), together.still(POLICY, BOOT)),
    ):
        assert (first.since, first.tick, first.mode) == (second.since, second.tick, second.mode)
        assert (first.ordered.tolist(), first.needed.tolist()) == (second.ordered.tolist(), second.needed.tolist())


def test_loads_of_different_periods_meet_on_the_finer_one_for_as_long_as_both_were_measured() -> None:
    slow = a_demand([100.0, 400.0, float("nan"), 100.0], QUARTER)
    fast = Demand(MONDAY + FIVE, FIVE, np.array([30.0, 0.0, 90.0, 0.0, 0.0, 0.0, 0.0]))
    each = needs([(slow, 100.0), (fast, 10.0)])
    found = greatest(each)
    assert (found.start, found.step) == (MONDAY + FIVE, FIVE)
    np.testing.assert_array_equal(found.values, [3, 1, 9, 4, 4, np.nan, np.nan])
    np.testing.assert_array_equal(each[0].values, [1, 1, 4, 4, 4, np.nan, np.nan])


def test_loads_that_were_never_measured_at_one_time_are_refused_with_both_instants() -> None:
    early, late = a_demand([1.0, 2.0]), Demand(MONDAY + timedelta(days=1), FIVE, np.ones(3))
    with pytest.raises(InvalidRequest, match=r"one begins 2026-01-06T00:00:00\+00:00, another ends 2026-01-05T00:10"):
        needs([(early, 1.0), (late, 1.0)])


def test_static_capacity_is_that_of_the_highest_peak_of_any_load() -> None:
    requests, memory = a_demand([100.0] * 18 + [300.0] * 6), a_demand([20.0] * 18 + [180.0] + [20.0] * 5)
    (found,) = outcomes(Together(rehearsed(requests), (rehearsed(memory), 30.0)), {"web": POLICY}, modes=("static",))
    assert set(found.course.ordered.tolist()) == {6}
    assert found.card.under_time_share == 0


def test_a_load_that_needs_most_and_has_no_rhythm_keeps_the_fleet_reactive_and_is_named() -> None:
    requests = (daily(21, top=1_000, busy=range(8, 20)), 100.0)
    alone = judge(evidence_of(requests=requests), max_extra_cost=0.25)

    both = evidence_of(requests=requests, memory=(wandering(21, level=400), 10.0))
    verdict = judge(both, max_extra_cost=0.25)

    assert alone.passed
    assert not verdict.passed
    assert verdict.reason.startswith("no rhythm: ")
    assert verdict.reason.endswith("% of the time memory needed the most")
    assert both.deciding["memory"] > 0.8


def test_a_load_that_never_decides_leaves_the_evidence_as_it_is_but_for_its_name() -> None:
    requests = (daily(21, top=1_000, busy=range(8, 20)), 100.0)
    alone, both = evidence_of(requests=requests), evidence_of(requests=requests, memory=(wandering(21, level=1), 100.0))
    assert both.deciding == {"requests": 1.0, "memory": 0.0}
    assert replace(both, deciding={}) == alone


def test_a_fleet_of_a_day_load_and_a_night_load_needs_the_forecast_of_both() -> None:
    day, night = (daily(21, top=1_000, busy=range(8, 20)), 100.0), (daily(21, top=70, busy=range(20, 24)), 10.0)
    found = evidence_of(day=day, night=night)
    assert found.deciding["night"] == pytest.approx(1 / 6, abs=0.02)
    assert judge(found, max_extra_cost=0.25).passed
    assert found.floor.needed_hours > evidence_of(day=day).floor.needed_hours
    assert found.floor.under_time_share < found.reactive.under_time_share


@pytest.mark.parametrize("headroom", [0.0, 0.3, 10.0])
def test_where_no_headroom_makes_reacting_as_safe_the_most_there_may_be_is_compared(headroom: float) -> None:
    day = daily(15, top=1_000, busy=range(8, 20))
    past = forecast_past({"day": day}, engine="seasonal_naive")["day"]
    assert isinstance(past, dict)
    load = Load(name="day", demand=day, target_per_instance=50.0, past=past)
    found = gather([load], Policy(1, 900, 50.0, BOOT, headroom=headroom, quantile=0.99), BOOT)
    assert found.as_safe.instance_hours >= found.reactive.instance_hours


def test_loads_of_which_one_has_a_shorter_history_are_judged_by_the_days_of_the_shorter() -> None:
    requests, memory = daily(21, top=1_000, busy=range(8, 20)), daily(21, top=70, busy=range(20, 24))
    found = evidence_of(requests=(requests, 100.0), memory=(memory.tail(timedelta(days=15)), 10.0))
    assert found.floor.until - found.floor.since == timedelta(days=7)
    assert found.floor.until == requests.end
