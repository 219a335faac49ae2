"""The shape of a week as it was: the mean of each time of week, recent weeks counting more."""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from forecasting.seasons import around, mean_seasons
from forecasting.sliding import window_means
from forecasting.values import block_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.curve import Fit
    from forecasting.slots import Slots
    from forecasting.values import Values

WEEK_KNOWN_DAYS = 7
WEEK_DECAY = 0.7
DAY_DECAY = 0.5 ** (1 / 5)
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

    def fits(self, logs: Values, ends: Sequence[int]) -> list[Fit]:
        """Average what is known before each end."""
        slots = self._slots
        week_from = WEEK_KNOWN_DAYS * slots.per_day if self._weekly else ends[-1] + 1
        days, weeks = ([end for end in ends if (end >= week_from) == weekly] for weekly in (False, True))
        shapes = chain(
            mean_seasons(logs, days, slots.phase, slots.per_day, DAY_DECAY),
            map(self._mixed, mean_seasons(logs, weeks, slots.phase, slots.per_week, WEEK_DECAY)),
        )
        return [self._fit(logs[:, :end], shape) for end, shape in zip(ends, shapes, strict=True)]

    def _fit(self, logs: Values, shape: Values) -> Fit:
        """Smooth a shape, and lift it by what it leaves of the days, so that a weekend is no change of level."""
        of_slots, of_shape = _day_weights(self._slots, logs.shape[1], shape.shape[1])
        shape = smooth_circle(shape, self._slots.of(SMOOTH_HOURS))
        level = logs @ of_slots - shape @ of_shape
        return partial(self._curve, shape, level[:, None])

    def _curve(self, shape: Values, level: Values, first: int, last: int) -> Values:
        return np.asarray(around(shape, first + self._slots.phase, last + self._slots.phase) + level)

    def _mixed(self, week: Values) -> Values:
        """Mix what the days of a week, from Monday 00:00 on, have in common with days of their kind."""
        of_days = block_means(week, self._slots.per_day)
        mixed = np.asarray(_MIXED @ week.reshape(-1, 7, self._slots.per_day))
        mixed += (of_days - of_days @ _MIXED)[:, :, None]  # Each day keeps its own level.
        return mixed.reshape(week.shape)


@lru_cache(maxsize=64)
def _day_weights(slots: Slots, known: int, season: int) -> tuple[Values, Values]:
    """Give what each known slot counts, as much as any other of its 24 hours; and the same for slots of a season."""
    days = known // slots.per_day
    weights = DAY_DECAY ** (np.arange(known)[::-1] // slots.per_day)
    weights[: known - days * slots.per_day] = 0.0
    weights /= weights.sum()
    of_season = np.bincount((np.arange(known) + slots.phase) % season, weights, season)
    return weights.astype(np.float32), of_season.astype(np.float32)


def smooth_circle(values: Values, width: int) -> Values:
    """Average each slot with its neighbours within an odd width, the last slot being a neighbour of the first."""
    half = (width - 1) // 2
    if half == 0:
        return values
    ring = np.concatenate([values[:, -half:], values, values[:, :half]], axis=1)
    return window_means(ring, 2 * half + 1)
