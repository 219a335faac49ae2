"""Demand: what was asked of a fleet, on a regular grid of time, with its gaps left visible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from forecasting.duration import format_duration, shown_duration
from forecasting.errors import InvalidDemand, shown
from forecasting.instant import as_utc
from forecasting.values import GREATEST, TOO_GREAT

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from forecasting.values import Values


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """A series of one step; NaN is a slot nobody measured, never a zero."""

    start: datetime
    step: timedelta
    values: Values

    def __post_init__(self) -> None:
        """Store the start as UTC and the values as a read-only array of finite, non-negative numbers or NaN."""
        if not isinstance(self.step, timedelta) or self.step <= timedelta(0):
            given = shown_duration(self.step)
            msg = f"step {given} is no positive time: give that between two values, e.g. timedelta(minutes=5)"
            raise InvalidDemand(msg)
        object.__setattr__(self, "start", as_utc(self.start, "start", InvalidDemand))
        object.__setattr__(self, "values", _checked(self.values))
        self._check_end()

    def _check_end(self) -> None:
        try:
            as_utc(self.end, "end", InvalidDemand)
        except OverflowError as error:
            msg = f"{len(self)} slots of {self.step} have no end in the calendar: check the step"
            raise InvalidDemand(msg) from error

    @classmethod
    def from_csv(cls, path: str | Path, *, timezone: str = "UTC") -> Self:
        """Read columns timestamp,value[,…]; naive timestamps are local to `timezone`, an empty value is missing."""
        from forecasting.demand_csv import read_demand

        try:
            return cls(*read_demand(path, timezone))
        except InvalidDemand as error:
            raise error.about(str(path)) from error

    @classmethod
    def from_series(cls, series: pd.Series[Any]) -> Self:
        """Read a pandas series with an aware DatetimeIndex; rows absent from its grid become missing."""
        from forecasting.demand_series import read_series

        start, step, values = read_series(series)
        return cls(start, step, values)

    def __len__(self) -> int:
        """Count the slots, missing ones included."""
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        """Compare grids and values; missing equals missing."""
        if not isinstance(other, Demand):
            return NotImplemented
        same_grid = (self.start, self.step) == (other.start, other.step)
        return same_grid and np.array_equal(self.values, other.values, equal_nan=True)

    def __hash__(self) -> int:
        """Hash the grid and the bytes of the values."""
        return hash((self.start, self.step, self.values.tobytes()))

    @property
    def end(self) -> datetime:
        """The instant at which the last slot closes."""
        return self.start + len(self) * self.step

    @property
    def missing(self) -> int:
        """Count the slots nobody measured."""
        return int(np.isnan(self.values).sum())

    def times(self) -> tuple[datetime, ...]:
        """List the instant at which each slot opens."""
        return tuple(self.start + index * self.step for index in range(len(self)))

    def between(self, since: datetime, until: datetime) -> Demand:
        """Keep the slots that open at or after `since` and close at or before `until`."""
        first = max(0, math.ceil((as_utc(since, "since") - self.start) / self.step))
        last = min(len(self), (as_utc(until, "until") - self.start) // self.step)
        if last <= first:
            msg = (
                f"no slot lies between {since.isoformat()} and {until.isoformat()}: "
                f"the demand runs from {self.start.isoformat()} to {self.end.isoformat()}"
            )
            raise InvalidDemand(msg)
        if last - first == len(self):
            return self
        return Demand(self.start + first * self.step, self.step, self.values[first:last])

    def before(self, when: datetime) -> Demand:
        """Keep what was known at `when`: the slots closed by then."""
        return self.between(self.start, when)

    def followed_by(self, later: Demand) -> Demand:
        """Go on with slots of the same grid that were measured later; what is known already stays as it is."""
        first, odd = divmod(later.start - self.start, self.step)
        if later.step != self.step or odd or first < 0:
            msg = f"slots of {later.step} from {later.start.isoformat()} on do not follow on this grid: use its own"
            raise InvalidDemand(msg)
        values = np.full(max(len(self), first + len(later)), np.nan)
        values[first : first + len(later)] = later.values
        values[: len(self)] = np.where(np.isnan(self.values), values[: len(self)], self.values)
        return Demand(self.start, self.step, values)

    def tail(self, duration: timedelta) -> Demand:
        """Keep the last `duration`, or everything when there is less."""
        return self.between(max(self.start, self.end - duration), self.end)

    def every(self, step: timedelta) -> Demand:
        """Average into longer slots aligned to the end; a slot is missing only when all of its parts are."""
        size = step // self.step
        if size < 1 or size * self.step != step:
            own = format_duration(self.step)
            msg = f"step {format_duration(step)} is not a multiple of the demand's own {own}: choose one that is"
            raise InvalidDemand(msg)
        skip = len(self) % size
        blocks = self.values[skip:].reshape(-1, size)
        known = ~np.isnan(blocks)
        counts = known.sum(axis=1)
        sums = np.where(known, blocks, 0.0).sum(axis=1)
        means = np.divide(sums, counts, out=np.full(len(blocks), np.nan), where=counts > 0)
        return Demand(self.start + skip * self.step, step, means)


def _checked(values: npt.ArrayLike) -> Values:
    try:
        known = np.ma.filled(values.astype(np.float64), np.nan) if isinstance(values, np.ma.MaskedArray) else values
        array = np.array(known, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"values {shown(values)} are not numbers ({error}): give floats, NaN for what is missing"
        raise InvalidDemand(msg) from error
    if array.ndim != 1 or array.size == 0:
        msg = f"values have shape {array.shape}: give a one-dimensional, non-empty sequence of numbers"
        raise InvalidDemand(msg)
    _refuse(array, np.isinf(array), "is infinite: use NaN for a missing value")
    _refuse(array, array < 0, "is negative: demand is a count or a rate, use NaN for a missing value")
    _refuse(array, array > GREATEST, TOO_GREAT)
    array.setflags(write=False)
    return array


def _refuse(array: Values, bad: npt.NDArray[np.bool_], why: str) -> None:
    if bad.any():
        index = int(bad.argmax())
        msg = f"value {array[index]:g} at index {index} {why}"
        raise InvalidDemand(msg)
