"""Capacity over time: which instances each cell of time needs, and fewer steps that never fall below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.demand import Values
    from forecasting.forecast import Forecast
    from forecasting.policy import Policy

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A small lowering that lasts this long is worth a step; a shorter one is a wobble.
SETTLED = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Time from now to the end of the forecast, cut at whole multiples of the policy's granularity."""

    start: datetime
    size: timedelta
    capacity: npt.NDArray[np.int64]
    driver: npt.NDArray[np.int64]  # the forecast slot whose demand decides the cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Cells from `first` to before `last` that hold one capacity."""

    first: int
    last: int
    capacity: int
    merged: bool = False

    @property
    def length(self) -> int:
        """Count the cells."""
        return self.last - self.first


def instances(demand: Values, policy: Policy) -> npt.NDArray[np.int64]:
    """Count the instances that serve each demand, within the policy's bounds."""
    return np.clip(policy.counted(demand), policy.min_size, policy.ceiling)


def cells(forecast: Forecast, policy: Policy, now: datetime) -> Cells:
    """Bring every slot's need forward by the lead time and let it last until its load is gone."""
    start = floor(now, policy.granularity)
    count = max(1, math.ceil((forecast.end - start) / policy.granularity))
    demand = forecast.at(policy.quantile)
    apart = forecast.step / policy.granularity
    opens = (forecast.start - start) / policy.granularity + np.arange(len(demand)) * apart
    # Rounding to a millionth first: a slot that opens with a cell must not begin a hair before it.
    first = np.floor(np.round(opens - policy.lead_time / policy.granularity, 6)).astype(np.int64).clip(0)
    lasting = (forecast.step + policy.stabilisation) / policy.granularity
    last = np.ceil(np.round(opens + lasting, 6)).astype(np.int64).clip(0)
    first[0] = 0  # Before the forecast begins its first slot is the best there is.
    driver = np.zeros(count, dtype=np.int64)
    # The greatest demand is written last and so decides the cells it shares; of equals, the earliest.
    for slot in np.lexsort((-np.arange(len(demand)), demand)).tolist():
        driver[first[slot] : last[slot]] = slot
    return Cells(start=start, size=policy.granularity, capacity=instances(demand, policy)[driver], driver=driver)


def segments(capacity: npt.NDArray[np.int64]) -> list[Segment]:
    """Join neighbouring cells of one capacity."""
    edges = [0, *(np.flatnonzero(np.diff(capacity)) + 1).tolist(), len(capacity)]
    return [Segment(first=first, last=last, capacity=int(capacity[first])) for first, last in pairwise(edges)]


def without_wobbles(parts: list[Segment], tolerance: float, settled: int, current: int | None) -> list[Segment]:
    """Stay up through lowerings that are both small and short; a raise is never left out."""
    kept: list[Segment] = []
    held = current
    for part in parts:
        first, capacity = part.first, part.capacity
        if held is not None and 0 <= held - capacity <= tolerance * held and part.length < settled:
            capacity = held
        if kept and kept[-1].capacity == capacity:
            first = kept.pop().first
        kept.append(Segment(first=first, last=part.last, capacity=capacity))
        held = capacity
    return kept


def at_most(parts: list[Segment], count: int) -> list[Segment]:
    """Merge neighbours, always up to the greater capacity, where that adds the fewest instance-hours."""
    parts = list(parts)
    while len(parts) > max(count, 1):
        added = [_added(left, right) for left, right in pairwise(parts)]
        index = int(np.argmin(added))
        left, right = parts[index : index + 2]
        higher = max(left.capacity, right.capacity)
        parts[index : index + 2] = [Segment(first=left.first, last=right.last, capacity=higher, merged=True)]
    return parts


def _added(left: Segment, right: Segment) -> int:
    lower = min(left, right, key=lambda part: part.capacity)
    return abs(left.capacity - right.capacity) * lower.length


def floor(when: datetime, size: timedelta) -> datetime:
    """Go back to the last whole multiple of a size since midnight UTC."""
    return when - (when - _EPOCH) % size
