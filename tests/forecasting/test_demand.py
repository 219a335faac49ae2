"""Demand keeps what was measured and shows what was not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import Demand, InvalidDemand, forecast

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def a_demand(*values: float) -> Demand:
    return Demand(MONDAY, FIVE, np.array(values))


def test_a_start_in_another_zone_is_stored_as_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    demand = Demand(datetime(2026, 1, 5, 9, tzinfo=tokyo), FIVE, np.array([1.0, 2.0]))
    assert demand.start == MONDAY
    assert demand.start.tzinfo is UTC


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(InvalidDemand, match="no time zone"):
        Demand(datetime(2026, 1, 5), FIVE, np.array([1.0]))  # noqa: DTZ001


def test_what_is_masked_is_missing() -> None:
    demand = Demand(MONDAY, FIVE, np.ma.masked_array([1.0, 999.0, 3.0], mask=[False, True, False]))
    assert demand == a_demand(1.0, np.nan, 3.0)


def test_a_step_that_is_no_time_is_refused() -> None:
    with pytest.raises(InvalidDemand, match="step 300 is no positive time"):
        Demand(MONDAY, 300, [1.0])  # type: ignore[arg-type]


def test_values_cannot_be_written_to() -> None:
    mine = np.array([1.0, 2.0])
    demand = Demand(MONDAY, FIVE, mine)
    mine[0] = 99.0
    assert demand.values[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        demand.values[0] = 99.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, float("inf")], "inf at index 1 is infinite"),
        ([1.0, 2.0, -3.0], "-3 at index 2 is negative"),
        ([], "non-empty"),
        ([[1.0]], "one-dimensional"),
        ([1.0, 1e308], r"1e\+308 at index 1 is above 1e\+15, .* count in a greater unit"),
        (["a"], r"values \['a'\] are not numbers"),
        ([1.0, [2.0]], "are not numbers"),
        ([{}], "are not numbers"),
    ],
)
def test_values_that_are_no_demand_are_refused_by_index(values: list[Any], words: str) -> None:
    with pytest.raises(InvalidDemand, match=words):
        Demand(MONDAY, FIVE, values)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [timedelta(days=100_000), timedelta.max])
def test_a_demand_without_an_end_in_the_calendar_is_refused(step: timedelta) -> None:
    with pytest.raises(InvalidDemand, match="check the"):
        Demand(MONDAY, step, np.array([1.0, 2.0]))


@given(st.floats(0, 1e15), st.floats(0, 1e15), st.sampled_from(["seasonal_naive", "ensemble_quick"]))
@settings(max_examples=30, deadline=None)
def test_every_demand_that_is_none_too_great_can_be_forecast(low: float, high: float, engine: str) -> None:
    """Whatever its size; a warning of numpy would fail this."""
    values = np.where(np.arange(24 * 8) % 24 < 12, low, high)
    found = forecast(Demand(MONDAY, timedelta(hours=1), values), engine=engine)
    assert np.isfinite(found.values).all()


def test_a_gap_stays_missing() -> None:
    demand = a_demand(1.0, float("nan"), 3.0)
    assert demand.missing == 1
    assert np.isnan(demand.values[1])


def test_what_was_known_before_an_instant_holds_only_closed_slots() -> None:
    demand = a_demand(1.0, 2.0, 3.0)
    assert len(demand.before(MONDAY + timedelta(minutes=14))) == 2
    assert demand.tail(timedelta(minutes=10)).start == MONDAY + FIVE
    assert demand.end == MONDAY + timedelta(minutes=15)


def test_nothing_between_two_instants_is_refused() -> None:
    demand = a_demand(1.0, 2.0, 3.0)
    with pytest.raises(InvalidDemand, match="the demand runs from"):
        demand.between(MONDAY + timedelta(days=1), MONDAY + timedelta(days=2))


def test_longer_slots_are_means_of_what_was_measured() -> None:
    demand = a_demand(9.0, 1.0, float("nan"), 3.0, float("nan"), float("nan"), float("nan"))
    coarse = demand.every(timedelta(minutes=15))
    assert coarse.end == demand.end
    assert coarse.values[0] == 2.0
    assert np.isnan(coarse.values[1])


@pytest.mark.parametrize("late", [0.05, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("present", [1.0, 0.2])
def test_rows_that_are_all_a_little_late_lie_on_the_grid_they_were_meant_for(late: float, present: float) -> None:
    random = np.random.default_rng(1)
    there = np.flatnonzero(random.random(7 * 288) < present)
    seconds = MONDAY.timestamp() + 300 * there + late * random.random(len(there))
    index = pd.DatetimeIndex([datetime.fromtimestamp(each, UTC) for each in seconds.tolist()])
    demand = Demand.from_series(pd.Series(there.astype(float), index=index))
    assert (demand.step, demand.start) == (FIVE, MONDAY + int(there[0]) * FIVE)
    assert demand.values[there - there[0]].tolist() == there.tolist()


def test_a_pandas_series_with_absent_rows_becomes_a_grid_with_gaps() -> None:
    index = pd.DatetimeIndex(["2026-01-05T01:00+01:00", "2026-01-05T01:05+01:00", "2026-01-05T01:15+01:00"])
    demand = Demand.from_series(pd.Series([1, 2, 4], index=index))
    assert demand == a_demand(1.0, 2.0, float("nan"), 4.0)


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (pd.Series([1.0, 2.0]), "DatetimeIndex"),
        (pd.Series([1.0], index=pd.DatetimeIndex(["2026-01-05"])), "no time zone"),
        (pd.Series(["a"], index=pd.DatetimeIndex(["2026-01-05"], tz="UTC")), "numbers"),
    ],
)
def test_a_series_that_is_no_demand_is_refused_with_the_mend(series: pd.Series, words: str) -> None:
    with pytest.raises(InvalidDemand, match=words):
        Demand.from_series(series)


def test_what_was_measured_later_goes_on_and_what_is_known_stays() -> None:
    known = a_demand(1.0, np.nan, 3.0)
    later = Demand(MONDAY + FIVE, FIVE, np.array([20.0, 30.0, np.nan, 50.0]))

    assert known.followed_by(later) == a_demand(1.0, 20.0, 3.0, np.nan, 50.0)
    with pytest.raises(InvalidDemand, match="do not follow on this grid"):
        later.followed_by(known)
    with pytest.raises(InvalidDemand, match="do not follow on this grid"):
        known.followed_by(Demand(MONDAY, 2 * FIVE, np.array([1.0])))


@pytest.mark.parametrize("step", [60, 300, 3600])
@pytest.mark.parametrize("late", [(0, 1), (0, 3), (0, 3, 2, 1), tuple(range(10))])
def test_rows_that_are_late_by_turns_lie_on_the_grid_they_were_meant_for(step: int, late: tuple[int, ...]) -> None:
    seconds = [1767571200 + step * row + late[row % len(late)] for row in range(500)]
    index = pd.to_datetime(seconds, unit="s", utc=True)
    demand = Demand.from_series(pd.Series(np.arange(500.0), index=index))
    assert (demand.step, demand.values.tolist()) == (timedelta(seconds=step), list(range(500)))
    assert MONDAY <= demand.start <= MONDAY + timedelta(seconds=max(late))
