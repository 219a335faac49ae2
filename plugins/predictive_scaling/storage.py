"""Metric history and forecasts, kept as files under an Airflow ObjectStoragePath.

    history/<fleet>/<metric identity>/2026-01.parquet     columns time (UTC), value; a missing slot has no row
    forecasts/<fleet>/<metric identity>/<UTC start>.json  the newest name is the newest forecast
    accuracy/<fleet>/<metric identity>.json               what came of each forecast, by its name
    calibrations/<fleet>/<metric identity>.json           what was learnt of the metric, for some hours
    contests/<fleet>/<metric identity>.json               which engine serves, and the backtests that say so
    replays/<fleet>/<UTC time>.json                       what a replay found
    inventories/<fleet>.json                              the instances that the last look saw
    sizes/<fleet>.json                                    how large it was at each turn of the last four weeks

`cost_store` keeps what concerns money beside them.

What is known of one metric says nothing of another: a fleet whose metric is changed has no forecast until the next one
is made.

A month is a file, so that an hourly pull rewrites one small file and years of history stay readable.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecasting import Demand, Forecast
from forecasting.accuracy import Accuracy
from forecasting.calibration import Calibration
from forecasting.champion import Contest
from predictive_scaling.errors import NoHistory, UnusableFile
from predictive_scaling.fleets import Instance
from predictive_scaling.object_store import ObjectStore
from predictive_scaling.size_seen import SizeSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from predictive_scaling.fleet_spec import FleetSpec

T = TypeVar("T")
R = TypeVar("R")
_SCHEMA: Final = pa.schema([pa.field("time", pa.timestamp("s", tz="UTC")), pa.field("value", pa.float64())])
_PACKED: Final = {"compression": "zstd", "use_dictionary": False, "column_encoding": {"time": "DELTA_BINARY_PACKED"}}
"""Times that follow each other evenly take next to nothing, and values are hardly ever the same."""
_STAMP: Final = "%Y%m%dT%H%MZ"
_SECOND: Final = "%Y%m%dT%H%M%SZ"
KEPT_FORECASTS: Final = 24 * 14
KEPT_SIZES: Final = timedelta(days=28)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Measured values: seconds since 1970, ascending and unique, each with its value."""

    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]

    @classmethod
    def of(cls, pairs: Iterable[tuple[datetime, float]]) -> Self:
        """Sort pairs by time; of two values for one time the later given wins."""
        known = {int(when.timestamp()): float(value) for when, value in pairs}
        times = np.array(sorted(known), dtype=np.int64)
        return cls(times, np.array([known[int(time)] for time in times], dtype=np.float64))

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Self:
        """Put parts together that follow each other in time."""
        if not parts:
            return cls.of(())
        return cls(np.concatenate([each.times for each in parts]), np.concatenate([each.values for each in parts]))

    def __len__(self) -> int:
        return len(self.times)

    def updated(self, newer: Points) -> Points:
        """Give the values of both, the newer one's where both have one."""
        kept = ~np.isin(self.times, newer.times)
        times = np.concatenate([self.times[kept], newer.times])
        order = np.argsort(times)
        return Points(times[order], np.concatenate([self.values[kept], newer.values])[order])

    def since(self, when: datetime) -> Points:
        """Keep what was measured at or after an instant."""
        kept = self.times >= when.timestamp()
        return Points(self.times[kept], self.values[kept])


class Storage:
    """The product's files under one root."""

    def __init__(self, files: ObjectStore) -> None:
        self._files = files

    @classmethod
    def at(cls, address: str) -> Storage:
        """Open the root an address names."""
        return cls(ObjectStore.at(address))

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do the same with all items, side by side where files are slow to come; give what comes, in their order."""
        return self._files.each(work, items)

    def last_measured(self, fleet: FleetSpec) -> datetime | None:
        """Give the time of the newest stored value."""
        months = self._months(fleet)
        return datetime.fromtimestamp(int(self._points(months[-1]).times[-1]), UTC) if months else None

    def append(self, fleet: FleetSpec, points: Points) -> int:
        """Store the points, replacing values of the same times; give how many times are new."""
        added = 0
        months = points.times.astype("datetime64[s]").astype("datetime64[M]")
        for month in np.unique(months):
            name = f"{_history(fleet)}/{month}.parquet"
            known = self._points(name)
            fresh = Points(points.times[months == month], points.values[months == month])
            merged = known.updated(fresh)
            self._files.put(name, _packed(merged))
            added += len(merged) - len(known)
        return added

    def demand(self, fleet: FleetSpec, *, since: datetime) -> Demand:
        """Give the stored load as a series on the metric's grid, missing where nothing was measured."""
        first = f"{_history(fleet)}/{since.astimezone(UTC):%Y-%m}.parquet"
        points = Points.joined([self._points(name) for name in self._months(fleet) if name >= first]).since(since)
        if not len(points):
            msg = f"fleet {fleet.name}: no stored value of {fleet.metric.name} since {since:%Y-%m-%d %H:%M} UTC"
            raise NoHistory(msg)
        return _on_grid(points, fleet.metric.period)

    def save_forecast(self, fleet: FleetSpec, forecast: Forecast) -> str:
        """Store a forecast and give its id; the oldest beyond two weeks of hourly ones go."""
        name = f"{forecast.start.astimezone(UTC):{_STAMP}}"
        self._files.put(_of_metric("forecasts", fleet, name), forecast.to_json().encode())
        for old in self._forecasts(fleet)[:-KEPT_FORECASTS]:
            self._files.drop(_of_metric("forecasts", fleet, old))
        return f"{fleet.name}@{name}"

    def newest_forecast(self, fleet: FleetSpec) -> tuple[str, Forecast]:
        """Give the newest forecast with its id."""
        names = self._forecasts(fleet)
        if not names:
            mend = ": run forecast_demand, or wait for its next run"
            if not self._months(fleet):
                mend = f", nor any value of {fleet.metric.name}: the log of pull_metrics says why, once it has run"
            msg = f"fleet {fleet.name}: no forecast is stored yet{mend}"
            raise NoHistory(msg)
        return f"{fleet.name}@{names[-1]}", self.forecast(fleet, names[-1])

    def forecast(self, fleet: FleetSpec, name: str) -> Forecast:
        """Give a stored forecast by its name, the UTC start."""
        file = _of_metric("forecasts", fleet, name)
        content = self._files.read(file)
        if content is None:
            msg = f"fleet {fleet.name}: forecast {name} is not stored: it went with age, or its file was removed"
            raise NoHistory(msg)
        with _found_in(file):
            return Forecast.from_json(content)

    def forecasts_before(self, fleet: FleetSpec, when: datetime) -> list[str]:
        """Name the stored forecasts that start at or before an instant, oldest first."""
        return [name for name in self._forecasts(fleet) if name <= f"{when.astimezone(UTC):{_STAMP}}"]

    def accuracies(self, fleet: FleetSpec) -> dict[str, Accuracy]:
        """Give what came of the fleet's forecasts, by the forecast's name, oldest first."""
        return self._document(_of_metric("accuracy", fleet), _accuracies) or {}

    def save_accuracies(self, fleet: FleetSpec, found: Mapping[str, Accuracy]) -> None:
        """Keep what came of the newest forecasts; the oldest beyond two weeks of hourly ones go."""
        kept = sorted(found)[-KEPT_FORECASTS:]
        rows = {name: found[name].as_mapping() for name in kept}
        self._keep(_of_metric("accuracy", fleet), rows)

    def calibration(self, fleet: FleetSpec) -> tuple[datetime, Calibration] | None:
        """Give what was last learnt of a fleet's metric, and when; None when it was by another version."""
        try:
            return self._document(_of_metric("calibrations", fleet), _learnt)
        except UnusableFile:
            return None

    def save_calibration(self, fleet: FleetSpec, learnt: Calibration, *, now: datetime) -> None:
        """Keep what was learnt of a fleet's metric."""
        kept = {"made": now.isoformat(), "learnt": json.loads(learnt.to_json())}
        self._keep(_of_metric("calibrations", fleet), kept)

    def contest(self, fleet: FleetSpec) -> Contest:
        """Give which engine serves a fleet, and the backtests that say so."""
        return self._document(_of_metric("contests", fleet), Contest.from_mapping) or Contest()

    def save_contest(self, fleet: FleetSpec, contest: Contest) -> None:
        """Keep which engine serves a fleet."""
        self._keep(_of_metric("contests", fleet), contest.as_mapping())

    def inventory(self, fleet: str) -> tuple[datetime, tuple[Instance, ...]] | None:
        """Give a fleet's instances as they were last seen, and when."""
        return self._document(f"inventories/{fleet}.json", _inventory)

    def save_inventory(self, fleet: str, instances: Iterable[Instance], *, now: datetime) -> None:
        """Keep a fleet's instances as they are seen."""
        kept = {"seen_at": now.isoformat(), "instances": [instance.as_json() for instance in instances]}
        self._keep(f"inventories/{fleet}.json", kept)

    def sizes(self, fleet: str) -> tuple[SizeSeen, ...]:
        """Give how large a fleet was at its turns, the oldest first."""
        return self._document(f"sizes/{fleet}.json", _sizes) or ()

    def save_size(self, fleet: str, seen: SizeSeen) -> None:
        """Keep how large a fleet is, after the turns before it; old ones go."""
        kept = [each for each in self.sizes(fleet) if seen.at - KEPT_SIZES <= each.at < seen.at]
        self._keep(f"sizes/{fleet}.json", [each.as_json() for each in (*kept, seen)])

    def save_replay(self, fleet: str, result: Mapping[str, Any], *, now: datetime) -> None:
        """Keep what a replay found."""
        self._keep(f"replays/{fleet}/{now.astimezone(UTC):{_SECOND}}.json", result)

    def replays(self, fleet: str | None = None) -> list[str]:
        """Name the stored replays of one fleet or of all, such as web/20260304T120000Z, the newest first."""
        if fleet is not None:
            return [f"{fleet}/{name}" for name in reversed(self._files.names(f"replays/{fleet}", ".json"))]
        of_all = self._files.names_below("replays", ".json")
        return sorted(of_all, key=lambda name: name.partition("/")[2], reverse=True)

    def replay(self, name: str) -> tuple[datetime, dict[str, Any]]:
        """Give a stored replay by its name, and when it was made."""
        made = datetime.strptime(name.partition("/")[2], _SECOND).replace(tzinfo=UTC)
        return made, self._document(f"replays/{name}.json", dict) or {}

    def _document(self, name: str, read: Callable[[Any], R]) -> R | None:
        """Read what a file of JSON holds, None where there is no such file."""
        content = self._files.read(name)
        if content is None:
            return None
        with _found_in(name):
            return read(json.loads(content))

    def _keep(self, name: str, document: object) -> None:
        self._files.put(name, json.dumps(document, separators=(",", ":")).encode())

    def _forecasts(self, fleet: FleetSpec) -> list[str]:
        return self._files.names(f"forecasts/{fleet.name}/{fleet.metric_identity}", ".json")

    def _months(self, fleet: FleetSpec) -> list[str]:
        return [f"{_history(fleet)}/{name}.parquet" for name in self._files.names(_history(fleet), ".parquet")]

    def _points(self, name: str) -> Points:
        content = self._files.read(name)
        if content is None:
            return Points.of(())
        with _found_in(name):
            return _unpacked(content)


@contextmanager
def _found_in(name: str) -> Iterator[None]:
    """Say which file of which fleet it is that cannot be understood, whatever that makes a parser raise."""
    try:
        yield
    except Exception as error:
        fleet, why = name.split("/")[1].removesuffix(".json"), " ".join(str(error).split())
        msg = (
            f"stored file {name} of fleet {fleet} cannot be used ({type(error).__name__}: {why}): "
            f"put it back from a backup, or remove it"
        )
        raise UnusableFile(msg) from error


def _accuracies(rows: Any) -> dict[str, Accuracy]:
    return {name: Accuracy.from_mapping(row) for name, row in sorted(rows.items())}


def _learnt(kept: Any) -> tuple[datetime, Calibration]:
    return datetime.fromisoformat(kept["made"]), Calibration.from_json(json.dumps(kept["learnt"]))


def _inventory(kept: Any) -> tuple[datetime, tuple[Instance, ...]]:
    return datetime.fromisoformat(kept["seen_at"]), tuple(Instance.from_json(row) for row in kept["instances"])


def _sizes(rows: Any) -> tuple[SizeSeen, ...]:
    return tuple(map(SizeSeen.from_json, rows))


def _history(fleet: FleetSpec) -> str:
    return f"history/{fleet.name}/{fleet.metric_identity}"


def _of_metric(kind: str, fleet: FleetSpec, part: str = "") -> str:
    return "/".join(filter(None, (kind, fleet.name, fleet.metric_identity, part))) + ".json"


def _on_grid(points: Points, step: timedelta) -> Demand:
    seconds = int(step.total_seconds())
    slots = points.times // seconds
    values = np.full(int(slots[-1] - slots[0]) + 1, np.nan)
    values[slots - slots[0]] = points.values
    return Demand(datetime.fromtimestamp(int(slots[0]) * seconds, UTC), step, values)


def _unpacked(content: bytes) -> Points:
    # `read_table` looks for a whole dataset first, and takes three times as long.
    table = pq.ParquetFile(pa.BufferReader(content)).read(_SCHEMA.names, use_threads=False).cast(_SCHEMA)
    times = table["time"].cast(pa.int64()).to_numpy()
    return Points(times, table["value"].to_numpy())


def _packed(points: Points) -> bytes:
    times = pa.array(points.times, type=pa.int64()).cast(_SCHEMA.field("time").type)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table([times, pa.array(points.values)], schema=_SCHEMA), sink, **_PACKED)
    return bytes(sink.getvalue().to_pybytes())
