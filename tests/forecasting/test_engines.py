"""What holds for every engine, whatever the demand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from forecasting import (
    ENGINES,
    Demand,
    Event,
    InvalidDemand,
    InvalidRequest,
    NotEnoughHistory,
    Policy,
    UnknownEngine,
    draw_plan,
    forecast_many,
    unusable,
)
from forecasting import forecast as make_forecast
from forecasting.loss import wape
from forecasting.synthetic import synthetic_demand

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUICK = [engine for engine in ENGINES if engine != "prophet"]

values = st.one_of(st.floats(0, 1e9, allow_subnormal=False), st.just(0.0), st.just(float("nan")))


def is_sound(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all() and (values >= 0).all() and (np.diff(values, axis=0) >= 0).all())


@pytest.mark.parametrize("engine", QUICK)
@settings(max_examples=25, deadline=None)
@given(pattern=st.lists(values, min_size=15, max_size=60), days=st.sampled_from([1, 3, 8, 15]))
def test_quantiles_are_finite_ordered_and_not_negative(engine: str, pattern: list[float], days: int) -> None:
    series = np.resize(np.array([1.0, *pattern]), days * 24)
    assume(np.isfinite(series).sum() >= 12)
    forecast = make_forecast(Demand(MONDAY, HOUR, series), engine=engine, quantiles=(0.1, 0.5, 0.9, 0.95))
    assert is_sound(forecast.values)
    assert len(forecast) == 48


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("weeks", [1, 5])
def test_a_shift_by_whole_weeks_changes_nothing(engine: str, weeks: int) -> None:
    demand = synthetic_demand(days=16, step=timedelta(minutes=15))
    later = Demand(demand.start + timedelta(weeks=weeks), demand.step, demand.values)
    assert make_forecast(later, engine=engine).values == pytest.approx(make_forecast(demand, engine=engine).values)


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("factor", [1e-4, 1_000.0])
def test_the_unit_of_demand_does_not_matter(engine: str, factor: float) -> None:
    demand = synthetic_demand(days=16, step=timedelta(minutes=15))
    scaled = Demand(demand.start, demand.step, demand.values * factor)
    expected = make_forecast(demand, engine=engine).values * factor
    assert make_forecast(scaled, engine=engine).values == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("engine", QUICK)
def test_many_series_get_the_forecasts_they_would_get_alone_in_any_order(engine: str) -> None:
    demands = {
        f"fleet-{seed}": synthetic_demand(
            days=28 if seed % 2 else 15, step=timedelta(minutes=15), level=10.0**seed, seed=seed, weekend=0.2 * seed
        )
        for seed in range(5)
    }
    together = forecast_many(demands, engine=engine)
    backwards = forecast_many(dict(reversed(demands.items())), engine=engine)
    assert list(together) == list(demands)
    for name, demand in demands.items():
        alone = make_forecast(demand, engine=engine)
        assert together[name].values == pytest.approx(alone.values, rel=1e-5)
        assert backwards[name].values == pytest.approx(alone.values, rel=1e-5)
        assert together[name].reason == alone.reason


@pytest.mark.parametrize("engine", QUICK)
def test_a_constant_demand_stays_constant(engine: str) -> None:
    forecast = make_forecast(Demand(MONDAY, HOUR, np.full(24 * 15, 7.0)), engine=engine)
    assert forecast.at(0.5) == pytest.approx(np.full(48, 7.0), rel=0.01)
    assert forecast.at(0.9) == pytest.approx(np.full(48, 7.0), rel=0.05)


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("days", [1, 5, 15, 28])
def test_what_never_changed_stays_as_it_is_to_the_last_digit(engine: str, days: int) -> None:
    demand = Demand(MONDAY, HOUR, np.where(np.arange(24 * days) == 20, np.nan, 8_400.1))
    forecast = make_forecast(demand, engine=engine)
    assert (forecast.values == 8_400.1).all()
    assert "it never changed" in forecast.reason


@pytest.mark.parametrize("days", [5, 15, 28])
def test_a_constant_load_that_fills_its_instances_asks_for_no_further_one(days: int) -> None:
    demand = Demand(MONDAY, HOUR, np.full(24 * days, 8_400.0))
    plan = draw_plan(make_forecast(demand), Policy(0, 99, 600), now=demand.end)
    assert [step.capacity for step in plan.steps] == [14, 0]


@pytest.mark.parametrize("engine", ["ensemble", "ensemble_quick"])
@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_working_hours_seen_on_four_days_are_expected_though_the_one_trial_fell_on_a_night(
    engine: str, minutes: int
) -> None:
    step = timedelta(minutes=minutes)
    hours = (7 + np.arange(0, 6 * 24, minutes / 60)) % 24
    noise = np.exp(0.05 * np.random.default_rng(0).normal(size=len(hours)))
    demand = np.where((hours >= 8) & (hours < 18), 100.0, 0.0) * noise
    known = len(demand) * 4 // 6
    forecast = make_forecast(Demand(MONDAY + 3 * DAY + 7 * HOUR, step, demand[:known]), engine=engine)
    assert wape(demand[known:], forecast.at(0.5)) < 0.1


@pytest.mark.parametrize(("days", "told"), [(4, False), (8, True)])
def test_last_week_is_leant_on_only_where_it_was_seen(days: int, told: bool) -> None:  # noqa: FBT001
    hours = np.arange(24 * days) % 24
    demand = Demand(MONDAY, HOUR, np.where((hours >= 8) & (hours < 18), 100.0, 1.0) + hours)
    assert ("last week" in make_forecast(demand).reason) is told


def test_minutes_of_history_are_told_as_minutes() -> None:
    forecast = make_forecast(Demand(MONDAY, timedelta(minutes=1), np.arange(1.0, 13.0)))
    assert "12 minutes of history" in forecast.reason


@pytest.mark.parametrize("engine", QUICK)
def test_no_demand_at_all_stays_none(engine: str) -> None:
    forecast = make_forecast(Demand(MONDAY, HOUR, np.zeros(24 * 15)), engine=engine)
    assert forecast.values.max() < 1e-6


@pytest.mark.parametrize("engine", QUICK)
def test_a_day_of_missing_values_is_bridged_and_told(engine: str) -> None:
    whole = synthetic_demand(days=21, step=timedelta(minutes=15))
    holed = synthetic_demand(days=21, step=timedelta(minutes=15), gap=timedelta(days=1))
    forecast = make_forecast(holed, engine=engine)
    assert "4.8% of its slots were missing" in forecast.reason
    assert forecast.at(0.5) == pytest.approx(make_forecast(whole, engine=engine).at(0.5), rel=0.25)


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("minutes", [1, 5, 20, 60])
@pytest.mark.parametrize("step", [5, 30, 60])
def test_a_horizon_of_minutes_is_answered_too(engine: str, minutes: int, step: int) -> None:
    demand = synthetic_demand(days=10, step=timedelta(minutes=step))
    forecast = make_forecast(demand, engine=engine, horizon=timedelta(minutes=minutes))
    assert len(forecast) == -(-minutes // step)
    assert is_sound(forecast.values)


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("hours", [12, 36, 5 * 24])
def test_a_short_history_is_answered_with_a_word_about_it(engine: str, hours: int) -> None:
    demand = synthetic_demand(days=hours / 24, step=timedelta(minutes=15))
    forecast = make_forecast(demand, engine=engine)
    assert "history" in forecast.reason
    assert len(forecast) == 192
    assert is_sound(forecast.values)


@pytest.mark.parametrize("engine", ENGINES)
def test_too_little_history_is_refused_with_what_is_missing(engine: str) -> None:
    with pytest.raises(NotEnoughHistory, match=r"11 observed values .* at least 12 are needed"):
        make_forecast(Demand(MONDAY, HOUR, np.ones(11)), engine=engine)


def test_only_missing_values_are_refused() -> None:
    with pytest.raises(NotEnoughHistory, match="0 observed values"):
        make_forecast(Demand(MONDAY, HOUR, np.full(500, np.nan)))


def test_the_series_at_fault_is_named_among_many() -> None:
    with pytest.raises(NotEnoughHistory, match=r"^checkout: 3 observed"):
        forecast_many({"web": synthetic_demand(days=3), "checkout": Demand(MONDAY, HOUR, np.ones(3))})


def test_the_rest_can_be_served_without_the_series_at_fault() -> None:
    demands = {"web": synthetic_demand(days=3), "checkout": Demand(MONDAY, HOUR, np.ones(3))}
    with pytest.raises(NotEnoughHistory) as refusal:
        forecast_many(demands)
    assert refusal.value.series == "checkout"
    assert list(forecast_many({name: each for name, each in demands.items() if unusable(each) is None})) == ["web"]


def test_what_is_unusable_is_told_in_the_words_of_the_refusal() -> None:
    assert unusable(synthetic_demand(days=3)) is None
    assert "at least 12 are needed" in str(unusable(Demand(MONDAY, HOUR, np.ones(3))))
    assert "does not divide a day" in str(unusable(Demand(MONDAY, timedelta(minutes=7), np.ones(500))))


def test_an_unknown_engine_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownEngine, match=r"'crystal' is unknown: choose one of auto"):
        make_forecast(synthetic_demand(days=3), engine="crystal")


@pytest.mark.parametrize("horizon", [timedelta(0), timedelta(days=-1), timedelta(days=15)])
def test_a_horizon_out_of_reach_is_refused(horizon: timedelta) -> None:
    with pytest.raises(InvalidRequest, match="horizon"):
        make_forecast(synthetic_demand(days=3), horizon=horizon)


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ({"horizon": 48}, "horizon is 48: give a time"),
        ({"quantiles": 0.9}, "quantiles is 0.9: give several"),
        ({"engine": None}, "engine is None: give the name of one"),
        ({"workers": 0}, "workers is 0: give 1 or more"),
        ({"workers": -1}, "workers is -1: give 1 or more"),
    ],
)
def test_what_is_of_another_kind_is_refused_by_its_name(kinds: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        forecast_many({"web": synthetic_demand(days=8)}, **kinds)


def test_a_step_that_does_not_divide_a_day_is_refused() -> None:
    with pytest.raises(InvalidDemand, match="does not divide a day"):
        make_forecast(Demand(MONDAY, timedelta(minutes=7), np.ones(500)))


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2025, 10, 26, 1, tzinfo=UTC)])
def test_people_keep_their_hours_when_the_clocks_change(engine: str, change: datetime) -> None:
    """Twelve days after and two days before a change, both in the past and within the horizon."""
    for days_before in (16, 27):
        start = change - timedelta(days=days_before, hours=1)
        history, all_of_it = (
            synthetic_demand(days=days, timezone="Europe/Berlin", start=start, step=timedelta(minutes=15), noise=0.01)
            for days in (26, 28)
        )
        truth = all_of_it.values[len(history) :]
        local = make_forecast(history, engine=engine, timezone="Europe/Berlin").at(0.5)
        utc = make_forecast(history, engine=engine, timezone="UTC").at(0.5)
        assert np.abs(local - truth).sum() < np.abs(utc - truth).sum()
        assert np.abs(local - truth).sum() < 0.06 * truth.sum()


def test_the_night_that_clocks_change_has_its_own_number_of_slots() -> None:
    """Asked just before the skipped hour, the forecast jumps with the clock from two to three."""
    start = datetime(2026, 3, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    hours = np.tile(np.arange(24.0) + 1, 28)
    forecast = make_forecast(
        Demand(start, HOUR, hours), engine="seasonal_naive", timezone="Europe/Berlin", horizon=timedelta(hours=5)
    )
    assert forecast.at(0.5) == pytest.approx([1.0, 2.0, 4.0, 5.0, 6.0])


def test_a_coming_event_multiplies_the_usual() -> None:
    demand = synthetic_demand(days=15)
    sale = Event(name="sale", start=demand.end + HOUR, end=demand.end + 2 * HOUR, factor=3.0)
    usual, raised = make_forecast(demand), make_forecast(demand, events=[sale])
    assert raised.values[:, 12:24] == pytest.approx(3.0 * usual.values[:, 12:24])
    assert raised.values[:, 24:] == pytest.approx(usual.values[:, 24:])


def test_a_past_event_is_not_learnt_as_the_rule() -> None:
    demand = synthetic_demand(days=21, step=timedelta(minutes=15), noise=0.01)
    when = demand.end - timedelta(days=6)
    sold = demand.values.copy()
    first = (when - demand.start) // demand.step
    sold[first : first + 96] *= 5
    with_sale = Demand(demand.start, demand.step, sold)
    for factor in (None, 5.0):
        sale = Event(name="sale", start=when, end=when + timedelta(days=1), factor=factor)
        informed = make_forecast(with_sale, events=[sale]).at(0.5)
        assert informed == pytest.approx(make_forecast(demand).at(0.5), rel=0.2)
