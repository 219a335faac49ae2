"""What happened once is no habit: a holiday, a burst or an outage of the past is not expected to come again."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasting import Demand, forecast
from forecasting.loss import wape
from forecasting.outliers import drawn_in
from forecasting.slots import Slots
from forecasting.synthetic import synthetic_demand

FIVE, DAY = timedelta(minutes=5), 288
WHOLE = synthetic_demand(days=31, step=FIVE, noise=0.04, weekend=0.5, seed=4)
"""It begins on a Monday."""
SLOTS = Slots(per_day=DAY, phase=0, horizon=DAY)
ENGINES = ("ensemble", "ensemble_quick", "prophet_batched", "prophet")


def known(days: int, strange: slice | None = None, factor: float = 0.0) -> Demand:
    """Give the first days of the story, with something strange in them."""
    values = WHOLE.values[: days * DAY].copy()
    if strange:
        values[strange] *= factor
    return Demand(WHOLE.start, FIVE, values)


def days(first: float, last: float) -> slice:
    """Give the slots of some days."""
    return slice(round(first * DAY), round(last * DAY))


def error(demand: Demand, engine: str = "ensemble") -> float:
    """Tell how far off the next day is forecast."""
    middle = forecast(demand, horizon=timedelta(days=1), engine=engine).at(0.5)
    return wape(WHOLE.values[len(demand) : len(demand) + DAY], middle)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_off_of_three_weeks_ago_does_not_make_its_weekday_quiet(engine: str) -> None:
    assert error(known(28, days(7, 8), 0.05), engine) < error(known(28), engine) + 0.01


@pytest.mark.parametrize("engine", ["ensemble", "prophet_batched"])
def test_a_day_off_of_last_week_is_not_expected_again(engine: str) -> None:
    assert error(known(28, days(21, 22), 0.05), engine) < error(known(28), engine) + 0.05


def test_a_burst_of_an_hour_is_not_expected_a_week_later() -> None:
    burst = days(21.5, 21.5 + 1 / 24)
    found = forecast(known(28, burst, 100.0), horizon=timedelta(days=1))
    assert found.at(0.5)[days(0.5, 0.55)] == pytest.approx(WHOLE.values[days(28.5, 28.55)], rel=0.25)


def test_an_outage_of_the_first_week_is_not_expected_in_the_second() -> None:
    assert error(known(9, days(2.2, 2.9), 0.02)) < error(known(9)) + 0.08


def test_a_rise_of_the_first_week_may_come_every_week() -> None:
    """A job that runs on Wednesdays has been seen once; the next one is on the way."""
    wednesday = np.where(np.arange(31 * DAY) // DAY % 7 == 2, 3.0, 1.0)
    values = (WHOLE.values * wednesday)[: 9 * DAY]
    middle = forecast(Demand(WHOLE.start, FIVE, values), horizon=timedelta(days=1)).at(0.5)
    assert middle.mean() > 1.5 * WHOLE.values[days(9, 10)].mean()


@pytest.mark.parametrize("known_days", [15, 22, 28])
def test_a_weekday_of_its_own_kind_is_a_habit(known_days: int) -> None:
    wednesday = np.where(np.arange(28 * DAY) // DAY % 7 == 2, 0.3, 1.0)
    logs = np.log(WHOLE.values[: 28 * DAY] * wednesday)[None, : known_days * DAY]
    assert np.abs(drawn_in(logs, SLOTS) - logs).mean() < 0.01


def test_a_closed_sunday_is_a_habit_from_the_second_one_on() -> None:
    sunday = np.where(np.arange(28 * DAY) // DAY % 7 == 6, 0.05, 1.0)
    for known_days in (10, 14, 21):
        logs = np.log(WHOLE.values[: 28 * DAY] * sunday)[None, : known_days * DAY]
        drawn = drawn_in(logs, SLOTS)[0]
        assert drawn[days(6, 7)] == pytest.approx(logs[0, days(6, 7)], abs=0.25), known_days


def test_a_level_that_lasts_for_days_is_no_outlier() -> None:
    logs = np.log(known(28, days(23, 28), 3.0).values)[None]
    assert drawn_in(logs, SLOTS)[0, days(25, 28)] == pytest.approx(logs[0, days(25, 28)], abs=0.15)


def test_growth_is_no_outlier() -> None:
    grown = np.log(known(28).values * np.linspace(1, 4, 28 * DAY))[None]
    assert np.abs(drawn_in(grown, SLOTS) - grown).mean() < 0.01


def test_noise_stays_as_it_is() -> None:
    logs = np.log(synthetic_demand(days=28, step=FIVE, noise=0.3, seed=2).values)[None]
    assert np.abs(drawn_in(logs, SLOTS) - logs).mean() < 0.01


def test_what_strays_is_drawn_in_only_as_far_as_noise_could_have_put_it() -> None:
    logs = np.log(known(28, days(10, 11), 20.0).values)[None]
    drawn, usual = drawn_in(logs, SLOTS)[0, days(10, 11)], np.log(WHOLE.values[days(10, 11)])
    assert (drawn - usual).mean() == pytest.approx(0.15, abs=0.1)


def test_less_than_a_week_tells_nothing_of_habits() -> None:
    logs = np.log(known(6, days(3, 4), 0.1).values)[None]
    assert drawn_in(logs, SLOTS) is logs


@pytest.mark.parametrize("now", [0.0, 0.3, 0.9])
def test_it_does_not_matter_at_what_time_the_history_ends(now: float) -> None:
    logs = np.log(known(29, days(10.25, 10.75), 0.1).values)[None, : round((28 + now) * DAY)]
    drawn = drawn_in(logs, SLOTS)[0]
    assert drawn[days(10.3, 10.7)] == pytest.approx(np.log(WHOLE.values[days(10.3, 10.7)]), abs=0.3)
    assert drawn[days(11, 27)] == pytest.approx(logs[0, days(11, 27)], abs=0.1)
