"""The shape of a week as a sum of waves: ridge regression, one small factorisation for all series together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from forecasting.seasons import around, overlaid

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

# Eight days have seen every day of the week; what a single week is worth is a matter of the penalty.
WEEK_KNOWN_DAYS = 12
WEEKLY_WAVES = 30
DAILY_WAVES = 24
# The latest ten days weigh as much as everything before them.
HALF_LIFE_DAYS = 10.0
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

    def curve(self, logs: Values, first: int, last: int) -> Values:
        """Fit all columns of `logs` and give the fitted curve from slot `first` to before `last`."""
        known = logs.shape[1]
        weekly = self._weekly and known >= WEEK_KNOWN_DAYS * self._slots.per_day
        waves, solver = _solver(self._slots.per_day, known, weekly=weekly)
        amplitudes = _folded(logs, self._slots.per_week) @ solver
        # Sine and cosine weigh the same, so it does not matter where in the week the waves begin: here, at the origin.
        return np.asarray(amplitudes @ around(waves, first - known, last - known))


def _folded(logs: Values, per_week: int) -> Values:
    """Sum the weeks, counted back from the origin, each with its weight: all that the regression needs to know."""
    weeks, rest = divmod(logs.shape[1], per_week)
    folded = overlaid(logs, per_week, _fade(7.0) ** np.arange(weeks)[::-1])
    if rest:
        folded[:, -rest:] += np.float32(_fade(7.0) ** weeks) * logs[:, :rest]
    return folded


@lru_cache(maxsize=64)
def _solver(per_day: int, known: int, *, weekly: bool) -> tuple[Values, Values]:
    """Give the waves over one week, (waves, slots), and the matrix that turns a folded history into amplitudes."""
    waves, penalty = _waves(per_day, weekly=weekly)
    per_week = 7 * per_day
    ages = known - 1 - np.arange(known)
    each = _fade(1.0 / per_day) ** ages
    # How much all slots at one place of the week weigh together.
    together = np.bincount(np.arange(-known, 0) % per_week, weights=each, minlength=per_week)
    gram = (waves * together[:, None]).T @ waves + np.diag(penalty * per_day / PENALTY_SLOTS)
    within = _fade(1.0 / per_day) ** (per_week - 1 - np.arange(per_week))
    solver = np.linalg.solve(gram, (waves * within[:, None]).T).T
    return np.ascontiguousarray(waves.T, dtype=np.float32), solver.astype(np.float32)


def _fade(days: float) -> float:
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def _waves(per_day: int, *, weekly: bool) -> tuple[Values, Values]:
    """Sample cosines and sines over one week; the finer the wave, the higher its penalty."""
    per_week = 7 * per_day
    daily = {7 * wave for wave in range(1, min(DAILY_WAVES, (per_day - 1) // 2) + 1)}
    counts = np.array(sorted(daily | set(range(1, WEEKLY_WAVES + 1) if weekly else ())))
    angles = np.outer(np.arange(per_week), counts) % per_week * (2 * np.pi / per_week)
    of_day = counts % 7 == 0
    price = np.where(of_day, DAILY_PENALTY * (1 + (counts / 56) ** 2), WEEKLY_PENALTY * (1 + (counts / 14) ** 2))
    columns = [np.ones((per_week, 1)), np.cos(angles), np.sin(angles)]
    return np.hstack(columns), np.concatenate([[0.0], price, price])
