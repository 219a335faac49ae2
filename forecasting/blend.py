"""How much to trust each guess: by its errors at earlier origins, never wholly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from forecasting.values import known_nearby, mean_known

if TYPE_CHECKING:
    from forecasting.guesses import Guesses
    from forecasting.slots import Slots
    from forecasting.values import Values

POWER = 8.0
SHRINK = 0.08
ENOUGH = 72
# Errors are in units of the mean demand: a difference below one percent of it is luck.
LUCK = 0.01
# A lead tried less often than this borrows of what guesses missed at all leads: idle hours tell no guess from another.
OFTEN, BORROWED = 4, 0.2
ORIGINS = 12
APART_HOURS = 13  # Twelve origins 13 hours apart see every time of day and every day of the week.


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blend:
    """The weights of guesses, (series, guesses, segments), and what they would have made of earlier origins."""

    weights: Values
    segments: list[slice]
    trials: list[tuple[int, Values]] = field(default_factory=list)

    @classmethod
    def tried(cls, guesses: Guesses, truth: Values) -> Blend:
        """Weigh the guesses by trying them at their origins; truth is NaN where nobody measured it."""
        segments = guesses.slots.segments()
        tried = [(origin, guesses.at(origin)) for origin in guesses.origins]
        earned = weights(_mean_errors(tried, truth, segments), guesses.belief)
        blend = cls(weights=earned, segments=segments)
        return replace(blend, trials=[(origin, blend.mix(guess)) for origin, guess in tried])

    def mix(self, guess: Values) -> Values:
        """Blend guesses (series, guesses, horizon) into one."""
        parts = [
            (self.weights[:, None, :, index] @ guess[:, :, segment])[:, 0]
            for index, segment in enumerate(self.segments)
        ]
        return np.concatenate(parts, axis=1)

    def error(self, truth: Values) -> Values:
        """Give the mean absolute error of the trials, in units of the mean demand: one for each series."""
        wrong = [
            np.abs(np.exp(guess[:, : truth.shape[1] - origin]) - np.exp(truth[:, origin : origin + guess.shape[1]]))
            for origin, guess in self.trials
        ]
        return mean_known(np.concatenate(wrong, axis=1), axis=1)

    def shares(self, names: list[str]) -> list[dict[str, float]]:
        """Tell the weight of every guess over the whole horizon."""
        lengths = np.array([segment.stop - segment.start for segment in self.segments], dtype=np.float32)
        mean = self.weights @ (lengths / lengths.sum())
        return [dict(zip(names, row.tolist(), strict=True)) for row in mean]


def weights(errors: Values, belief: Values) -> Values:
    """Weigh the guesses of each series and segment, (series, guesses, segments), by their mean absolute errors."""
    prior = (belief / belief.sum())[None, :, None]
    best = errors.min(axis=1, keepdims=True)
    earned = prior * ((best + LUCK) / (errors + LUCK)) ** POWER
    earned /= earned.sum(axis=1, keepdims=True)
    # A little of the belief stays, but not with a guess that has failed outright.
    blended = (1 - SHRINK) * earned + SHRINK * prior * (errors < 3 * best + 2 * LUCK)
    return np.asarray(blended / blended.sum(axis=1, keepdims=True), dtype=np.float32)


def origins(length: int, slots: Slots) -> list[int]:
    """Choose earlier origins that leave a whole horizon to judge, or as much of one as a short history has."""
    judged = min(slots.horizon, max(length - 4 * slots.per_day, length // 3))
    latest = length - judged
    earliest = min(4 * slots.per_day, latest)
    apart = slots.of(APART_HOURS)
    return [origin for origin in range(latest, latest - ORIGINS * apart, -apart) if origin >= earliest]


def _mean_errors(tried: list[tuple[int, Values]], truth: Values, segments: list[slice]) -> Values:
    """Give mean absolute errors in units of the mean demand: (series, guesses, segments)."""
    columns: list[Values] = []
    for segment in segments:
        # Neighbouring slots say much the same.
        thin = slice(segment.start, segment.stop, max(1, (segment.stop - segment.start) // ENOUGH))
        seen = [
            _mean_error(guess[:, :, thin], truth[:, origin:][:, thin])
            for origin, guess in tried
            if truth.shape[1] > origin + segment.start
        ]
        # A history too short to have seen this lead leaves the errors of the lead before.
        columns.append(mean_known(np.stack(seen), axis=0) if seen else columns[-1])
    judged = [truth.shape[1] - origin for origin, _ in tried]
    return _borrowing(known_nearby(np.stack(columns, axis=2)), judged, segments)


def _borrowing(errors: Values, judged: list[int], segments: list[slice]) -> Values:
    """Let segments that were seldom tried, each trial judged by so many slots, borrow from the errors at all leads."""
    lengths = np.array([segment.stop - segment.start for segment in segments])
    seen = np.array(
        [sum(min(max(slots - each.start, 0), each.stop - each.start) for slots in judged) for each in segments]
    )
    seldom = np.maximum(0, 1 - seen / lengths / OFTEN).astype(errors.dtype)
    if not seldom.any():
        return errors
    at_all_leads = errors @ (seen / seen.sum()).astype(errors.dtype)
    return np.asarray(errors + BORROWED * seldom * (at_all_leads[:, :, None] - errors))


def _mean_error(guess: Values, truth: Values) -> Values:
    error = np.exp(guess[:, :, : truth.shape[1]])
    error -= np.exp(truth)[:, None]
    return mean_known(np.abs(error, out=error), axis=2)
