"""Histories and forecasts come back as they were stored: on the grid, with their gaps, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import Forecast, Policy
from forecasting.accuracy import Accuracy
from forecasting.champion import Contest
from predictive_scaling.errors import InvalidSetting, NoHistory, UnusableFile
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric
from predictive_scaling.object_store import ObjectStore
from predictive_scaling.size_seen import SizeSeen
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def a_spec(**metric: object) -> FleetSpec:
    measured = Metric(**{"namespace": "Shop", "name": "Requests", **metric})  # type: ignore[arg-type]
    return FleetSpec(name="web", group="web", metric=measured, policy=Policy(1, 9, 100.0))


def some_points(start: datetime, *values: float) -> Points:
    return Points.of((start + index * FIVE, value) for index, value in enumerate(values))


def a_forecast(start: datetime) -> Forecast:
    values = np.array([[1.0], [2.0]])
    return Forecast(start=start, step=FIVE, quantiles=(0.5, 0.9), values=values, engine="x", reason="y")


def a_storage(folder: Path) -> Storage:
    return Storage.at(f"file://{folder}")


def test_what_is_appended_comes_back_on_its_grid(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    assert storage.append(a_spec(), some_points(NEW_YEAR, 1, 2, 3)) == 3

    demand = storage.demand(a_spec(), since=NEW_YEAR)

    assert (demand.start, demand.step) == (NEW_YEAR, FIVE)
    assert demand.values.tolist() == [1, 2, 3]
    assert storage.last_measured(a_spec()) == NEW_YEAR + 2 * FIVE


def test_a_gap_stays_missing_and_is_not_zero(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    storage.append(a_spec(), some_points(NEW_YEAR, 1, 2))
    storage.append(a_spec(), some_points(NEW_YEAR + 4 * FIVE, 5))

    values = storage.demand(a_spec(), since=NEW_YEAR).values

    assert np.array_equal(values, [1, 2, np.nan, np.nan, 5], equal_nan=True)


def test_a_value_read_again_replaces_the_first_and_counts_as_no_new_one(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    storage.append(a_spec(), some_points(NEW_YEAR, 1, 2))

    assert storage.append(a_spec(), some_points(NEW_YEAR + FIVE, 20, 30)) == 1
    assert storage.demand(a_spec(), since=NEW_YEAR).values.tolist() == [1, 20, 30]


def test_a_month_is_a_file_and_a_history_crosses_months(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    storage.append(a_spec(), some_points(NEW_YEAR - 2 * FIVE, 1, 2, 3, 4))

    names = sorted(path.name for path in tmp_path.rglob("*.parquet"))
    assert names == ["2025-12.parquet", "2026-01.parquet"]
    assert storage.demand(a_spec(), since=NEW_YEAR - FIVE).values.tolist() == [2, 3, 4]


def test_a_month_is_read_whoever_packed_it_and_in_whatever_fraction_of_a_second(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    storage.append(a_spec(), some_points(NEW_YEAR, 1, 2))
    (month,) = tmp_path.rglob("*.parquet")
    pq.write_table(
        pq.read_table(month).cast(pa.schema({"time": pa.timestamp("ms", "UTC"), "value": pa.float32()})), month
    )

    assert storage.demand(a_spec(), since=NEW_YEAR).values.tolist() == [1, 2]


def test_another_definition_of_the_metric_is_another_history(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    storage.append(a_spec(), some_points(NEW_YEAR, 1))
    with pytest.raises(NoHistory, match="no stored value of Requests"):
        storage.demand(a_spec(statistic="Average"), since=NEW_YEAR)


def test_what_is_known_of_one_metric_says_nothing_of_another(tmp_path: Path) -> None:
    storage, other = a_storage(tmp_path), a_spec(statistic="Average")
    scored = {"20260101T0000Z": Accuracy(slots=576, wape=0.1, bias=0.0, pinball=4.0, coverage=0.9)}
    storage.save_forecast(a_spec(), a_forecast(NEW_YEAR))
    storage.save_accuracies(a_spec(), scored)
    storage.save_contest(a_spec(), Contest(engine="seasonal_naive"))

    with pytest.raises(NoHistory, match="no forecast is stored yet"):
        storage.newest_forecast(other)
    assert storage.forecasts_before(other, NEW_YEAR) == []
    assert storage.accuracies(other) == {}
    assert storage.contest(other) == Contest()
    assert (storage.accuracies(a_spec()), storage.contest(a_spec()).engine) == (scored, "seasonal_naive")


def test_where_nothing_was_ever_measured_that_is_told_before_a_forecast_is_asked_for(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    with pytest.raises(NoHistory, match="is stored yet, nor any value of Requests: the log of pull_metrics says why"):
        storage.newest_forecast(a_spec())
    storage.append(a_spec(), some_points(NEW_YEAR, 1))
    with pytest.raises(NoHistory, match="no forecast is stored yet: run forecast_demand"):
        storage.newest_forecast(a_spec())


def test_nothing_is_left_of_a_write_but_its_file(tmp_path: Path) -> None:
    a_storage(tmp_path).append(a_spec(), some_points(NEW_YEAR, 1))
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".parquet"]


def test_two_tasks_that_forecast_at_once_may_both_remove_the_oldest_forecast(tmp_path: Path) -> None:
    storage, store, spec = a_storage(tmp_path), ObjectStore.at(f"file://{tmp_path}"), a_spec()
    storage.save_forecast(spec, a_forecast(NEW_YEAR))
    (name,) = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")]
    store.drop(name)
    store.drop(name)
    assert store.read(name) is None


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    store = ObjectStore.at(f"file://{tmp_path}")
    (tmp_path / "sizes" / "web.json" / "in_the_way").mkdir(parents=True)
    with pytest.raises(OSError, match=r"web\.json"):
        store.put("sizes/web.json", b"[]")
    assert [path.name for path in (tmp_path / "sizes").iterdir()] == ["web.json"]


def test_a_file_that_cannot_be_understood_is_named_with_its_fleet_and_the_mend(tmp_path: Path) -> None:
    storage, spec = a_storage(tmp_path), a_spec()
    storage.append(spec, some_points(NEW_YEAR, 1, 2))
    storage.save_forecast(spec, a_forecast(NEW_YEAR))
    storage.save_size("web", SizeSeen(at=NEW_YEAR, desired=1, in_service=1, planned=1))
    for path in tmp_path.rglob("*.*"):
        path.write_bytes(b"{")
    questions: dict[str, Callable[[], object]] = {
        r"history/web/\w+/2026-01\.parquet": lambda: storage.demand(spec, since=NEW_YEAR),
        r"forecasts/web/\w+/20260101T0000Z\.json": lambda: storage.newest_forecast(spec),
        r"sizes/web\.json": lambda: storage.sizes("web"),
    }
    for name, ask in questions.items():
        told = rf"^stored file {name} of fleet web cannot be used \(.*\): put it back from a backup, or remove it$"
        with pytest.raises(UnusableFile, match=told):
            ask()


def test_the_newest_forecast_comes_back_with_its_id(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    with pytest.raises(NoHistory, match="no forecast is stored yet"):
        storage.newest_forecast(a_spec())
    for hour in (1, 0):
        when = NEW_YEAR + timedelta(hours=hour)
        storage.save_forecast(a_spec(), a_forecast(when))

    identity, forecast = storage.newest_forecast(a_spec())

    assert identity == "web@20260101T0100Z"
    assert forecast.at(0.9).tolist() == [2.0]


def test_an_address_that_is_none_is_refused_with_its_setting() -> None:
    with pytest.raises(InvalidSetting, match=r"storage = 'nonsense://x'"):
        Storage.at("nonsense://x")


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1e6)), max_size=50))
def test_of_two_values_for_one_time_the_newer_wins(pairs: list[tuple[int, float]]) -> None:
    merged = Points.of(())
    for slot, value in pairs:
        merged = merged.updated(Points.of([(NEW_YEAR + slot * FIVE, value)]))
    latest = {int((NEW_YEAR + slot * FIVE).timestamp()): value for slot, value in pairs}
    assert dict(zip(merged.times.tolist(), merged.values.tolist(), strict=True)) == latest
    assert merged.times.tolist() == sorted(latest)


def test_how_large_a_fleet_was_is_kept_for_four_weeks_and_a_turn_told_again_replaces_itself(tmp_path: Path) -> None:
    storage = a_storage(tmp_path)
    assert storage.sizes("web") == ()

    def seen(days: float, size: int) -> SizeSeen:
        return SizeSeen(at=NEW_YEAR + timedelta(days=days), desired=size + 1, in_service=size, planned=3)

    for each in (seen(0, 5), seen(1, 6), seen(20, 7), seen(28.5, 8), seen(28.5, 9)):
        storage.save_size("web", each)
    assert storage.sizes("web") == (seen(1, 6), seen(20, 7), seen(28.5, 9))
    assert storage.sizes("api") == ()
