"""A metric that fails, stops or has just begun: what it does not say lowers no plan, and makes none absurd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Demand, Policy, draw_plan, forecast, forecast_many
from forecasting.synthetic import synthetic_demand

FIVE, HOUR = timedelta(minutes=5), timedelta(hours=1)
WHOLE = synthetic_demand(days=31, step=FIVE, noise=0.06, seed=1)
NOW = 28 * 288 + 144
"""The history ends at noon, after four weeks."""
TRUTH = WHOLE.values[NOW:]
FULL = 288


def ending(change: slice, value: float, step: timedelta = FIVE) -> Demand:
    """Give the history with its last slots changed."""
    every = step // FIVE
    values = WHOLE.values[:NOW].reshape(-1, every).mean(axis=1)
    values[change] = value
    return Demand(WHOLE.start, step, values)


@pytest.mark.parametrize("slots", [1, 6, 12, 24, 35, 36, 48])
def test_a_failure_however_short_lowers_no_plan(slots: int) -> None:
    found = forecast(ending(slice(-slots, None), 0.0))

    assert (found.at(0.9)[:FULL] >= TRUTH[:FULL]).mean() > 0.8
    assert found.at(0.5)[:FULL] == pytest.approx(TRUTH[:FULL], rel=0.4)
    plan = draw_plan(found, Policy(1, 50, WHOLE.values.max() / 30, FIVE), now=found.start, current=20)
    assert plan.capacity_at(found.start) >= 20


def test_a_failure_is_named() -> None:
    assert "for 30m it is far below all it ever was at this time" in forecast(ending(slice(-6, None), 0.0)).reason
    assert "failure" not in forecast(ending(slice(-6, None), TRUTH[0] / 2)).reason


@pytest.mark.parametrize("step", [timedelta(minutes=1), timedelta(minutes=30), HOUR])
def test_a_failure_is_seen_at_any_step(step: timedelta) -> None:
    values = np.repeat(WHOLE.values[:NOW], 5) if step < FIVE else None
    demand = Demand(WHOLE.start, step, values) if values is not None else ending(slice(0), 0.0, step)
    known = demand.values.copy()
    known[-max(1, HOUR // step) :] = 0
    found = forecast(Demand(demand.start, step, known))
    first = found.at(0.9)[: 2 * HOUR // step]
    assert first.min() > 0.8 * TRUTH[:24].min()


def test_what_often_stands_still_does_not_fail() -> None:
    values = WHOLE.values[:NOW] * (np.random.default_rng(1).random(NOW) < 0.5)
    values[-3:] = 0
    assert "failure" not in forecast(Demand(WHOLE.start, FIVE, values)).reason


@pytest.mark.parametrize("days", [1, 4, 7, 14])
def test_the_longer_nothing_was_measured_the_less_sure_a_forecast_is(days: int) -> None:
    found = forecast(ending(slice(-days * FULL, None), np.nan))

    usual = forecast(ending(slice(0), 0.0))
    width = (found.at(0.9) / found.at(0.5)).mean()
    assert width >= 0.98 * (usual.at(0.9) / usual.at(0.5)).mean()
    assert (found.at(0.9)[:FULL] >= TRUTH[:FULL]).mean() > 0.85
    assert f"nothing was measured for {days}d: forecast from what was known before" in found.reason


@pytest.mark.parametrize(("days", "since"), [(1, 0.1), (3, 0.1), (5, 1.0), (7, 1.0), (10, 3.0)])
def test_days_that_nobody_measured_are_no_proof_of_how_good_a_forecast_is(days: int, since: float) -> None:
    end = -int(since * FULL)
    found, usual = forecast(ending(slice(end - days * FULL, end), np.nan)), forecast(ending(slice(0), 0.0))
    wide, as_usual = ((each.at(0.9) / each.at(0.5)).mean() - 1 for each in (found, usual))
    assert wide > 0.85 * as_usual


@pytest.mark.parametrize("every", [2, 3, 5, 60])
@pytest.mark.parametrize("minutes", [1, 5])
def test_what_is_measured_now_and_then_is_forecast_too(minutes: int, every: int) -> None:
    demand = synthetic_demand(days=10, step=timedelta(minutes=minutes), seed=2)
    values = np.full(len(demand), np.nan)
    values[::every] = demand.values[::every]
    found = forecast(Demand(demand.start, demand.step, values))
    assert 0.3 < found.at(0.5).mean() / demand.values.mean() < 3


@pytest.mark.parametrize("hours", [3, 6, 24, 36, 48, 72, 120])
def test_what_has_just_begun_is_forecast_by_what_came_since(hours: int) -> None:
    values = np.zeros(21 * FULL)
    values[-12 * hours :] = 100 * np.random.default_rng(0).normal(1, 0.05, 12 * hours)
    found = forecast(Demand(WHOLE.start, FIVE, values))

    assert found.at(0.5)[:FULL].mean() == pytest.approx(100, rel=0.05)
    assert found.at(0.95).max() < 1.5 * values.max()
    assert found.reason.endswith("there was nothing before")


def test_a_burst_that_is_over_was_no_beginning() -> None:
    values = np.zeros(21 * FULL)
    values[-12 * 8 : -12 * 2] = 100
    found = forecast(Demand(WHOLE.start, FIVE, values))
    assert "nothing before" not in found.reason
    assert found.at(0.5)[12:FULL].mean() < 20


@pytest.mark.parametrize("hours", [66, 69, 72, 75, 78])
def test_nights_and_a_weekend_of_nothing_are_no_time_before_the_beginning(hours: int) -> None:
    """Known from a Saturday afternoon on: the service is there from eight to six on weekdays."""
    time = np.arange(13, 13 + hours + 24, 1 / 12)
    hour, day = time % 24, 5 + time // 24
    load = np.where((hour >= 8) & (hour < 18) & (day % 7 < 5), 100.0, 0.0)
    start = datetime(2026, 1, 10, 13, tzinfo=UTC)
    found = forecast(Demand(start, FIVE, load[: 12 * hours]))
    night = ((hour < 7) | (hour > 19))[12 * hours :]
    assert "nothing before" not in found.reason
    assert found.at(0.5)[: len(night)][night].mean() < 30


def test_a_week_counts_from_monday_for_what_has_just_begun_too() -> None:
    """Its own days lie where they lie in the week, not where the empty ones began."""
    values = WHOLE.values[: 22 * FULL].copy()
    values[: 13 * FULL] = 0
    begun = forecast(Demand(WHOLE.start, FIVE, values))
    young = forecast(Demand(WHOLE.start + timedelta(days=13), FIVE, values[13 * FULL :]))
    assert begun.at(0.5) == pytest.approx(young.at(0.5), rel=1e-5)


@pytest.mark.parametrize("hours", [2, 3, 4])
def test_a_rise_tenfold_is_followed_as_soon_as_it_is_believed(hours: int) -> None:
    values = WHOLE.values[:NOW].copy()
    values[-12 * hours :] *= 10
    found = forecast(Demand(WHOLE.start, FIVE, values))
    assert found.at(0.5)[:FULL].mean() == pytest.approx(10 * TRUTH[:FULL].mean(), rel=0.15)


def test_a_silent_series_among_others_is_forecast_as_it_would_be_alone() -> None:
    failed, silent = ending(slice(-6, None), 0.0), ending(slice(-FULL, None), np.nan)
    begun, also = ending(slice(None, -FULL), 0.0), ending(slice(-6, None), 0.1)
    demands = {"usual": ending(slice(0), 0.0), "failed": failed, "silent": silent, "begun": begun, "also failed": also}
    together = forecast_many(demands)
    for name, demand in demands.items():
        alone = forecast(demand)
        assert together[name].values == pytest.approx(alone.values, rel=1e-5)
        assert together[name].reason == alone.reason
