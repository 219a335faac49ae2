"""A lasting change of level: seasonal models would fall back to the old level, so the past is moved to the new one.

A holiday looks much the same in its first hours. It is told apart by looking like another day of the past week: a
day off at the level of a Sunday is no shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecasting.interval import OFFSET

if TYPE_CHECKING:
    from forecasting.demand import Values
    from forecasting.slots import Slots

LASTING_HOURS = 3
LEAST = np.log(1.5)
SPREADS = 6.0
ONE_SIDED = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One series whose level changed `age` slots ago by `factor`."""

    row: int
    age: int
    factor: float


def find_shifts(values: Values, slots: Slots) -> list[Shift]:
    """Find the series whose last hours all lie far from the same time of the days before."""
    length, per_day = values.shape[1], slots.per_day
    if length < 6 * per_day:
        return []
    logs = np.log(values + OFFSET * np.median(values, axis=1, keepdims=True) + 1e-9)
    lags = (per_day, 2 * per_day, 7 * per_day if length >= 11 * per_day else 3 * per_day)
    away = logs[:, lags[2] :] - _median_of_three(*(logs[:, lags[2] - lag : length - lag] for lag in lags))
    rows = np.flatnonzero(_far(away, slots))
    return [_measured(away[row], int(row), slots) for row in rows if not _like_another_day(logs[row], slots)]


def rebased(values: Values, shift: Shift) -> Values:
    """Give one series with everything before its shift moved to the new level."""
    moved = values[shift.row].copy()
    moved[: len(moved) - shift.age] *= shift.factor
    return np.asarray(moved)


def _median_of_three(first: Values, second: Values, third: Values) -> Values:
    return np.asarray(np.maximum(np.minimum(first, second), np.minimum(np.maximum(first, second), third)))


def _far(away: Values, slots: Slots) -> np.ndarray:
    """Tell which series have been farther away in their last hours than ever before, all the time on one side."""
    width, day = slots.of(LASTING_HOURS), slots.per_day
    latest = away[:, -width:]
    now = latest.mean(axis=1)
    sums = np.cumsum(away, axis=1, dtype=np.float64)
    means = (sums[:, width:] - sums[:, :-width]) / width
    before = means[:, : -(3 * day if means.shape[1] > 6 * day else day) : max(1, slots.of(0.5))]
    spread = 1.4826 * np.median(np.abs(before - np.median(before, axis=1, keepdims=True)), axis=1) + 1e-3
    ever = np.quantile(np.abs(before), 0.995, axis=1)
    calm = (np.sign(latest) == np.sign(now)[:, None]).mean(axis=1) > ONE_SIDED
    return np.asarray(calm & (np.abs(now) > np.maximum(np.maximum(SPREADS * spread, LEAST), ever)))


def _like_another_day(logs: Values, slots: Slots) -> bool:
    """Tell whether one of the last seven days was at the present level at this time."""
    width = slots.of(LASTING_HOURS)
    latest = logs[-width:]
    for days in range(1, min(7, len(logs) // slots.per_day - 1) + 1):
        end = len(logs) - days * slots.per_day
        if abs(float((latest - logs[end - width : end]).mean())) < LEAST / 2:
            return True
    return False


def _measured(away: Values, row: int, slots: Slots) -> Shift:
    """Go back hour by hour for as long as most of the hour lies on the new side, for at most a day."""
    now = away[-slots.of(LASTING_HOURS) :].mean()
    beyond = np.sign(now) * away > abs(now) / 2
    hour = slots.hour
    hours = beyond[len(beyond) % hour :].reshape(-1, hour).mean(axis=1)[::-1] >= 0.5
    count = len(hours) if hours.all() else int(np.argmin(hours))
    age = min(max(count * hour, slots.of(LASTING_HOURS)), slots.per_day)
    return Shift(row=row, age=age, factor=float(np.exp(np.median(away[-age:]))))
