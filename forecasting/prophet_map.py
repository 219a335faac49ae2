"""Prophet's own model, fitted for many series at once.

The curve Prophet reports is the mode of its posterior: a penalised regression of a broken line and seasonal waves,
with a Laplace prior on the breaks (Taylor & Letham, "Forecasting at scale", 2018). All series share the calendar, so
one Gram matrix serves all; the Laplace prior is met by reweighting a Gaussian one until it settles, and the noise by
alternating with its own estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from forecasting.values import block_means

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

# Prophet's waves are hours long: means of half an hour tell as much as all the slots within.
BLOCK_HOURS = 0.5
BREAKS_WITHIN = 0.8  # Prophet puts no break into the last fifth of the history.
BREAK_SCALE, WAVE_SCALE, LINE_SCALE = 0.05, 10.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProphetShape:
    """Prophet's settings; the defaults are Prophet's.

    `repeats` tells how many neighbouring blocks say the same: their residuals are alike, so the priors weigh more.
    """

    breaks: int = 25
    weekly: int = 3
    daily: int = 4
    weekends_apart: bool = False
    repeats: float = 1.0


class ProphetMap:
    """The curve of Prophet, as one of several shapes of the week.

    A second fit of the same series, to less of their history, starts from the first one's breaks and noise and needs
    but a few rounds.
    """

    name = "prophet"

    def __init__(self, slots: Slots, shape: ProphetShape, *, rounds: int = 8, rounds_again: int = 2) -> None:
        """Choose the grid, the settings and how many rounds settle them."""
        self._slots, self._shape, self._rounds, self._rounds_again = slots, shape, rounds, rounds_again
        self._settled: _Settled | None = None

    def curve(self, logs: Values, first: int, last: int) -> Values:
        """Fit all columns of `logs` and give the fitted curve from slot `first` to before `last`."""
        known = logs.shape[1]
        size = min(self._slots.of(BLOCK_HOURS), known)
        blocks = block_means(logs[:, known % size :], size)
        design, gram = _known(self._slots, self._shape, known, size)
        scale = np.abs(blocks).max(axis=1, keepdims=True) + 1e-12
        scaled = blocks / scale
        moments = _Moments(products=scaled @ design, squares=(scaled**2).sum(axis=1), gram=gram, known=blocks.shape[1])
        start, rounds = self._settled or _Settled.unknown(len(logs), self._shape), self._rounds_again
        if self._settled is None:
            rounds = self._rounds
        amplitudes, settled = _mode(moments, start, self._shape, rounds)
        self._settled = self._settled or settled
        asked = _asked(self._slots, self._shape, known, first, last)
        return np.asarray((amplitudes * scale).astype(np.float32) @ asked)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moments:
    """All that the posterior needs to know of the data: X'y, y'y, X'X and the count."""

    products: Values
    squares: Values
    gram: Values
    known: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Settled:
    """What the rounds settle: how far each break bends, and the variance of the noise."""

    bends: Values
    noise: Values

    @classmethod
    def unknown(cls, series: int, shape: ProphetShape) -> _Settled:
        """Begin with breaks as large as the prior expects."""
        return cls(bends=np.full((series, shape.breaks), BREAK_SCALE), noise=np.full(series, 0.01))


def _mode(moments: _Moments, start: _Settled, shape: ProphetShape, rounds: int) -> tuple[Values, _Settled]:
    """Find the mode of every posterior."""
    products, gram = moments.products.astype(np.float64), moments.gram
    series, columns = products.shape
    breaks, diagonal = slice(2, 2 + shape.breaks), np.arange(columns)
    prior = np.full((series, columns), 1 / WAVE_SCALE**2)
    prior[:, :2] = 1 / LINE_SCALE**2
    amplitudes: Values = np.zeros((series, columns))
    bends, noise = start.bends, start.noise
    # A fixed number of rounds: to stop when all have settled would let series depend on each other.
    for _ in range(rounds):
        prior[:, breaks] = 1 / (BREAK_SCALE * np.maximum(np.abs(bends), 1e-5))
        system = np.repeat(gram[None], series, axis=0)
        system[:, diagonal, diagonal] += shape.repeats * noise[:, None] * prior
        amplitudes = np.linalg.solve(system, products[:, :, None])[:, :, 0]
        left = (
            moments.squares - 2 * (amplitudes * products).sum(axis=1) + ((amplitudes @ gram) * amplitudes).sum(axis=1)
        )
        noise = np.maximum(left, 1e-9 * moments.squares + 1e-12) / moments.known
        bends = amplitudes[:, breaks]
    return amplitudes, _Settled(bends=bends, noise=noise)


@lru_cache(maxsize=64)
def _known(slots: Slots, shape: ProphetShape, known: int, size: int) -> tuple[Values, Values]:
    """Give the columns at the centres of the known blocks, and their Gram matrix."""
    centres = np.arange(known % size, known, size) + (size - 1) / 2
    design = _design(slots, shape, known, centres)
    return design.astype(np.float32), design.T @ design


@lru_cache(maxsize=16)
def _asked(slots: Slots, shape: ProphetShape, known: int, first: int, last: int) -> Values:
    """Give the columns for each slot from `first` to before `last`: (columns, slots)."""
    design = _design(slots, shape, known, np.arange(first, last, dtype=np.float64))
    return np.ascontiguousarray(design.T, dtype=np.float32)


def _design(slots: Slots, shape: ProphetShape, known: int, places: Values) -> Values:
    """Give the columns of line, breaks and waves at some places, counted in slots from the first known one."""
    time = places[:, None] / (known - 1.0)
    breaks = np.linspace(0.0, BREAKS_WITHIN * known - 1, shape.breaks + 1)[1:] / (known - 1.0)
    within = float(places[0]) % 1.0  # Places lie a whole number of slots apart.
    seasons = _seasons(slots.per_day, shape, within)
    of_week = (places - within).astype(np.int64) + slots.phase
    line = [np.ones_like(time), time, np.maximum(time - breaks, 0.0)]
    return np.hstack([*line, seasons[of_week % slots.per_week]])


@lru_cache(maxsize=64)
def _seasons(per_day: int, shape: ProphetShape, within: float) -> Values:
    """Give the waves of the week and of its days, at one place within each of its slots."""
    of_week = np.arange(7 * per_day) + within
    daily = _waves(of_week / per_day, shape.daily)
    weekend = (of_week >= 5 * per_day)[:, None]
    days = [daily * weekend, daily * ~weekend] if shape.weekends_apart else [daily]
    return np.hstack([_waves(of_week / (7 * per_day), shape.weekly), *days])


def _waves(turns: Values, order: int) -> Values:
    angles = 2 * np.pi * np.outer(turns, np.arange(1, order + 1))
    return np.hstack([np.sin(angles), np.cos(angles)])
