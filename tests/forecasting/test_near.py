"""The next minutes are told from the freshest points, and from nothing later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Demand, NotEnoughHistory
from forecasting.near import near_peak, near_peaks
from forecasting.synthetic import synthetic_demand

DAY = 288
TEN = timedelta(minutes=10)
START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("lead", [TEN, timedelta(hours=24), timedelta(hours=25), timedelta(days=7)], ids=str)
def test_nothing_later_is_known_however_long_the_lead(lead: timedelta) -> None:
    width = 1 + lead // timedelta(minutes=5)
    values = synthetic_demand(days=24, spike=4.0).values
    changed = values.copy()
    changed[22 * DAY + 100 :] *= 3
    before, after = (near_peaks(each, 22 * DAY, DAY, width) for each in (values, changed))
    np.testing.assert_array_equal(before[:101], after[:101])
    assert (after[101:] != before[101:]).any()


def test_the_peak_to_come_is_covered_about_as_often_as_is_worth_it() -> None:
    values = synthetic_demand(days=22, noise=0.08, seed=3).values
    peaks = near_peaks(values, 15 * DAY, DAY, 3)
    came = np.lib.stride_tricks.sliding_window_view(values[15 * DAY :], 3).max(axis=1)
    ready = peaks[: len(came)]
    assert 0.9 < (came <= ready).mean() < 1.0
    assert (ready / came).mean() < 1.25


def test_a_job_by_the_clock_is_expected_before_it_begins() -> None:
    values = synthetic_demand(days=10, cron=2.0, noise=0.02).values
    peaks = near_peaks(values, 8 * DAY, DAY, 2)
    jobs = np.arange(0, 2 * DAY, 12)
    assert (peaks[jobs] > 0.9 * values[8 * DAY + jobs]).mean() > 0.9


def test_a_higher_quantile_never_asks_for_less() -> None:
    values = synthetic_demand(days=10).values
    some, more = (near_peaks(values, 9 * DAY, DAY, 3, quantile) for quantile in (0.8, 0.95))
    assert (more >= some).all()


def test_the_present_is_the_first_slot_of_a_replay() -> None:
    demand = synthetic_demand(days=16)
    known = demand.between(demand.start, demand.end - TEN)
    replayed = near_peaks(demand.values[:-1], len(known), DAY, 3)
    assert near_peak(known, lead=TEN) == pytest.approx(replayed[0])


def test_gaps_are_bridged_by_what_was_known_last() -> None:
    values = synthetic_demand(days=16, gap=timedelta(hours=9)).values.copy()
    values[-6:] = np.nan
    peaks = near_peaks(values, 15 * DAY, DAY, 3)
    assert np.isfinite(peaks).all()


def test_too_short_a_history_is_refused() -> None:
    demand = synthetic_demand(days=1)
    with pytest.raises(NotEnoughHistory, match=r"1\.0 days of history: 2 are needed"):
        near_peak(demand, lead=TEN)
    assert np.isnan(near_peaks(demand.values, DAY // 2, DAY, 3)).all()


def test_a_demand_of_nothing_asks_for_nothing() -> None:
    nothing = Demand(synthetic_demand(days=1).start, timedelta(minutes=5), np.zeros(5 * DAY))
    assert near_peak(nothing, lead=TEN) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("days", [3, 10, 28])
@pytest.mark.parametrize("fresh", [0.0, 99.0, 150.0, 1_000.0])
def test_a_surprise_to_what_never_changed_asks_for_nothing_beyond_measure(days: int, fresh: float) -> None:
    values = np.append(np.full(days * DAY, 100.0), np.full(4, fresh))
    assert near_peak(Demand(START, TEN / 2, values), lead=TEN) <= 3.1 * max(fresh, 100.0)


@pytest.mark.parametrize("days", [3, 28])
@pytest.mark.parametrize("minutes", [1, 5])
def test_an_hourly_job_that_runs_on_for_an_hour_asks_for_nothing_beyond_measure(days: int, minutes: int) -> None:
    hours = np.arange(0, 24 * days + 10, minutes / 60) % 24
    values = np.where((hours >= 9) & (hours < 17) & (hours % 1 < 0.01), 1_000.0, 0.0)
    values[-60 // minutes :] = 1_000.0
    assert near_peak(Demand(START, timedelta(minutes=minutes), values), lead=TEN) <= 3_100.0
