"""Capacity over time: which instances each cell of time needs, and fewer steps that never fall below it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.forecast import Forecast
    from forecasting.policy import Policy
    from forecasting.values import Values

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
    # Every cell is covered by neighbouring slots: the greatest of them decides, of equals the earliest.
    every = np.arange(count)
    earliest, latest = np.searchsorted(last, every, side="right"), np.searchsorted(first, every, side="right") - 1
    driver = earliest
    for later in range(1, int((latest - earliest).max()) + 1):
        slot = np.minimum(earliest + later, latest)
        driver = np.where(demand[slot] > demand[driver], slot, driver)
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
    opens = {part.first: part for part in parts}
    closes = {part.last: part for part in parts}
    heap = [_joint(left, right) for left, right in pairwise(parts)]
    heapify(heap)
    while len(opens) > max(count, 1):
        *_, left, right = heappop(heap)
        if opens.get(left.first) is not left or opens.get(right.first) is not right:
            continue  # One of the two has been merged since.
        del opens[right.first], closes[left.last]
        higher = max(left.capacity, right.capacity)
        joined = Segment(first=left.first, last=right.last, capacity=higher, merged=True)
        opens[joined.first] = closes[joined.last] = joined
        before, after = closes.get(joined.first), opens.get(joined.last)
        if before:
            heappush(heap, _joint(before, joined))
        if after:
            heappush(heap, _joint(joined, after))
    return sorted(opens.values(), key=lambda part: part.first)


def _joint(left: Segment, right: Segment) -> tuple[int, int, int, Segment, Segment]:
    """Order a merger by what it would add, then by time; no two pairs ever span the same cells."""
    lower = min(left, right, key=lambda part: part.capacity)
    return abs(left.capacity - right.capacity) * lower.length, left.first, right.last, left, right


def floor(when: datetime, size: timedelta) -> datetime:
    """Go back to the last whole multiple of a size since midnight UTC."""
    return when - (when - _EPOCH) % size
