"""What was learnt of a fleet is kept for some hours and used; which engine serves is decided by its own backtests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Demand, ForecastingError, Policy
from forecasting.champion import Contest
from forecasting.synthetic import synthetic_demand
from predictive_scaling.contest import contests, served
from predictive_scaling.demand_forecast import forecast_fleets
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.foretelling import HOLDS, foretell
from predictive_scaling.metric import Metric
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    from pathlib import Path

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def a_fleet(name: str = "web") -> FleetSpec:
    metric = Metric(namespace="A", name="B", period=QUARTER)
    return FleetSpec(name=name, group=name, metric=metric, policy=Policy(1, 9, 100.0))


def a_load(seed: int = 1, days: float = 16) -> Demand:
    return synthetic_demand(days=days, step=QUARTER, seed=seed)


def a_storage(folder: Path) -> Storage:
    return Storage.at(f"file://{folder}")


def kept_at(folder: Path) -> str:
    (file,) = (folder / "calibrations" / "web").glob("*.json")
    return str(json.loads(file.read_text())["made"])


def test_what_is_learnt_holds_for_hours_and_is_then_learnt_anew(tmp_path: Path) -> None:
    storage, load = a_storage(tmp_path), a_load()
    instants = [load.end, load.end + HOUR, load.end + HOLDS]
    made = []
    for now in instants:
        foretell([(a_fleet(), load)], storage, now=now)
        made.append(kept_at(tmp_path))
    assert made == [instants[0].isoformat(), instants[0].isoformat(), instants[2].isoformat()]


def test_a_forecast_with_what_is_known_is_the_one_made_with_what_is_new(tmp_path: Path) -> None:
    storage, load = a_storage(tmp_path), a_load()
    first, second = (foretell([(a_fleet(), load)], storage, now=load.end + after)["web"] for after in (0 * HOUR, HOUR))
    assert not isinstance(first, ForecastingError)
    assert not isinstance(second, ForecastingError)
    np.testing.assert_allclose(second.at(0.9), first.at(0.9), rtol=1e-4)


def test_what_another_version_learnt_is_learnt_anew(tmp_path: Path) -> None:
    storage, load = a_storage(tmp_path), a_load()
    foretell([(a_fleet(), load)], storage, now=load.end)
    (file,) = (tmp_path / "calibrations" / "web").glob("*.json")
    file.write_text('{"made": "2026-01-01T00:00:00+00:00", "learnt": {"format": "calibration/0"}}')
    assert storage.calibration(a_fleet()) is None
    foretell([(a_fleet(), load)], storage, now=load.end)
    assert kept_at(tmp_path) == load.end.isoformat()


def test_a_series_that_cannot_be_forecast_spoils_no_other(tmp_path: Path) -> None:
    load = a_load()
    nothing = Demand(load.start, QUARTER, np.full(len(load), np.nan))
    found = foretell([(a_fleet(), load), (a_fleet("api"), nothing)], a_storage(tmp_path), now=load.end)
    assert isinstance(found["api"], ForecastingError)
    assert not isinstance(found["web"], ForecastingError)


def test_a_champion_changes_only_after_three_clear_wins_and_serves_from_then_on(tmp_path: Path) -> None:
    storage, contest = a_storage(tmp_path), Contest()
    for _ in range(2):
        contest = contest.after({"ensemble": 0.2, "seasonal_naive": 0.1})
    assert contest.engine == "ensemble"
    contest = contest.after({"ensemble": 0.2, "seasonal_naive": 0.1})
    assert contest.reason == "seasonal_naive takes over from ensemble: better by at least 50% in 3 backtests running"
    storage.save_contest(a_fleet(), contest)
    assert served(a_fleet(), storage).engine == "seasonal_naive"
    assert served(replace(a_fleet(), engine="prophet"), storage).engine == "prophet", "the file has the last word"


def test_a_contest_is_held_on_the_fleets_own_history_and_kept(tmp_path: Path) -> None:
    storage, load = a_storage(tmp_path), a_load()
    times = np.array([int(when.timestamp()) for when in load.times()], dtype=np.int64)
    storage.append(a_fleet(), Points(times, np.array(load.values)))
    (line,) = contests([a_fleet()], storage, now=load.end)
    assert line == "web: served by ensemble: ensemble stays: 1 of the 3 backtests that could change it were made"
    (scores,) = storage.contest(a_fleet()).scores
    assert set(scores) == {"ensemble", "ensemble_quick", "seasonal_naive"}
    assert [each.forecast_id is not None for each in forecast_fleets([a_fleet()], storage, now=load.end)] == [True]


@pytest.mark.parametrize("days", [0.4, 3])
def test_a_short_history_is_forecast_without_a_calibration(tmp_path: Path, days: float) -> None:
    storage, load = a_storage(tmp_path), a_load(days=days)
    found = foretell([(a_fleet(), load)], storage, now=load.end)["web"]
    assert not isinstance(found, ForecastingError)


def test_what_cannot_be_read_of_one_fleet_costs_its_own_forecast_alone(tmp_path: Path) -> None:
    storage, load = a_storage(tmp_path), a_load()
    fleets = [a_fleet("torn"), a_fleet("unscored"), a_fleet("unserved"), a_fleet("web")]
    times = np.array([int(when.timestamp()) for when in load.times()], dtype=np.int64)
    for fleet in fleets:
        storage.append(fleet, Points(times, np.array(load.values)))
        storage.save_accuracies(fleet, {})
        storage.save_contest(fleet, Contest())
    for part, name in (("history", "torn"), ("accuracy", "unscored"), ("contests", "unserved")):
        for file in (tmp_path / part / name).iterdir():
            (next(file.glob("*")) if file.is_dir() else file).write_bytes(b"{")
    torn, unscored, unserved, web = forecast_fleets(fleets, storage, now=load.end)
    assert "NOT FORECAST: stored file history/torn/" in str(torn)
    assert "NOT FORECAST: stored file contests/unserved/" in str(unserved)
    assert unscored.forecast_id is not None
    assert "of its last forecasts nothing is known: stored file accuracy/unscored/" in str(unscored)
    assert web.record == ""
    assert web.forecast_id is not None
    told = list(contests([fleets[0], fleets[3]], storage, now=load.end))
    assert [" no contest of engines: " in line for line in told] == [True, False]


def test_what_cannot_be_written_of_one_fleet_costs_its_own_forecast_alone(tmp_path: Path) -> None:
    storage, load = a_storage(tmp_path), a_load()
    fleets = [a_fleet("unwritten"), a_fleet("unlearnt"), a_fleet("web")]
    times = np.array([int(when.timestamp()) for when in load.times()], dtype=np.int64)
    for fleet in fleets:
        storage.append(fleet, Points(times, np.array(load.values)))
    for kind, name in (("forecasts", "unwritten"), ("calibrations", "unlearnt")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / name).write_text("a file where a folder should be")

    unwritten, unlearnt, web = forecast_fleets(fleets, storage, now=load.end)

    assert "NOT FORECAST: its stored files cannot be used: NotADirectoryError" in str(unwritten)
    assert unlearnt.forecast_id is not None, "what was learnt is learnt anew"
    assert web.forecast_id is not None


@pytest.mark.parametrize("kept", ["{", "[1]", '{"made": 1, "learnt": {}}'])
def test_what_was_learnt_and_cannot_be_understood_is_learnt_anew(tmp_path: Path, kept: str) -> None:
    storage, load, fleet = a_storage(tmp_path), a_load(), a_fleet()
    file = tmp_path / "calibrations" / "web" / f"{fleet.metric_identity}.json"
    file.parent.mkdir(parents=True)
    file.write_text(kept)

    found = foretell([(fleet, load)], storage, now=load.end)["web"]

    assert not isinstance(found, ForecastingError)
    assert storage.calibration(fleet) is not None
