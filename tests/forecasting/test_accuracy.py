"""What the ensemble promises, on invented demand whose future is known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasting import Demand, forecast_many
from forecasting import forecast as make_forecast
from forecasting.loss import coverage, geometric_mean, wape
from forecasting.synthetic import synthetic_demand

STEP = timedelta(minutes=15)
DAY = 96


def a_panel() -> dict[str, Demand]:
    """Give thirty days of twelve fleets with habits and accidents of their own."""
    return {
        str(seed): synthetic_demand(
            days=30,
            step=STEP,
            weekend=(0.3, 0.7, 1.0)[seed % 3],
            growth=(0.0, 0.08)[seed % 2],
            noise=(0.05, 0.1, 0.2)[seed % 3],
            spike=(None, 4.0)[seed % 2],
            seed=seed,
        )
        for seed in range(12)
    }


def known(demand: Demand, days: int = 28) -> Demand:
    return Demand(demand.start, demand.step, demand.values[: days * DAY])


@pytest.mark.parametrize(("engine", "share"), [("ensemble", 0.8), ("ensemble_quick", 0.85), ("prophet_batched", 1.0)])
def test_an_engine_beats_repeating_last_week_and_knows_how_sure_it_is(engine: str, share: float) -> None:
    panel = a_panel()
    # Some end before a weekend, some within, some after.
    ends = {name: 22 + int(name) % 7 for name in panel}
    histories = {name: known(demand, days=ends[name]) for name, demand in panel.items()}
    made = forecast_many(histories, engine=engine)
    naive = forecast_many(histories, engine="seasonal_naive")
    truth = {name: demand.values[ends[name] * DAY :][: 2 * DAY] for name, demand in panel.items()}
    ratios = [wape(truth[name], made[name].at(0.5)) / wape(truth[name], naive[name].at(0.5)) for name in panel]
    assert geometric_mean(ratios) < share
    assert 0.84 < np.mean([coverage(truth[name], made[name].at(0.9)) for name in panel]) < 0.96


def test_a_weekend_seen_once_is_expected_again() -> None:
    """Eleven days from a Monday end with a Thursday; a day later it is Saturday, a third of a weekday."""
    demand = synthetic_demand(days=14, step=STEP, weekend=0.3, noise=0.03)
    made = make_forecast(known(demand, days=11), engine="ensemble", horizon=timedelta(days=3))
    assert wape(demand.values[12 * DAY :], made.at(0.5)[DAY:]) < 0.35


@pytest.mark.parametrize("factor", [4.0, 0.4])
def test_a_step_that_came_at_once_and_stayed_is_followed(factor: float) -> None:
    changed = synthetic_demand(days=27.5, step=STEP, shift=(timedelta(hours=3), factor))
    truth = synthetic_demand(days=30, step=STEP).values[len(changed) :] * factor
    made = make_forecast(changed, engine="ensemble")
    assert "its level changed" in made.reason
    assert "p50 follows" in made.reason
    hour = DAY // 24
    for hours in (1, 24, 48):
        around = slice(hour * (hours - 1), hour * hours)
        assert made.at(0.5)[around].sum() == pytest.approx(truth[around].sum(), rel=0.15)
    assert made.at(0.9).sum() > truth[: len(made)].sum()


@pytest.mark.parametrize("hours", [12, 24, 30, 47, 48, 49, 54, 72, 100])
@pytest.mark.parametrize("factor", [2.0, 0.3])
def test_a_step_once_followed_is_followed_until_it_is_learnt(hours: int, factor: float) -> None:
    """Neither forgotten nor doubted again after a day or two: a plan would go up and down with it."""
    changed = synthetic_demand(days=32, step=STEP, shift=(timedelta(hours=hours), factor), noise=0.04)
    truth = synthetic_demand(days=35, step=STEP, noise=0.0).values[len(changed) :][:DAY] * factor
    made = make_forecast(changed, engine="ensemble", horizon=timedelta(days=1))
    assert made.at(0.5).sum() == pytest.approx(truth.sum(), rel=0.15)
    assert made.at(0.9).sum() > truth.sum()


@pytest.mark.parametrize("days", [19.4, 21.4, 23.2, 40.0])
@pytest.mark.parametrize("hours", [24, 30, 36, 48, 60, 72])
def test_a_rise_that_is_followed_widens_no_quantile_however_few_weeks_are_known(days: float, hours: int) -> None:
    changed = synthetic_demand(days=days + 2, step=STEP, noise=0.04)
    now = int(days * DAY)
    values = changed.values.copy()
    values[now - hours * 4 :] *= 5
    made = make_forecast(Demand(changed.start, STEP, values[:now]))

    assert "p50 follows" in made.reason
    for day in (slice(DAY), slice(DAY, None)):
        truth = values[now : now + 2 * DAY][day].sum()
        assert made.at(0.5)[day].sum() == pytest.approx(truth, rel=0.15)
        assert made.at(0.9)[day].sum() < 1.3 * truth


@pytest.mark.parametrize("minutes", [5, 60])
@pytest.mark.parametrize("days", [10, 20, 28])
@pytest.mark.parametrize("idle", [0.0, 0.01, 5.0])
def test_work_that_moved_into_idle_hours_makes_no_other_hour_busier(minutes: int, days: int, idle: float) -> None:
    """A job of the small hours runs in the forenoon: compared with idle hours that is endlessly more."""
    hours = np.arange(0, 24 * days + 16, minutes / 60)
    today, hour = hours >= 24 * days, hours % 24
    busy = np.where(today, hour >= 9.5, (hour >= 2) & (hour < 8))
    load = np.where(busy, 100.0, idle) * np.random.default_rng(0).normal(1, 0.05, len(hours))
    made = make_forecast(Demand(synthetic_demand(days=1).start, timedelta(minutes=minutes), load))
    assert made.values.max() < 1.5 * load.max()


@pytest.mark.parametrize("minutes", [5, 15, 60])
@pytest.mark.parametrize("hours", [6, 8, 20, 40])
def test_a_fleet_that_takes_over_the_work_of_another_is_ready_for_it(minutes: int, hours: int) -> None:
    """It was hardly asked for anything in its own busiest hours: what came since does not make those quiet."""
    demand = synthetic_demand(days=28, step=timedelta(minutes=minutes))
    values = demand.values.copy()
    values[: -hours * 60 // minutes] *= 0.001
    truth = synthetic_demand(days=29, step=timedelta(minutes=minutes), noise=0.0).values[len(values) :]
    made = make_forecast(Demand(demand.start, demand.step, values), horizon=timedelta(days=1))
    assert made.at(0.5).mean() == pytest.approx(truth.mean(), rel=0.35)
    assert made.at(0.9).sum() > 0.9 * truth.sum()


def test_a_single_value_after_days_of_silence_is_no_rise_of_days() -> None:
    demand = synthetic_demand(days=28, step=STEP)
    values = demand.values.copy()
    values[-10 * DAY :] = np.nan
    values[-1] = 10 * demand.values.max()
    made = make_forecast(Demand(demand.start, STEP, values), horizon=timedelta(days=2))
    assert made.values[:, DAY:].max() < 2 * demand.values.max()


def test_a_saturday_that_rises_to_a_friday_is_followed() -> None:
    changed = synthetic_demand(days=26.3, step=STEP, shift=(timedelta(hours=8), 2.0))
    truth = synthetic_demand(days=30, step=STEP, noise=0.0).values[len(changed) :][:DAY] * 2
    made = make_forecast(changed, engine="ensemble", horizon=timedelta(days=1))
    assert "its level changed 2-fold 8 hours ago: p50 follows" in made.reason
    assert (made.at(0.9) >= truth).mean() > 0.8


def test_a_burst_that_swells_and_ebbs_is_not_followed_but_covered() -> None:
    demand = synthetic_demand(days=27.5, step=STEP)
    values, hours = demand.values.copy(), DAY // 24 * 5
    values[-hours:] *= 1 + 5 * np.sin(np.linspace(0.2, 2.6, hours))
    usual = make_forecast(demand, engine="ensemble")
    made = make_forecast(Demand(demand.start, STEP, values), engine="ensemble")
    assert "p50 waits at the old level" in made.reason
    assert made.at(0.5)[DAY:] == pytest.approx(usual.at(0.5)[DAY:], rel=0.3)
    assert made.at(0.9)[DAY:].mean() > 2 * usual.at(0.9)[DAY:].mean()


def test_a_failure_does_not_lower_the_forecast() -> None:
    demand = synthetic_demand(days=27.5, step=STEP)
    values, hours = demand.values.copy(), DAY // 24 * 4
    values[-hours:] *= 0.02
    usual = make_forecast(demand, engine="ensemble")
    made = make_forecast(Demand(demand.start, STEP, values), engine="ensemble")
    assert "p50 waits at the old level" in made.reason
    assert made.at(0.5)[DAY:] == pytest.approx(usual.at(0.5)[DAY:], rel=0.35)


@pytest.mark.parametrize("left", [0.0, 0.1])
@pytest.mark.parametrize("hours", [3, 8, 24])
def test_what_a_failure_took_away_is_expected_back_at_any_hour(hours: int, left: float) -> None:
    """The plan is drawn from p90: lowered with the failure, it would be far too low on its end."""
    demand = synthetic_demand(days=28, step=STEP, noise=0.05, seed=3)
    values = demand.values.copy()
    values[-hours * DAY // 24 :] *= left
    usual = make_forecast(demand, engine="ensemble", horizon=timedelta(days=1)).at(0.9)
    made = make_forecast(Demand(demand.start, STEP, values), engine="ensemble", horizon=timedelta(days=1))
    assert "its level changed" in made.reason
    assert np.all(made.at(0.9) > 0.6 * usual)


def test_a_holiday_like_a_sunday_is_no_change_of_level() -> None:
    demand = synthetic_demand(days=32, step=STEP, weekend=0.3, noise=0.03)
    holiday = demand.values.copy()
    wednesday = 30 * DAY
    holiday[wednesday : wednesday + DAY] *= 0.3
    made = make_forecast(Demand(demand.start, STEP, holiday[: wednesday + DAY // 2]), engine="ensemble")
    assert "its level changed" not in made.reason


def test_a_minute_step_is_answered_in_minutes() -> None:
    demand = synthetic_demand(days=15, step=timedelta(minutes=1))
    made = make_forecast(demand, engine="ensemble_quick", horizon=timedelta(hours=6))
    assert made.step == timedelta(minutes=1)
    assert len(made) == 360


def test_one_absurd_value_does_not_move_the_forecast() -> None:
    demand = synthetic_demand(days=15, step=STEP)
    values = demand.values.copy()
    values[700] = 1e9
    made = make_forecast(Demand(demand.start, STEP, values), engine="ensemble").at(0.9)
    assert made == pytest.approx(make_forecast(demand, engine="ensemble").at(0.9), rel=0.3)
