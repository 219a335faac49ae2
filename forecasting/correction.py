"""Where the series stands now: the latest residuals of a curve, carried forward as far as they have proved to carry.

For each series and lead, a ridge regression of the residual to come on moving averages of the residuals so far and on
what was left over at the same time of the last day, all of them as shares of how noisy their time of day is: what a
calm night leaves over says little of the noon.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from forecasting.interval import time_of_day_scale
from forecasting.seasons import around
from forecasting.sliding import trailing_mean

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

HALF_LIVES_HOURS = (1 / 6, 1.0, 6.0, 24.0)
LEADS_HOURS = (1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 24, 36, 48)
SHRINK = 0.02
TAIL_DAYS = 3


class Correction:
    """Coefficients learnt once from the residuals of a whole history, usable at any origin within it."""

    def __init__(self, residuals: Values, slots: Slots) -> None:
        """Learn from the residuals of a whole history."""
        self._slots = slots
        self._noise = time_of_day_scale(np.abs(residuals), slots.per_day)
        self._leads = tuple(sorted({slots.of(hours) for hours in LEADS_HOURS}))
        even = residuals / around(self._noise, -residuals.shape[1], 0)
        averages, ends = _averages(even, slots)
        self._coefficients = _coefficients(even, averages, ends, self._leads, slots)

    def carried(self, residuals: Values, ago: int = 0) -> Values:
        """Give the correction over the horizon, after residuals that end `ago` slots before the history does."""
        recent = residuals[:, -TAIL_DAYS * self._slots.per_day :]
        even = recent / around(self._noise, -ago - recent.shape[1], -ago)
        now = even @ _kernel(recent.shape[1], self._slots)
        between = _between(self._leads, self._slots.horizon)
        carried = np.einsum("nlj,nj->nl", self._coefficients[:, :, :-1], now) @ between
        if recent.shape[1] >= self._slots.per_day:
            of_hours = trailing_mean(even[:, -self._slots.per_day - self._slots.hour :], self._slots.hour)
            day_before = around(of_hours[:, -self._slots.per_day :], 0, self._slots.horizon)
            carried += (self._coefficients[:, :, -1] @ between) * day_before
        carried *= around(self._noise, -ago, self._slots.horizon - ago)
        return np.asarray(carried)


@lru_cache(maxsize=64)
def _between(leads: tuple[int, ...], horizon: int) -> Values:
    """Weigh the leads for each slot of the horizon, by lines on a logarithmic scale: (leads, horizon)."""
    asked, known = np.log(np.arange(1, horizon + 1)), np.log(leads)
    return np.array([np.interp(asked, known, at) for at in np.eye(len(leads))], dtype=np.float32)


def _decays(slots: Slots) -> Values:
    return np.array([0.5 ** (24 / hours / slots.per_day) for hours in HALF_LIVES_HOURS], dtype=np.float32)


@lru_cache(maxsize=64)
def _kernel(length: int, slots: Slots) -> Values:
    """Weights of exponential moving averages, latest last; one column for each half-life."""
    decays = _decays(slots)
    ages = np.arange(length, dtype=np.float32)[::-1, None]
    return np.asarray(decays**ages * (1 - decays))


def _averages(residuals: Values, slots: Slots) -> tuple[Values, np.ndarray]:
    """Give the moving averages at the end of every hour: (hours, series, half-lives), and the slots of those ends."""
    series, length = residuals.shape
    size, count = slots.hour, length // slots.hour
    skip = length - count * size
    sums = residuals[:, skip:].reshape(series, count, size) @ _kernel(size, slots)
    averages = np.ascontiguousarray(sums.transpose(1, 0, 2))
    fade = _decays(slots) ** size
    for hour in range(1, count):
        averages[hour] += fade * averages[hour - 1]
    ends = skip + size * np.arange(1, count + 1) - 1
    settled = ends >= max(slots.per_day + slots.hour, min(3 * slots.per_day, length - slots.of(52)))
    return averages[settled], ends[settled]


def _coefficients(
    residuals: Values, averages: Values, ends: np.ndarray, leads: tuple[int, ...], slots: Slots
) -> Values:
    """Regress, for each series and lead: (series, leads, half-lives and the day before)."""
    series, kinds = averages.shape[1:]
    so_far = np.ascontiguousarray(averages.transpose(1, 2, 0))
    usable = np.searchsorted(ends, residuals.shape[1] - np.array(leads))
    usable[usable < 2 * kinds] = 0
    later, day_before = _at_leads(residuals, ends, leads, usable, slots)
    gram = np.empty((series, len(leads), kinds + 1, kinds + 1), dtype=np.float32)
    whole = so_far @ so_far.transpose(0, 2, 1)
    for index, count in enumerate(usable):
        unknown = so_far[:, :, count:]
        gram[:, index, :kinds, :kinds] = whole - unknown @ unknown.transpose(0, 2, 1) if count else 0
    gram[:, :, :kinds, kinds] = gram[:, :, kinds, :kinds] = day_before @ averages.transpose(1, 0, 2)
    gram[:, :, kinds, kinds] = np.einsum("nlh,nlh->nl", day_before, day_before)
    right = np.empty((series, len(leads), kinds + 1), dtype=np.float32)
    right[:, :, :kinds] = later @ averages.transpose(1, 0, 2)
    right[:, :, kinds] = np.einsum("nlh,nlh->nl", day_before, later)
    scale = np.trace(gram[:, :, :kinds, :kinds], axis1=2, axis2=3)[:, :, None, None] / kinds
    gram += (SHRINK * scale + 1e-9) * np.eye(kinds + 1, dtype=np.float32)
    return np.asarray(np.linalg.solve(gram, right[..., None])[..., 0])


def _at_leads(
    residuals: Values, ends: np.ndarray, leads: tuple[int, ...], usable: np.ndarray, slots: Slots
) -> tuple[Values, Values]:
    """Give what came at each lead after each end, and the hour at that time of the last day; 0 where none is usable."""
    shape, size = (len(residuals), len(leads), len(ends)), slots.hour
    later, day_before = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    of_hours = trailing_mean(residuals, size)
    for index, (lead, count) in enumerate(zip(leads, usable.tolist(), strict=True)):
        if count:
            now, back = int(ends[0]), -lead % slots.per_day
            later[:, index, :count] = residuals[:, now + lead :: size][:, :count]
            day_before[:, index, :count] = of_hours[:, now - back :: size][:, :count]
    return later, day_before
