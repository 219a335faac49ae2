"""How a policy changes a number of instances: AWS's arithmetic of adjustments, as pure functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXACT, CHANGE, PERCENT = "ExactCapacity", "ChangeInCapacity", "PercentChangeInCapacity"


def adjusted(capacity: int, kind: str, adjustment: int, least: int = 0) -> int:
    """Return what an adjustment makes of a capacity; a percentage is rounded towards zero, but never to nothing."""
    if kind == EXACT:
        return adjustment
    if kind == CHANGE:
        return capacity + adjustment
    change = capacity * adjustment / 100
    whole = math.copysign(max(math.floor(abs(change)), 1, least), change) if change else 0
    return capacity + int(whole)


def step(adjustments: Sequence[Mapping[str, Any]], difference: float) -> int | None:
    """Return the adjustment for a metric that is so far above (or below) the threshold of its alarm.

    Above the threshold the lower bound of a step is part of it, below it the upper bound.
    """
    for each in adjustments:
        low = _bound(each, "MetricIntervalLowerBound", -math.inf)
        high = _bound(each, "MetricIntervalUpperBound", math.inf)
        within = low <= difference < high if difference >= 0 else low < difference <= high
        if within:
            return int(each["ScalingAdjustment"])
    return None


def _bound(adjustment: Mapping[str, Any], name: str, default: float) -> float:
    value = adjustment.get(name)
    return default if value is None else float(value)


def proportional(capacity: int, value: float, target: float) -> int:
    """Return the capacity at which a metric that is spread over it would be at its target."""
    return math.ceil(round(capacity * value / target, 9))
