"""Capacity over time: which instances each cell of time needs, and fewer steps that never fall below it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

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


def cells(forecast: Forecast, policy: Policy, now: datetime) -> Cells:
    """Bring every slot's need forward by the lead time and let it last until its load is gone."""
    start = floor(now, policy.granularity)
    count = max(1, math.ceil((forecast.end - start) / policy.granularity))
    demand = forecast.at(policy.quantile)
    driver = np.zeros(count, dtype=np.int64)
    # The greatest demand is written last and so decides the cells it shares; of equals, the earliest.
    for slot in np.lexsort((-np.arange(len(demand)), demand)):
        opens = forecast.start + int(slot) * forecast.step
        first = math.floor((opens - policy.lead_time - start) / policy.granularity)
        last = math.ceil((opens + forecast.step + policy.stabilisation - start) / policy.granularity)
        # Before the forecast begins its first slot is the best there is.
        driver[0 if slot == 0 else max(first, 0) : max(last, 0)] = slot
    capacity = np.array([policy.bounded(policy.needed(float(value))) for value in demand], dtype=np.int64)
    return Cells(start=start, size=policy.granularity, capacity=capacity[driver], driver=driver)


def segments(capacity: npt.NDArray[np.int64]) -> list[Segment]:
    """Join neighbouring cells of one capacity."""
    edges = [0, *(np.flatnonzero(np.diff(capacity)) + 1).tolist(), len(capacity)]
    return [Segment(first=first, last=last, capacity=int(capacity[first])) for first, last in pairwise(edges)]


def without_wobbles(parts: list[Segment], tolerance: float, settled: int, current: int | None) -> list[Segment]:
    """Stay up through lowerings that are both small and short; a raise is never left out."""
    kept: list[Segment] = []
    held = current
    for part in parts:
        lowering = held is not None and 0 <= held - part.capacity <= tolerance * held
        if held is not None and lowering and (part.length < settled or part.capacity == held):
            part = replace(part, capacity=held)  # noqa: PLW2901  (the same cells at the capacity kept)
        held = part.capacity
        if kept and kept[-1].capacity == part.capacity:
            part = replace(kept.pop(), last=part.last)  # noqa: PLW2901  (grown by its neighbour)
        kept.append(part)
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
