"""The shape of a week as it was: the mean of each time of week, recent weeks counting more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.seasons import around, overlaid
from forecasting.values import block_means

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

WEEK_KNOWN_DAYS = 7
WEEK_DECAY = 0.7
DAY_HALF_LIFE = 5.0
# A time of week is seen four times a month: half of its shape is borrowed from the same time of days of its kind.
BORROWED = 0.5
SMOOTH_HOURS = 1 / 4


def _mixed() -> Values:
    """Tell how much of each day's shape every day of the week has; what two days have of each other is the same."""
    kinds = np.arange(7) >= 5
    alike = (kinds[:, None] == kinds) / np.where(kinds, kinds.sum(), (~kinds).sum())
    return np.asarray((1 - BORROWED) * np.eye(7) + BORROWED * alike, dtype=np.float32)


_MIXED = _mixed()


class Profile:
    """A level, and a shape of the week where two weeks are known, else of the day."""

    name = "profile"

    def __init__(self, slots: Slots, *, weekly: bool) -> None:
        """Choose the grid, and whether the week may be learnt."""
        self._slots, self._weekly = slots, weekly

    def curve(self, logs: Values, first: int, last: int) -> Values:
        """Average all columns of `logs` and give the shape from slot `first` to before `last`."""
        known, per_day = logs.shape[1], self._slots.per_day
        weekly = self._weekly and known >= WEEK_KNOWN_DAYS * per_day
        shape = self._by_week(logs) if weekly else _by_day(logs, per_day)
        shape = smooth_circle(shape, self._slots.of(SMOOTH_HOURS))
        # The first column of a shape is the slot at which the last whole season of the history begins.
        return np.asarray(around(shape, first - known, last - known) + self._level(logs, shape))

    def _level(self, logs: Values, shape: Values) -> Values:
        """Average what the shape leaves of the days, so that a weekend does not pass for a change of level."""
        per_day = self._slots.per_day
        days = block_means(logs[:, logs.shape[1] % per_day :], per_day)
        of_shape = block_means(shape, per_day)
        explained = of_shape[:, np.arange(-days.shape[1], 0) % of_shape.shape[1]]
        weights = _decaying(days.shape[1], 0.5 ** (1 / DAY_HALF_LIFE))
        return np.asarray((days - explained) @ weights)[:, None]

    def _by_week(self, logs: Values) -> Values:
        per_day, per_week = self._slots.per_day, self._slots.per_week
        shape = overlaid(logs, per_week, _decaying(logs.shape[1] // per_week, WEEK_DECAY))
        # Days of the calendar, not of the last 24 hours: the midnight after Friday is a step.
        since_monday = (logs.shape[1] + self._slots.phase) % per_week
        week = np.roll(shape, since_monday, axis=1).reshape(len(logs), 7, per_day)
        mixed = _MIXED @ week
        of_days = block_means(week.reshape(len(logs), per_week), per_day)
        mixed += (of_days - of_days @ _MIXED)[:, :, None]  # Each day keeps its own level.
        return np.asarray(np.roll(mixed.reshape(len(logs), per_week), -since_monday, axis=1))


def _by_day(logs: Values, per_day: int) -> Values:
    return overlaid(logs, per_day, _decaying(logs.shape[1] // per_day, 0.5 ** (1 / DAY_HALF_LIFE)))


def smooth_circle(values: Values, width: int) -> Values:
    """Average each slot with its neighbours within an odd width, the last slot being a neighbour of the first."""
    half = (width - 1) // 2
    if half == 0:
        return values
    size, ring = values.shape[1], np.concatenate([values[:, -half:], values, values[:, :half]], axis=1)
    total = ring[:, :size] + values
    for first in (*range(1, half), *range(half + 1, 2 * half + 1)):
        total += ring[:, first : first + size]
    total /= 2 * half + 1
    return total


def _decaying(count: int, decay: float) -> Values:
    weights = decay ** np.arange(count)[::-1]
    return np.asarray(weights / weights.sum(), dtype=np.float32)
