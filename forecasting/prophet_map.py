"""Prophet's own model, fitted for many series at once.

The curve Prophet reports is the mode of its posterior: a penalised regression of a broken line and seasonal waves,
with a Laplace prior on the breaks (Taylor & Letham, "Forecasting at scale", 2018). All series share the calendar, so
one Gram matrix serves all, taken apart once; the Laplace prior is met by reweighting a Gaussian one until it settles,
and the noise by alternating with its own estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from forecasting.values import block_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.curve import Fit
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
    """The curve of Prophet, as one of several shapes of the week."""

    name = "prophet"

    def __init__(self, slots: Slots, shape: ProphetShape, *, rounds: int = 8, rounds_again: int = 2) -> None:
        """Choose the grid, the settings and how many rounds settle them."""
        self._slots, self._shape, self._rounds, self._rounds_again = slots, shape, rounds, rounds_again

    def fits(self, logs: Values, ends: Sequence[int]) -> list[Fit]:
        """Fit what is known before each end: all others start from the last one's breaks and noise, nearly settled."""
        *earlier, last = ends
        whole, settled = self._fit(logs[:, :last], _Settled.unknown(len(logs), self._shape), self._rounds)
        return [*(self._fit(logs[:, :end], settled, self._rounds_again)[0] for end in earlier), whole]

    def _fit(self, logs: Values, start: _Settled, rounds: int) -> tuple[Fit, _Settled]:
        known = logs.shape[1]
        size = _block(self._slots, known)
        blocks = block_means(logs[:, known % size :], size)
        columns = _columns(self._slots, self._shape, known)
        scale = np.abs(blocks).max(axis=1, keepdims=True) + 1e-12
        scaled = blocks / scale
        moments = _Moments(products=scaled @ columns.design, squares=(scaled**2).sum(axis=1), columns=columns)
        amplitudes, settled = _mode(moments, start, self._shape, rounds)
        return partial(self._curve, (amplitudes * scale).astype(np.float32), known), settled

    def _curve(self, amplitudes: Values, known: int, first: int, last: int) -> Values:
        return np.asarray(amplitudes @ _asked(self._slots, self._shape, known, first, last))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Columns:
    """The columns at the known blocks, the same for all series, breaks last, and what they have in common (X'X).

    Those that are no breaks are turned and stretched until the prior of each is one and none has anything in common
    with another: of their part of X'X only the diagonal is left, and a mode is found by equations of the breaks alone.
    """

    turn: Values
    design: Values
    sizes: Values  # the diagonal
    crossed: Values  # of the turned ones with the breaks
    breaks: Values  # of the breaks with each other

    @classmethod
    def of(cls, design: Values, breaks: int) -> _Columns:
        """Turn the columns of a design."""
        others = design.shape[1] - breaks
        scales = np.full(others, WAVE_SCALE)
        scales[:2] = LINE_SCALE
        common = design.T @ design
        sizes, axes = np.linalg.eigh(scales[:, None] * common[:others, :others] * scales)
        turn = scales[:, None] * axes
        return cls(
            turn=turn,
            design=_turned(design, turn),
            sizes=np.maximum(sizes, 0.0),
            crossed=turn.T @ common[:others, others:],
            breaks=common[others:, others:],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Moments:
    """All that the posterior needs to know of the data: X'y, y'y and the columns."""

    products: Values
    squares: Values
    columns: _Columns


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
    columns, count, known = moments.columns, shape.breaks, len(moments.columns.design)
    products = moments.products.astype(np.float64)
    of_others, of_breaks = products[:, :-count], products[:, -count:]
    pairs = (columns.crossed[:, :, None] * columns.crossed[:, None, :]).reshape(-1, count**2)
    amplitudes: Values = np.zeros_like(products)
    bends, noise, diagonal = start.bends, start.noise, np.arange(count)
    # A fixed number of rounds: to stop when all have settled would let series depend on each other.
    for _ in range(rounds):
        weight = shape.repeats * noise[:, None]
        prior = weight / (BREAK_SCALE * np.maximum(np.abs(bends), 1e-5))
        share = 1 / (columns.sizes + weight)
        system = columns.breaks - (share @ pairs).reshape(-1, count, count)
        system[:, diagonal, diagonal] += prior
        bends = np.linalg.solve(system, (of_breaks - (share * of_others) @ columns.crossed)[:, :, None])[:, :, 0]
        others = share * (of_others - bends @ columns.crossed.T)
        amplitudes = np.hstack([others, bends])
        held = weight[:, 0] * (others**2).sum(axis=1) + (prior * bends**2).sum(axis=1)
        left = moments.squares - (amplitudes * products).sum(axis=1) - held
        noise = np.maximum(left, 1e-9 * moments.squares + 1e-12) / known
    return amplitudes, _Settled(bends=bends, noise=noise)


@lru_cache(maxsize=64)
def _columns(slots: Slots, shape: ProphetShape, known: int) -> _Columns:
    """Give the columns at the centres of the known blocks."""
    size = _block(slots, known)
    centres = np.arange(known % size, known, size) + (size - 1) / 2
    return _Columns.of(_design(slots, shape, known, centres), shape.breaks)


@lru_cache(maxsize=16)
def _asked(slots: Slots, shape: ProphetShape, known: int, first: int, last: int) -> Values:
    """Give the columns, turned as those of the known blocks, for each slot from `first` to before `last`."""
    design = _design(slots, shape, known, np.arange(first, last, dtype=np.float64))
    return np.ascontiguousarray(_turned(design, _columns(slots, shape, known).turn).T)


def _block(slots: Slots, known: int) -> int:
    """Count the slots of a block, at most all that are known."""
    return min(slots.of(BLOCK_HOURS), known)


def _turned(design: Values, turn: Values) -> Values:
    return np.hstack([design[:, : len(turn)] @ turn, design[:, len(turn) :]]).astype(np.float32)


def _design(slots: Slots, shape: ProphetShape, known: int, places: Values) -> Values:
    """Give the columns of line, waves and breaks at some places, counted in slots from the first known one."""
    time = places[:, None] / (known - 1.0)
    breaks = np.linspace(0.0, BREAKS_WITHIN * known - 1, shape.breaks + 1)[1:] / (known - 1.0)
    within = float(places[0]) % 1.0  # Places lie a whole number of slots apart.
    seasons = _seasons(slots.per_day, shape, within)
    of_week = (places - within).astype(np.int64) + slots.phase
    return np.hstack([np.ones_like(time), time, seasons[of_week % slots.per_week], np.maximum(time - breaks, 0.0)])


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
