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
from forecasting.sliding import window_means
from forecasting.values import block_means_from

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

HALF_LIVES_HOURS = (1 / 6, 1.0, 6.0, 24.0)
LEADS_HOURS = (1 / 12, 1 / 6, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 24, 36, 48)
SHRINK = 0.02
TAIL_DAYS = 3
BLOCK_HOURS = 8  # The moving averages at the ends of so many hours come of one product.


class Correction:
    """Coefficients learnt once from the residuals of a whole history, usable at any origin within it."""

    def __init__(self, residuals: Values, slots: Slots) -> None:
        """Learn from the residuals of a whole history."""
        self._slots = slots
        noise = time_of_day_scale(np.abs(residuals), slots.per_day)
        self._noise = around(noise, 0, max(TAIL_DAYS * slots.per_day, slots.horizon) + slots.per_day)
        self._leads = tuple(sorted({slots.of(hours) for hours in LEADS_HOURS}))
        even = residuals / around(noise, -residuals.shape[1], 0)
        averages, ends = _averages(even, slots)
        self._coefficients = _coefficients(even, averages, ends, self._leads, slots)

    def carried(self, residuals: Values, ago: int = 0) -> Values:
        """Give the correction over the horizon, after residuals that end `ago` slots before the history does."""
        recent = residuals[:, -TAIL_DAYS * self._slots.per_day :]
        even = recent / self._noise_from(-ago - recent.shape[1], recent.shape[1])
        now = even @ _kernel(recent.shape[1], self._slots)
        between = _between(self._leads, self._slots.horizon)
        carried = np.einsum("nlj,nj->nl", self._coefficients[:, :, :-1], now) @ between
        if recent.shape[1] >= self._slots.per_day:
            of_hours = window_means(even[:, 1 - self._slots.per_day - self._slots.hour :], self._slots.hour)
            day_before = around(of_hours, 0, self._slots.horizon)
            carried += (self._coefficients[:, :, -1] @ between) * day_before
        carried *= self._noise_from(-ago, self._slots.horizon)
        return np.asarray(carried)

    def _noise_from(self, first: int, count: int) -> Values:
        begin = first % self._slots.per_day
        return self._noise[:, begin : begin + count]


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
    """Give the moving averages at the end of every hour, (series, hours, half-lives), and the slots of those ends."""
    (series, length), size = residuals.shape, slots.hour
    before = -length % (BLOCK_HOURS * size)
    if before:  # There was nothing before: that makes the first block whole.
        residuals = np.pad(residuals, ((0, 0), (before, 0)))
    blocks = residuals.reshape(series, -1, BLOCK_HOURS * size)
    averages = (blocks @ _block_kernel(slots)).reshape(series, -1, BLOCK_HOURS, len(HALF_LIVES_HOURS))
    fades = _decays(slots) ** (size * np.arange(1, BLOCK_HOURS + 1)[:, None])
    for block in range(1, averages.shape[1]):
        averages[:, block] += fades * averages[:, block - 1, -1:]
    ends = np.arange(size - 1 - before, length, size)
    settled = np.searchsorted(ends, max(slots.per_day + size, min(3 * slots.per_day, length - slots.of(52))))
    return averages.reshape(series, len(ends), -1)[:, settled:], ends[settled:]


@lru_cache(maxsize=64)
def _block_kernel(slots: Slots) -> Values:
    """Give what each slot of a block counts for the averages at the ends of its hours: (slots, hours x half-lives)."""
    ends = slots.hour * np.arange(1, BLOCK_HOURS + 1, dtype=np.float32)[:, None] - 1
    ages = ends - np.arange(BLOCK_HOURS * slots.hour, dtype=np.float32)[:, None, None]
    counts = np.where(ages >= 0, _decays(slots) ** np.maximum(ages, 0) * (1 - _decays(slots)), 0)
    return np.asarray(counts.reshape(len(ages), -1))


def _coefficients(
    residuals: Values, averages: Values, ends: np.ndarray, leads: tuple[int, ...], slots: Slots
) -> Values:
    """Regress, for each series and lead: (series, leads, half-lives and the day before)."""
    series, _, kinds = averages.shape
    usable = np.searchsorted(ends, residuals.shape[1] - np.array(leads))
    usable[usable < 2 * kinds] = 0
    later, day_before = _at_leads(residuals, ends, leads, usable, slots)
    gram = np.empty((series, len(leads), kinds + 1, kinds + 1), dtype=np.float32)
    whole = averages.transpose(0, 2, 1) @ averages
    for index, count in enumerate(usable):
        unknown = averages[:, count:]
        gram[:, index, :kinds, :kinds] = whole - unknown.transpose(0, 2, 1) @ unknown if count else 0
    gram[:, :, :kinds, kinds] = gram[:, :, kinds, :kinds] = day_before @ averages
    gram[:, :, kinds, kinds] = np.einsum("nlh,nlh->nl", day_before, day_before)
    right = np.empty((series, len(leads), kinds + 1), dtype=np.float32)
    right[:, :, :kinds] = later @ averages
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
    hourly = _Hourly(residuals, size)
    for index, (lead, count) in enumerate(zip(leads, usable.tolist(), strict=True)):
        if count:
            at = int(ends[0]) + lead
            later[:, index, :count] = hourly.slots(at)[:, :count]
            day_before[:, index, :count] = hourly.means(at - slots.per_day * -(-lead // slots.per_day))[:, :count]
    return later, day_before


class _Hourly:
    """What comes once an hour, laid side by side: leads that lie whole hours apart have it in common."""

    def __init__(self, residuals: Values, size: int) -> None:
        self._residuals, self._size = residuals, size
        self._slots: dict[int, Values] = {}
        self._means: dict[int, Values] = {}

    def slots(self, first: int) -> Values:
        """Give a slot and those whole hours after it."""
        begin, minute = divmod(first, self._size)
        if minute not in self._slots:
            self._slots[minute] = np.ascontiguousarray(self._residuals[:, minute :: self._size])
        return self._slots[minute][:, begin:]

    def means(self, first: int) -> Values:
        """Give the mean of the hour that ends with a slot, and of the hours after it."""
        begin, minute = divmod(first + 1, self._size)
        if minute not in self._means:
            self._means[minute] = block_means_from(self._residuals, minute, self._size)
        return self._means[minute][:, begin - 1 :]
