"""What is learnt once is kept, read back, and used hour after hour; fresh points move the near future."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from forecasting import (
    Calibration,
    Demand,
    InvalidCalibration,
    InvalidForecast,
    InvalidRequest,
    calibrate,
    forecast_many,
    refresh,
    tick,
)
from forecasting.loss import wape
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from collections.abc import Callable

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def some_demands(**habits: float) -> dict[str, Demand]:
    return {f"fleet-{seed}": synthetic_demand(days=21, step=QUARTER, seed=seed, **habits) for seed in range(3)}  # type: ignore[arg-type]


def test_a_refresh_at_the_time_of_calibration_is_the_full_forecast() -> None:
    demands = some_demands()
    whole, refreshed = forecast_many(demands, engine="ensemble"), refresh(demands, calibrate(demands))
    for name, forecast in whole.items():
        assert refreshed[name].values == pytest.approx(forecast.values, rel=1e-5)
        assert refreshed[name].reason == forecast.reason


def test_a_calibration_survives_json() -> None:
    demands = some_demands()
    made = calibrate(demands, horizon=timedelta(hours=30))
    again = Calibration.from_json(made.to_json())
    assert json.loads(again.to_json()) == json.loads(made.to_json())
    before, after = refresh(demands, made), refresh(demands, again)
    assert all(after[name].values == pytest.approx(before[name].values, rel=1e-3) for name in demands)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "calibration/0"}', '{"format": "calibration/1"}'])
def test_what_is_no_calibration_is_refused(text: str) -> None:
    with pytest.raises(InvalidCalibration, match=r"calibrat"):
        Calibration.from_json(text)


def part_of(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data["series"]["fleet"].update({name: value})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.update(horizon_seconds=1e300), "not the JSON of a calibration"),
        (lambda data: data.update(quantiles=[0.9, 0.5]), "quantiles .* are not ascending"),
        (lambda data: data.update(quantiles=[0.5, 0.9]), "fleet: away is .* in the shape of"),
        (part_of("step_seconds", 1e300), "not the JSON of a calibration"),
        (part_of("away", [[float("inf")] * 4] * 3), "fleet: away is"),
        (part_of("away", 3), "fleet: weights is .* in the shape of"),
        (part_of("weights", [[0.5], [0.5]]), "fleet: weights is"),
        (part_of("weights", [[float("nan")] * 4] * 7), "fleet: weights is"),
        (part_of("carry", []), r"fleet: carry is \[\]"),
        (part_of("error", [1, 2]), r"fleet: error is \[1, 2\]"),
        (part_of("error", None), "fleet: error is None"),
    ],
)
def test_a_calibration_that_was_spoilt_is_refused_by_its_part(
    spoil: Callable[[dict[str, Any]], None], words: str
) -> None:
    data = json.loads(calibrate({"fleet": synthetic_demand(days=8, step=HOUR)}).to_json())
    spoil(data)
    with pytest.raises(InvalidCalibration, match=words):
        Calibration.from_json(json.dumps(data))


def test_brackets_without_end_are_no_calibration() -> None:
    with pytest.raises(InvalidCalibration, match="not the JSON of a calibration"):
        Calibration.from_json("[" * 100_000)


def test_a_calibration_of_other_guesses_is_refused() -> None:
    demands = {"fleet": synthetic_demand(days=8, step=HOUR)}
    data = json.loads(calibrate(demands).to_json())
    data["series"]["fleet"]["weights"].pop()
    with pytest.raises(InvalidCalibration, match=r"6 guesses were weighed, ensemble makes 7: calibrate again"):
        refresh(demands, Calibration.from_json(json.dumps(data)))


def test_a_refresh_knows_the_hours_since_the_calibration() -> None:
    later = {"fleet": synthetic_demand(days=22.5, step=QUARTER)}
    made = calibrate({"fleet": later["fleet"].before(later["fleet"].end - timedelta(hours=12))})
    truth = synthetic_demand(days=24.5, step=QUARTER).values[len(later["fleet"]) :]
    refreshed = refresh(later, made)["fleet"]
    assert refreshed.start == later["fleet"].end
    assert wape(truth, refreshed.at(0.5)) < 1.1 * wape(truth, forecast_many(later)["fleet"].at(0.5))


def test_series_that_were_not_calibrated_are_forecast_as_they_come() -> None:
    demands = some_demands()
    made = calibrate({"fleet-0": demands["fleet-0"]})
    hourly = {**demands, "fleet-0": demands["fleet-0"].every(HOUR)}
    whole, refreshed = forecast_many(hourly, engine="ensemble"), refresh(hourly, made)
    for name in hourly:
        assert refreshed[name].values == pytest.approx(whole[name].values, rel=1e-5)


def test_a_history_too_short_to_be_tried_is_left_out() -> None:
    young = {"young": synthetic_demand(days=1.5, step=QUARTER)}
    made = calibrate(young)
    assert not made.learnt
    assert refresh(young, made)["young"].engine == "seasonal_naive"


def test_an_engine_that_learns_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'seasonal_naive' learns nothing"):
        calibrate(some_demands(), engine="seasonal_naive")


def test_a_tick_is_nearer_the_truth_than_a_stale_forecast_when_the_level_has_moved() -> None:
    """An hour after the forecast the demand is half as much again as was expected."""
    whole = synthetic_demand(days=23, step=QUARTER)
    known, truth = whole.before(whole.end - timedelta(days=2)), 1.5 * whole.values[-192:]
    made = calibrate({"fleet": known})
    stale = refresh({"fleet": known}, made)
    fresh = Demand(known.end, QUARTER, truth[:4])
    moved = tick(stale, {"fleet": fresh}, made, ahead=2 * HOUR)["fleet"]
    assert moved.start == fresh.end
    assert len(moved) == 8
    assert wape(truth[4:12], moved.at(0.5)) < 0.6 * wape(truth[4:12], stale["fleet"].at(0.5)[4:12])
    assert "moved by 4 fresh points" in moved.reason


def test_a_miss_many_times_as_great_as_those_of_the_trials_is_taken_for_a_change() -> None:
    """Where trials missed by noise alone, of which nothing stays, a double load is no noise."""
    whole = synthetic_demand(days=23, step=QUARTER)
    made = calibrate({"fleet": whole})
    made.learnt["fleet"] = replace(made.learnt["fleet"], carry=np.zeros_like(made.learnt["fleet"].carry))
    stale = refresh({"fleet": whole}, made)
    foretold = stale["fleet"].at(0.5)

    def left_of(share: float) -> float:
        """What is left, after half an hour, of a miss by a share."""
        moved = tick(stale, {"fleet": Demand(whole.end, QUARTER, share * foretold[:4])}, made)["fleet"].at(0.5)
        return float((moved[1] / foretold[5] - 1) / (share - 1))

    assert abs(left_of(1.02)) < 0.1
    assert left_of(2.0) > 0.7


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_usual_count_of_what_is_rarely_there_moves_no_quantile_beyond_measure(calibrated: bool) -> None:  # noqa: FBT001
    """The median is next to nothing, so one of a few is a thousandfold miss."""
    counts = np.random.default_rng(0).poisson(0.3, 28 * 96).astype(float)
    known = Demand(some_demands()["fleet-0"].start, QUARTER, counts)
    made = calibrate({"fleet": known})
    stale = refresh({"fleet": known}, made)
    for fresh in (1.0, 2.0, 3.0):
        points = {"fleet": Demand(known.end, QUARTER, np.array([fresh]))}
        moved = tick(stale, points, made if calibrated else None)["fleet"]
        assert moved.values.max() <= 4 * counts.max()


def test_a_tick_as_foretold_changes_nothing() -> None:
    stale = forecast_many(some_demands())
    fresh = {name: Demand(each.start, each.step, each.at(0.5)[:3]) for name, each in stale.items()}
    for name, moved in tick(stale, fresh).items():
        assert moved.values == pytest.approx(stale[name].values[:, 3:27])


def test_a_missing_point_is_not_taken_for_a_fall() -> None:
    stale = forecast_many({"fleet": some_demands()["fleet-0"]})
    fresh = Demand(stale["fleet"].start, QUARTER, np.array([np.nan, np.nan]))
    assert tick(stale, {"fleet": fresh})["fleet"].values == pytest.approx(stale["fleet"].values[:, 2:26])


def test_without_fresh_points_the_forecast_stays() -> None:
    stale = forecast_many({"fleet": some_demands()["fleet-0"]})
    assert tick(stale, {}) == stale


def test_points_that_do_not_fit_are_refused() -> None:
    stale = forecast_many({"fleet": some_demands()["fleet-0"]})
    start = stale["fleet"].start
    with pytest.raises(InvalidForecast, match="do not fit a forecast in steps of 0:15:00"):
        tick(stale, {"fleet": Demand(start, HOUR, np.ones(2))})
    with pytest.raises(InvalidForecast, match="forecast again"):
        tick(stale, {"fleet": Demand(start, QUARTER, np.ones(300))})


def test_a_refresh_of_a_series_whose_level_changed_is_the_full_forecast_as_well() -> None:
    whole = synthetic_demand(days=21, step=QUARTER, noise=0.03)
    values = whole.values.copy()
    values[-40:] *= 3.0
    demands = {"web": Demand(whole.start, QUARTER, values)}
    full, refreshed = forecast_many(demands, engine="ensemble")["web"], refresh(demands, calibrate(demands))["web"]
    assert "its level changed" in full.reason
    assert refreshed.values == pytest.approx(full.values, rel=1e-4)
