"""Guesses of every kind at any origin of a history.

Curves corrected by where the series stands, a Gaussian process, and repetitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.correction import TAIL_DAYS, Correction
from forecasting.gaussian_process import GaussianProcess
from forecasting.outliers import drawn_in
from forecasting.seasons import around
from forecasting.values import block_means_from, median_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.curve import Curve
    from forecasting.slots import Slots
    from forecasting.values import Values

WEEK_SEEN_DAYS = 7
CURVE_BELIEF, PROCESS_BELIEF, REPEAT_BELIEF = 1.0, 2.0, 0.5


class Guesses:
    """What each kind of guess would have said at any origin, and how far it is believed before any trial."""

    def __init__(
        self, logs: Values, slots: Slots, curves: list[Curve], *, origins: Sequence[int], all_kinds: bool
    ) -> None:
        """Fit every curve to the whole history and to what was known at some origins, and learn its corrections."""
        self.logs, self.slots, self.origins = logs, slots, origins
        self._habits = drawn_in(logs, slots)
        self._all_kinds = all_kinds
        self._process = GaussianProcess(slots)
        self._hours_from: dict[int, Values] = {}
        ends = sorted({*origins, logs.shape[1]})
        self._fits = [dict(zip(ends, curve.fits(self._habits, ends), strict=True)) for curve in curves]
        fitted = [fits[logs.shape[1]](0, logs.shape[1]) for fits in self._fits]
        self._corrections = [Correction(self._habits - each, slots) for each in fitted]
        self.residuals = logs - fitted[0]
        # One week tells how far it lies from the week before, a second one what follows from that.
        self._since_last_week: Correction | None = None
        if all_kinds and logs.shape[1] >= 2 * slots.per_week:
            since = self._habits[:, slots.per_week :] - self._habits[:, : -slots.per_week]
            self._since_last_week = Correction(since, slots)
        beliefs = {curve.name: CURVE_BELIEF for curve in curves}
        if all_kinds:
            beliefs |= {self._process.name: PROCESS_BELIEF}
            beliefs |= dict.fromkeys(("last week", "yesterday", "level"), REPEAT_BELIEF)
        self.names = list(beliefs)
        self.belief = np.array(list(beliefs.values()), dtype=np.float32)

    def at(self, origin: int) -> Values:
        """Guess the horizon after an origin, or after the whole history: (series, guesses, horizon)."""
        known, habits = self.logs[:, :origin], self._habits[:, :origin]
        tail, ago = min(TAIL_DAYS * self.slots.per_day, origin), self.logs.shape[1] - origin
        end = origin + self.slots.hours * self.slots.hour
        fitted = [fits[origin](origin - tail, end) for fits in self._fits]
        found = np.empty((len(known), len(self.names), self.slots.horizon), dtype=known.dtype)
        for index, (each, correction) in enumerate(zip(fitted, self._corrections, strict=True)):
            carried = correction.carried(known[:, -tail:] - each[:, :tail], ago)
            np.add(each[:, tail : tail + self.slots.horizon], carried, out=found[:, index])
        if self._all_kinds:
            shape = np.mean([each[:, tail:] for each in fitted], axis=0)
            process = self._process.guess(known, self._hours(origin), shape)[:, : self.slots.horizon]
            for index, each in enumerate([process, *self._repeated(known, habits), self._level(known)], len(fitted)):
                found[:, index] = each
        return found

    def _hours(self, origin: int) -> Values:
        """Give the means of the hours before an origin, what strayed being drawn in: origins lie whole hours apart."""
        minute = origin % self.slots.hour
        if minute not in self._hours_from:
            self._hours_from[minute] = block_means_from(self._habits, minute, self.slots.hour)
        return self._hours_from[minute][:, : origin // self.slots.hour]

    def _repeated(self, known: Values, habits: Values) -> list[Values]:
        origin, day, week = known.shape[1], self.slots.per_day, self.slots.per_week
        yesterday, last_week = known[:, -day:], habits[:, -week:]
        if origin < week:  # Young as a history may be, the later leads can have their week.
            last_week = np.concatenate([around(yesterday, 0, week - origin), known], axis=1)
        weekly = around(last_week, 0, self.slots.horizon)
        if self._since_last_week and origin > week:
            tail, ago = min(TAIL_DAYS * day, origin - week), self.logs.shape[1] - origin
            since = known[:, -tail:] - habits[:, -week - tail : -week]
            weekly = weekly + self._since_last_week.carried(since, ago)
        return [weekly, around(yesterday, 0, self.slots.horizon)]

    def _level(self, known: Values) -> Values:
        share = (0.5 ** (np.arange(1, self.slots.horizon + 1) / self.slots.of(6))).astype(np.float32)
        now = known[:, -self.slots.hour :].mean(axis=1, keepdims=True)
        usual = median_of(known[:, -self.slots.per_day :], axis=1)[:, None]
        return np.asarray(share * now + (1 - share) * usual)
