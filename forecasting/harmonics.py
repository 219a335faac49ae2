"""The shape of a week as a sum of waves: ridge regression, one small factorisation for all series together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from forecasting.seasons import around, overlaid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.curve import Fit
    from forecasting.slots import Slots
    from forecasting.values import Values

# Eight days have seen every day of the week; what a single week is worth is a matter of the penalty.
WEEK_KNOWN_DAYS = 12
WEEKLY_WAVES = 30
DAILY_WAVES = 24
# The latest fortnight weighs as much as everything before them.
HALF_LIFE_DAYS = 14.0
# Waves of the week are seen four times a month, those of the day thirty times: they must earn their keep.
WEEKLY_PENALTY, DAILY_PENALTY = 120.0, 1.0
# The penalties are meant for 288 slots a day; neighbouring slots say much the same, so fewer slots say no less.
PENALTY_SLOTS = 288


class Harmonics:
    """Waves of the day, and of the week where two weeks of it are known."""

    name = "harmonics"

    def __init__(self, slots: Slots, *, weekly: bool) -> None:
        """Choose the grid, and whether the week may be learnt."""
        self._slots, self._weekly = slots, weekly

    def fits(self, logs: Values, ends: Sequence[int]) -> list[Fit]:
        """Fit what is known before each end, from the earliest on: each adds what came since to what was known."""
        grid = _grid(self._slots.per_day, weekly=self._has_week(ends[-1]))
        products: Values = np.zeros((len(logs), len(grid.waves)), dtype=np.float32)
        found: list[Fit] = []
        for begin, end in pairwise([0, *ends]):
            products = grid.aged(products, end - begin) + grid.products(logs[:, begin:end])
            found.append(self._fit(products if self._has_week(end) else products[:, grid.of_day], end))
        return found

    def _has_week(self, known: int) -> bool:
        return self._weekly and known >= WEEK_KNOWN_DAYS * self._slots.per_day

    def _fit(self, products: Values, end: int) -> Fit:
        inverse = _inverse(self._slots.per_day, end, weekly=self._has_week(end))
        return partial(self._curve, np.asarray(products @ inverse, dtype=np.float32), end)

    def _curve(self, amplitudes: Values, end: int, first: int, last: int) -> Values:
        # Sine and cosine weigh the same, so it does not matter where in the week the waves begin: here, at the end.
        waves = _around(self._slots.per_day, first - end, last - end, weekly=self._has_week(end))
        return np.asarray(amplitudes @ waves)


def _folded(logs: Values, per_week: int) -> Values:
    """Sum the weeks, counted back from the end, each with its weight: all that the regression needs to know."""
    weeks, rest = divmod(logs.shape[1], per_week)
    if weeks == 0:
        return logs
    folded = overlaid(logs, per_week, _fade(7.0) ** np.arange(weeks)[::-1])
    if rest:
        folded[:, -rest:] += np.float32(_fade(7.0) ** weeks) * logs[:, :rest]
    return folded


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grid:
    """The waves sampled over one week, and what does not depend on how much of a history is known."""

    counts: Values  # how often a wave comes in a week: there is a constant, a cosine of each and a sine of each
    of_day: np.ndarray  # which of the waves are those of the day
    waves: Values  # (waves, slots)
    weighted: Values  # (slots, waves), each slot with what it weighs within its week
    within: Values
    exact: Values  # (slots, waves), in double precision
    gram: Values  # of one week
    penalty: Values

    def products(self, logs: Values) -> Values:
        """Multiply every wave with a history, of which later slots weigh more: (series, waves)."""
        folded = _folded(logs, len(self.weighted))
        return np.asarray(folded @ self.weighted[len(self.weighted) - folded.shape[1] :])

    def aged(self, products: Values, slots: int) -> Values:
        """Give what products come to so many slots later, when the waves begin later too and all weighs less."""
        angles = self.counts * slots % len(self.exact) * (2 * np.pi / len(self.exact))
        constant, cosines, sines = np.split(products, [1, 1 + len(angles)], axis=1)
        across, along = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        later = np.hstack([constant, across * cosines + along * sines, across * sines - along * cosines])
        return np.asarray(later * np.float32(_fade(slots / (len(self.exact) // 7))))


@lru_cache(maxsize=16)
def _grid(per_day: int, *, weekly: bool) -> _Grid:
    counts = _counts(per_day, weekly=weekly)
    waves, penalty = _waves(per_day, counts)
    within = _fade(1.0 / per_day) ** np.arange(7 * per_day)[::-1]
    weighted = waves * within[:, None]
    return _Grid(
        counts=counts,
        of_day=np.concatenate([[True], *[np.isin(counts, _counts(per_day, weekly=False))] * 2]),
        waves=np.ascontiguousarray(waves.T, dtype=np.float32),
        weighted=weighted.astype(np.float32),
        within=within,
        exact=waves,
        gram=weighted.T @ waves,
        penalty=penalty * per_day / PENALTY_SLOTS,
    )


@lru_cache(maxsize=4)
def _around(per_day: int, first: int, last: int, *, weekly: bool) -> Values:
    """Give the waves from one slot to before another; every origin asks for the same."""
    return around(_grid(per_day, weekly=weekly).waves, first, last)


@lru_cache(maxsize=64)
def _inverse(per_day: int, known: int, *, weekly: bool) -> Values:
    """Give the matrix that turns the products of a history with the waves into their amplitudes.

    Every whole week weighs like the latest one, but for its age; of the oldest only the end may be known.
    """
    grid, (weeks, rest) = _grid(per_day, weekly=weekly), divmod(known, 7 * per_day)
    ages = _fade(7.0) ** np.arange(weeks + 1)
    oldest = grid.exact[len(grid.exact) - rest :]
    gram = ages[:weeks].sum() * grid.gram + ages[weeks] * (oldest.T * grid.within[len(grid.within) - rest :]) @ oldest
    return np.linalg.inv(gram + np.diag(grid.penalty))


def _fade(days: float) -> float:
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def _counts(per_day: int, *, weekly: bool) -> Values:
    """Tell how often in a week each wave comes: those of the day, and those of the week where it is known."""
    daily = {7 * wave for wave in range(1, min(DAILY_WAVES, (per_day - 1) // 2) + 1)}
    return np.array(sorted(daily | set(range(1, WEEKLY_WAVES + 1) if weekly else ())))


def _waves(per_day: int, counts: Values) -> tuple[Values, Values]:
    """Sample cosines and sines over one week; the finer the wave, the higher its penalty."""
    per_week = 7 * per_day
    angles = np.outer(np.arange(per_week), counts) % per_week * (2 * np.pi / per_week)
    of_day = counts % 7 == 0
    price = np.where(of_day, DAILY_PENALTY * (1 + (counts / 56) ** 2), WEEKLY_PENALTY * (1 + (counts / 14) ** 2))
    columns = [np.ones((per_week, 1)), np.cos(angles), np.sin(angles)]
    return np.hstack(columns), np.concatenate([[0.0], price, price])
