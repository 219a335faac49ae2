"""People live by their own clocks: demand follows local time, so models learn on wall-clock slots.

A day on which clocks change has a slot that never was (left missing) or one that came twice (averaged). The
forecast is made for wall-clock slots and read back for every slot of UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from forecasting.instant import zone

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.values import Values

_PROBE = 1_800  # Clocks change on half hours everywhere.


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClock:
    """Where each slot of UTC, past and future, lies on the wall clock."""

    start: datetime  # naive: the earliest time that the clock showed
    past: npt.NDArray[np.int64]
    future: npt.NDArray[np.int64]

    @property
    def length(self) -> int:
        """Count the wall-clock slots of the past; within an hour that comes twice the last one is not the latest."""
        return int(self.past.max()) + 1

    @property
    def horizon(self) -> int:
        """Count the wall-clock slots to forecast."""
        return max(int(self.future.max()) + 1 - self.length, 1)

    @property
    def even(self) -> bool:
        """Tell whether no clock changed in the past, so that slots are the same in both."""
        return self.length == len(self.past) and self.past[0] == 0

    def hang(self, values: Values) -> Values:
        """Move a series of UTC slots to wall-clock slots."""
        if self.even:
            return values
        known = ~np.isnan(values)
        counts = np.bincount(self.past[known], minlength=self.length)
        sums = np.bincount(self.past[known], weights=values[known], minlength=self.length)
        return np.asarray(np.divide(sums, counts, out=np.full(self.length, np.nan), where=counts > 0))

    def take_down(self, outlook: Values) -> Values:
        """Move a forecast of wall-clock slots (last axis) back to UTC slots."""
        return np.asarray(outlook[..., np.clip(self.future - self.length, 0, None)])


@lru_cache(maxsize=256)
def wall_clock(start: datetime, step: timedelta, past: int, future: int, timezone: str) -> WallClock:
    """Lay `past` + `future` slots from `start` on the wall clock of a time zone."""
    offsets = _offsets(start, step, past + future, timezone)
    slots = np.arange(past + future) + np.rint((offsets - offsets[0]) / step.total_seconds()).astype(np.int64)
    # A past that begins in an hour that comes twice goes back to before its first slot.
    before = min(0, int(slots[:past].min()))
    slots -= before
    first = start.replace(tzinfo=None) + timedelta(seconds=float(offsets[0])) + before * step
    return WallClock(start=first, past=slots[:past], future=slots[past:])


def _offsets(start: datetime, step: timedelta, count: int, timezone: str) -> Values:
    """Look up the offset from UTC, once for every half hour rather than for every slot."""
    local = zone(timezone)
    seconds = start.timestamp() + step.total_seconds() * np.arange(count)
    probes, where = np.unique(seconds // _PROBE, return_inverse=True)
    found = [_offset(float(probe) * _PROBE, local) for probe in probes]
    offsets: Values = np.array(found, dtype=np.float64)[where]
    return offsets


def _offset(seconds: float, local: object) -> float:
    delta = datetime.fromtimestamp(seconds, UTC).astimezone(local).utcoffset()  # type: ignore[arg-type]
    return delta.total_seconds() if delta else 0.0
