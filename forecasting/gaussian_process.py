"""The best linear guess of every hour to come, for demand that is made as most of it is: a Gaussian process.

Levels that last, wander or pass; a shape of the day, one of its kinds and one of the week. How much each accounts for
is the same for every series, so one factorisation serves all of them, and its leading blocks every earlier origin.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from forecasting.values import block_means

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

DAY, WEEK = 24.0, 168.0
KNOWN_DAYS = 28
# The share of each part in the variance, of logarithms; the hours within which it fades, or how fine its shape is.
LASTING = 10.0
WANDERING, WANDERING_FADES = 0.35, 60 * DAY
PASSING, PASSING_FADES = 0.025, 1.25
OF_DAY, OF_DAY_FADES = 0.5, 400 * DAY
OF_KIND, KINDS_ALIKE = 4.0, 0.7
OF_WEEK, OF_WEEK_FADES = 0.2, 240 * DAY
OF_WEEKDAY = 0.08
DAY_FINENESS, WEEK_FINENESS = 0.3, 0.73
NOISE = 0.027
STRAYED = 0.3
SMALL = 32


class GaussianProcess:
    """What the hours that are known say of those to come."""

    name = "gaussian process"

    def __init__(self, slots: Slots) -> None:
        """Choose the grid."""
        self._slots = slots

    def guess(self, known: Values, hours: Values, shape: Values) -> Values:
        """Guess what follows; `shape` covers it in whole hours, and only what it makes of an hour is kept.

        What strayed in the last day may be what is to come, if it did not stray too far: bursts pass sooner than any
        level. Of the days before it is known that it was not, so they are taken from `hours`, where it is drawn in.
        """
        size = self._slots.hour
        count, of_day = min(hours.shape[1], _most(self._slots)), self._slots.per_day // size
        hours = hours[:, -count:].copy()
        strayed = block_means(known[:, -of_day * size :], size) - hours[:, -of_day:]
        hours[:, -of_day:] += np.clip(strayed, -STRAYED, STRAYED)
        first = (known.shape[1] - count * size + self._slots.phase) % self._slots.per_week
        level = hours.mean(axis=1, keepdims=True)
        guess = level + (hours - level) @ _weights(replace(self._slots, phase=first), count)
        return np.asarray(shape + np.repeat(guess - block_means(shape, size), size, axis=1))


def _most(slots: Slots) -> int:
    """Count the hours that are ever looked back on."""
    return KNOWN_DAYS * slots.per_day // slots.hour


@lru_cache(maxsize=64)
def _weights(slots: Slots, known: int) -> Values:
    """Give what each known hour, the first of them in column 0, counts for each of those ahead: (known, ahead)."""
    factor, inverse = _factor(slots)
    return np.asarray(inverse[:known, :known].T @ factor[known : known + slots.hours, :known].T)


@lru_cache(maxsize=8)
def _factor(slots: Slots) -> tuple[Values, Values]:
    """Factorise what hours have in common, as many as may be known and those ahead; and invert the known part."""
    known = _most(slots)
    common = _in_common(slots, known + slots.hours)
    np.fill_diagonal(common, common.diagonal() + NOISE)
    factor = np.linalg.cholesky(common)
    return factor.astype(np.float32), _inverse(factor[:known, :known]).astype(np.float32)


def _in_common(slots: Slots, count: int) -> Values:
    """Tell how much hours have in common: by how far apart they are, and by the kind of day their middle lies in."""
    apart = np.arange(count) * (DAY * slots.hour / slots.per_day)
    weekend = (slots.phase + slots.hour * (np.arange(count) + 0.5)) % slots.per_week >= 5 * slots.per_day
    of_day, of_week = _returning(apart, DAY, DAY_FINENESS), _returning(apart, WEEK, WEEK_FINENESS)
    always = (
        LASTING
        + WANDERING * np.exp(-apart / WANDERING_FADES)
        + PASSING * np.exp(-apart / PASSING_FADES)
        + OF_DAY * of_day * np.exp(-apart / OF_DAY_FADES)
        + OF_WEEK * of_week * np.exp(-apart / OF_WEEK_FADES)
        + OF_WEEKDAY * of_day * of_week
    )
    # A weekend that nobody saw is taken to have at least the shape of a working day.
    alike = np.where(np.equal.outer(weekend, weekend), 1.0, KINDS_ALIKE)
    lag = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    return np.asarray(always[lag] + OF_KIND * of_day[lag] * alike)


def _returning(apart: Values, period: float, fineness: float) -> Values:
    return np.asarray(np.exp(-2 * (np.sin(np.pi * apart / period) / fineness) ** 2))


def _inverse(lower: Values) -> Values:
    """Invert a triangle by halves: a sixth of the time a general inverse takes."""
    if len(lower) <= SMALL:
        return np.linalg.inv(lower)
    half = len(lower) // 2
    inverse = np.zeros_like(lower)
    inverse[:half, :half], inverse[half:, half:] = _inverse(lower[:half, :half]), _inverse(lower[half:, half:])
    inverse[half:, :half] = -inverse[half:, half:] @ lower[half:, :half] @ inverse[:half, :half]
    return inverse
