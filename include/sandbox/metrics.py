"""Where metric data are kept and summed up: one growing table per metric, read by binary search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sandbox.errors import ValidationError

if TYPE_CHECKING:
    from moto.cloudwatch.models import CloudWatchBackend

Floats = npt.NDArray[np.float64]

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_SUM, _COUNT, _HIGH, _LOW = range(4)


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of one metric: exactly this namespace, name and set of dimensions."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Iterable[Mapping[str, str]] | None) -> Metric:
        """Build the name from the dimensions of a request, whatever their order."""
        return cls(namespace, name, tuple(sorted((d["Name"], d["Value"]) for d in dimensions or ())))


@dataclass(frozen=True, slots=True)
class Points:
    """Values at instants (epoch seconds), in order of time."""

    times: Floats
    values: Floats

    @classmethod
    def none(cls) -> Points:
        """Return no points at all."""
        return cls(np.empty(0), np.empty(0))


class Series:
    """The data of one metric: for each datum its time, sum, sample count, maximum and minimum."""

    __slots__ = ("_detail", "_length", "_ordered", "_times", "_values", "unit")

    def __init__(self, unit: str = "None") -> None:
        self.unit = unit
        self._times: Floats = np.empty(0)
        self._values: Floats = np.empty(0)
        # Sample count, maximum and minimum: only kept once a datum is more than a single value.
        self._detail: Floats | None = None
        self._length = 0
        self._ordered = True

    def __len__(self) -> int:
        return self._length

    @property
    def last_time(self) -> float:
        """Return the time of the newest datum."""
        return float(self._times[: self._length].max()) if self._length else -np.inf

    def add(self, time: float, value: float) -> None:
        """Add one single value."""
        self._make_room(1)
        self._place(time, value)
        if self._detail is not None:
            self._detail[:, self._length] = (1.0, value, value)
        self._length += 1

    def add_set(self, time: float, total: float, count: float, high: float, low: float) -> None:
        """Add a statistic set."""
        self._make_room(1)
        self._place(time, total)
        self._with_detail()[:, self._length] = (count, high, low)
        self._length += 1

    def extend(self, times: Floats, values: Floats) -> None:
        """Add many single values at once."""
        self._make_room(len(times))
        window = slice(self._length, self._length + len(times))
        joined = np.concatenate([self._times[max(self._length - 1, 0) : self._length], times])
        self._ordered = self._ordered and bool(np.all(joined[1:] >= joined[:-1]))
        self._times[window], self._values[window] = times, values
        if self._detail is not None:
            self._detail[:, window] = np.stack([np.ones(len(values)), values, values])
        self._length += len(times)

    def _place(self, time: float, value: float) -> None:
        if self._length and time < self._times[self._length - 1]:
            self._ordered = False
        self._times[self._length], self._values[self._length] = time, value

    def _make_room(self, more: int) -> None:
        needed = self._length + more
        if needed <= len(self._times):
            return
        spare = max(needed, len(self._times) + len(self._times) // 4 + 16) - len(self._times)
        self._times = np.concatenate([self._times, np.empty(spare)])
        self._values = np.concatenate([self._values, np.empty(spare)])
        if self._detail is not None:
            self._detail = np.concatenate([self._detail, np.empty((3, spare))], axis=1)

    def _with_detail(self) -> Floats:
        if self._detail is None:
            self._detail = np.stack([np.ones_like(self._values), self._values, self._values])
        return self._detail

    def _sort(self) -> None:
        if self._ordered:
            return
        order = np.argsort(self._times[: self._length], kind="stable")
        self._times[: self._length] = self._times[: self._length][order]
        self._values[: self._length] = self._values[: self._length][order]
        if self._detail is not None:
            self._detail[:, : self._length] = self._detail[:, : self._length][:, order]
        self._ordered = True

    def aggregate(self, start: float, end: float, period: float, statistic: str) -> Points:
        """Sum up each period from the one that holds `start` to the last that begins before `end`."""
        self._sort()
        first = start - start % period
        last = end + (-end) % period
        times = self._times[: self._length]
        low, high = int(np.searchsorted(times, first)), int(np.searchsorted(times, last))
        reduce = reducer(statistic)
        if low == high:
            return Points.none()
        buckets = times[low:high] - times[low:high] % period
        begins = np.flatnonzero(np.concatenate([[True], buckets[1:] != buckets[:-1]]))
        return Points(buckets[begins], reduce(self._columns(low, high), begins))

    def _columns(self, low: int, high: int) -> Floats:
        values = self._values[low:high]
        if self._detail is None:
            return np.stack([values, np.ones_like(values), values, values])
        return np.concatenate([values[np.newaxis], self._detail[:, low:high]])


Reducer = Callable[[Floats, npt.NDArray[np.intp]], Floats]


def _average(columns: Floats, begins: npt.NDArray[np.intp]) -> Floats:
    return _total(columns[_SUM], begins) / np.maximum(_total(columns[_COUNT], begins), 1e-300)


def _total(values: Floats, begins: npt.NDArray[np.intp]) -> Floats:
    total: Floats = np.add.reduceat(values, begins)
    return total


REDUCERS: dict[str, Reducer] = {
    "Sum": lambda columns, begins: _total(columns[_SUM], begins),
    "SampleCount": lambda columns, begins: _total(columns[_COUNT], begins),
    "Average": _average,
    "Maximum": lambda columns, begins: np.maximum.reduceat(columns[_HIGH], begins),
    "Minimum": lambda columns, begins: np.minimum.reduceat(columns[_LOW], begins),
}


def reducer(statistic: str) -> Reducer:
    """Return the function for a statistic: Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99."""
    if statistic in REDUCERS:
        return REDUCERS[statistic]
    percentile = _PERCENTILE.fullmatch(statistic)
    if percentile is None:
        message = f"The value {statistic} for parameter Stat is not supported."
        raise ValidationError(message)
    share = float(percentile[1])

    def reduce(columns: Floats, begins: npt.NDArray[np.intp]) -> Floats:
        each = columns[_SUM] / np.maximum(columns[_COUNT], 1e-300)
        times = columns[_COUNT].astype(int).clip(1)
        groups = zip(np.split(each, begins[1:]), np.split(times, begins[1:]), strict=True)
        return np.array([np.percentile(np.repeat(values, counts), share) for values, counts in groups])

    return reduce


class MetricStore:
    """Every metric of one account and region."""

    def __init__(self) -> None:
        self.series: dict[Metric, Series] = {}

    def find(self, metric: Metric) -> Series | None:
        """Return the data of a metric, if there are any."""
        return self.series.get(metric)

    def open(self, metric: Metric, unit: str = "None") -> Series:
        """Return the data of a metric, new if need be."""
        series = self.series.get(metric)
        if series is None:
            series = self.series[metric] = Series(unit)
        return series

    def write(self, metric: Metric, times: Floats, values: Floats, unit: str = "None") -> None:
        """Write a history of single values past the limits of the API."""
        self.open(metric, unit).extend(times, values)


def store_of(backend: CloudWatchBackend) -> MetricStore:
    """Return the metrics of a CloudWatch backend; they go when moto resets it."""
    store: MetricStore = vars(backend).setdefault("_metric_store", MetricStore())
    return store


def epoch(instant: datetime | float) -> float:
    """Return an instant in epoch seconds; one without a zone is UTC, as moto parses it."""
    if not isinstance(instant, datetime):
        return float(instant)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return instant.timestamp()
