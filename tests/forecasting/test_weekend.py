"""A week is learnt as its people keep it: by the days they rest on, and by the clocks they live by."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasting import Demand, forecast, forecast_many
from forecasting.loss import wape
from forecasting.panel import phase_of
from forecasting.slots import Slots
from forecasting.synthetic import synthetic_demand
from forecasting.weekend import weekends

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def resting(late: timedelta, *, days: float = 28, step: timedelta = HOUR / 4, **habits: float) -> Demand:
    """Give demand whose people rest so long after Saturday 00:00."""
    some = synthetic_demand(days=days, step=step, **habits)  # type: ignore[arg-type]
    return Demand(some.start + late, step, some.values)


def found_in(demand: Demand, expected: timedelta = timedelta(0)) -> timedelta:
    per_day = DAY // demand.step
    slots = Slots(per_day=per_day, phase=phase_of(demand.start.replace(tzinfo=None), demand.step), horizon=per_day)
    return int(weekends(demand.values[None], slots, expected // demand.step)[0]) * demand.step


@pytest.mark.parametrize("days", [9.0, 13.0, 16.0, 28.0])
@pytest.mark.parametrize("late", [-2 * DAY, -DAY, -5 * HOUR, DAY])
def test_who_rests_at_another_time_is_forecast_as_well_as_who_rests_on_saturday(late: timedelta, days: float) -> None:
    usual: list[float] = []
    moved: list[float] = []
    for begin in (0.0, 2.0, 4.0, 5.5):
        whole = resting(timedelta(0), days=begin + days + 2, weekend=0.4)
        known, truth = whole.values[int(96 * begin) : -192], whole.values[-192:]
        for errors, start in ((usual, whole.start), (moved, whole.start + late)):
            errors.append(wape(truth, forecast(Demand(start + begin * DAY, whole.step, known)).at(0.5)))
    assert np.mean(moved) < 1.25 * np.mean(usual)


@pytest.mark.parametrize("late", [-3 * DAY, -31 * HOUR, 9 * HOUR, 2 * DAY])
@pytest.mark.parametrize("step", [HOUR / 12, HOUR, 3 * HOUR, timedelta(minutes=45), timedelta(minutes=9)])
def test_from_two_weeks_on_a_weekend_is_seen_wherever_it_lies(late: timedelta, step: timedelta) -> None:
    some = resting(timedelta(0), days=21, weekend=0.4)
    times = np.arange(21 * DAY // step) * (step / some.step)
    demand = Demand(some.start, step, np.interp(times, np.arange(len(some)), some.values))
    moved = late // step * step
    assert abs(found_in(Demand(demand.start + moved, step, demand.values)) - moved) <= max(2 * HOUR, step)


def test_a_country_tells_when_it_rests_before_any_weekend_was_seen() -> None:
    usual = resting(timedelta(0), days=4, weekend=0.3)
    moved = Demand(usual.start - DAY, usual.step, usual.values)
    as_there = forecast(moved, country="SA")
    np.testing.assert_allclose(as_there.at(0.5), forecast(usual).at(0.5), rtol=1e-6)
    assert "; its weekend begins on Friday at 00:00" in as_there.reason
    assert "weekend begins" not in forecast(usual, country="DE").reason


@pytest.mark.parametrize("days", [5, 9, 14, 28])
def test_who_rests_as_most_do_or_never_is_told_nothing(days: float) -> None:
    for seed in range(8):
        for weekend in (0.4, 0.8, 1.0, 1.3):
            assert found_in(resting(timedelta(0), days=days, weekend=weekend, noise=0.2, seed=seed)) == timedelta(0)


@pytest.mark.parametrize(("days", "ago"), [(9, 7), (13, 3), (14, 3), (14, 12), (21, 11), (28, 13)])
@pytest.mark.parametrize("weekend", [0.5, 1.0])
def test_two_days_that_went_wrong_are_no_weekend(days: int, ago: int, weekend: float) -> None:
    demand = resting(timedelta(0), days=days, weekend=weekend)
    values = demand.values.copy()
    values[len(values) - 96 * ago :][: 96 * 2] *= 0.1
    assert found_in(Demand(demand.start, demand.step, values)) == timedelta(0)


@pytest.mark.parametrize("late", range(7), ids=str)
@pytest.mark.parametrize("days", [7, 8, 12])
@pytest.mark.parametrize("stepped", [(-192, None), (-144, None), (0, 144), (0, 192)], ids=str)
def test_a_level_that_stepped_is_no_weekend(stepped: tuple[int, int | None], days: int, late: int) -> None:
    demand = resting(late * DAY, days=days, weekend=1.0)
    values = demand.values.copy()
    values[slice(*stepped)] *= 2.5
    assert found_in(Demand(demand.start, demand.step, values)) == timedelta(0)


def test_a_weekend_that_was_seen_once_is_known_a_day_after_it_is_over() -> None:
    whole = resting(-DAY, weekend=0.4)
    found = [found_in(Demand(whole.start, whole.step, whole.values[: 96 * days])) for days in (7, 8, 9)]
    assert found == [timedelta(0), -DAY, -DAY]


@pytest.mark.parametrize("days", [8, 9, 13])
def test_a_service_of_all_the_world_rests_on_saturday_wherever_its_country_does(days: int) -> None:
    demand = resting(timedelta(0), days=days, weekend=0.4)
    assert [found_in(demand, late) for late in (-2 * DAY, -DAY)] == [timedelta(0), timedelta(0)]


def test_what_nobody_measured_and_what_is_absurd_hides_no_weekend() -> None:
    demand = resting(-DAY, weekend=0.4)
    values = demand.values.copy()
    values[300:420], values[1500], values[-30:] = np.nan, 1e9, np.nan
    assert found_in(Demand(demand.start, demand.step, values)) == -DAY


def test_each_of_many_keeps_its_own_week() -> None:
    demands = {str(late): resting(late * HOUR, days=15, weekend=0.4) for late in (0, -24, -5, 24)}
    demands = {name: demand.before(demands["-24"].end) for name, demand in demands.items()}
    for name, together in forecast_many(demands).items():
        alone = forecast(demands[name])
        np.testing.assert_allclose(together.values, alone.values, rtol=1e-5)
        assert together.reason == alone.reason


@pytest.mark.parametrize("engine", ["ensemble_quick", "prophet_batched", "prophet"])
def test_every_engine_that_knows_weekends_keeps_the_week_of_the_series(engine: str) -> None:
    usual, moved = (forecast(resting(late, days=28, weekend=0.4), engine=engine) for late in (timedelta(0), -DAY))
    np.testing.assert_allclose(moved.at(0.5), usual.at(0.5), rtol=0.01)
