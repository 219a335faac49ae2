"""The demand of the next minutes, from the freshest points: what an order given now must be ready for.

A forecast of the day says where the load is going, but an hour later it is old. Here the greatest demand within one
lead time is regressed on where the demand stands now and on what followed at this time on other days; how far off that
has been, lately and at this time of day, gives its distribution. From it comes the demand to be ready for: the level at
which the instances that would stand idle begin to outweigh the chance of being short.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.errors import NotEnoughHistory
from forecasting.sliding import ago, last_known, leading_max, trailing_max, trailing_mean
from forecasting.values import MOST

if TYPE_CHECKING:
    from forecasting.demand import Demand
    from forecasting.values import Values

DAY = timedelta(days=1)
TICK = timedelta(minutes=5)  # What is measured oftener is averaged.
LEAST_DAYS, WEEKS_FROM_DAYS, MEMORY_DAYS = 2, 15, 28
REACHES_BACK = timedelta(days=MEMORY_DAYS + 8)  # The first days it learns from are seen beside the week before them.
# At p90, being short for an hour is held to be as bad as two and a half times the usual fleet standing idle for it.
SHORT_AT_P90 = 2.5
# How much of the spread is that of the last two hours and of the same time on other days; the rest is that of all.
LATELY, AT_THIS_TIME, LATELY_HOURS = 0.5, 0.4, 2.0
RIDGE = 1e-3
OFFSET = 0.02  # A share of the mean keeps logarithms finite at zero.
# Of a logarithm: what was foretold better, or hardly ever moved, is no measure of what a surprise may come to.
LEAST_SPREAD, LEAST_SIGN = 1e-3, 1e-3
LEVELS = np.concatenate([np.linspace(0.3, 0.9, 13), np.linspace(0.91, 0.99, 9), [0.993, 0.996]])


def near_peak(demand: Demand, *, lead: timedelta, quantile: float = 0.9) -> float:
    """Give the demand that an order given at the end of the history must be ready for, until `lead` later."""
    if demand.step < TICK and not TICK % demand.step:
        demand = demand.every(TICK)
    reach = _Reach(per_day=DAY // demand.step, width=1 + -(-lead // demand.step))
    recent = demand.tail(REACHES_BACK).values
    if len(recent) < LEAST_DAYS * reach.per_day:
        msg = f"{len(recent) / reach.per_day:.1f} days of history: {LEAST_DAYS} are needed to know what follows what"
        raise NotEnoughHistory(msg)
    return float(near_peaks(np.append(recent, np.nan), len(recent), reach.per_day, reach.width, quantile)[0])


def near_peaks(values: Values, first: int, per_day: int, width: int, quantile: float = 0.9) -> Values:
    """Give, for every slot from `first` on, the demand to be ready for within it and the `width` - 1 slots that follow.

    Each is made from the slots before it alone, and learnt anew once a day. While there are less than two days to learn
    from, it is NaN.
    """
    reach = _Reach(per_day=per_day, width=width)
    begin = max(first, LEAST_DAYS * per_day)
    found = np.full(len(values) - first, np.nan)
    if begin >= len(values):
        return found
    seen = last_known(values)
    offset = OFFSET * float(seen[:begin].mean()) + 1e-9
    habits = _Habits(np.log(seen + offset), reach, weekly=begin >= WEEKS_FROM_DAYS * per_day)
    for day in range(begin, len(values), per_day):
        ahead = slice(day, min(day + per_day, len(values)))
        levels = np.exp(habits.levels(ahead)) - offset
        usual = float(seen[max(0, day - MEMORY_DAYS * per_day) : day].mean())
        found[ahead.start - first : ahead.stop - first] = _worth(levels, usual, quantile)
    return np.asarray(np.maximum(found, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reach:
    """The slots of a day, and the slots that one order must be ready for."""

    per_day: int
    width: int

    def of(self, hours: float) -> int:
        return max(1, round(hours * self.per_day / 24))

    def back(self, season: int) -> int:
        """Give how many slots ago, in whole seasons, all was known of what an order of then had to be ready for."""
        return -(-self.width // season) * season


class _Habits:
    """What tends to follow what, in logarithms."""

    def __init__(self, logs: Values, reach: _Reach, *, weekly: bool) -> None:
        self._reach = reach
        self._now = ago(logs, 1)
        self._from = max(reach.per_day * (8 if weekly else 1), reach.back(reach.per_day))
        self._signs = _signs(logs, self._now, reach, weekly=weekly)
        self._rise = leading_max(logs, reach.width) - self._now

    def levels(self, ahead: slice) -> Values:
        """Give the levels of the peak's distribution, (slots, levels), for slots that nobody has seen."""
        known = slice(max(self._from, ahead.start - MEMORY_DAYS * self._reach.per_day), ahead.start - self._reach.width)
        if known.stop - known.start < self._signs.shape[1]:
            known = slice(0, ahead.start - self._reach.width)
        weights = _ridge(self._signs[known], self._rise[known])
        expected = self._signs[: ahead.stop] @ weights
        errors = self._rise[: ahead.stop] - expected
        spread = self._spread(errors, known)
        apart = np.quantile(errors[known] / spread[known], LEVELS)
        best = self._now[ahead] + expected[ahead]
        most = np.maximum.accumulate(self._now)[ahead] + np.log(MOST)
        return np.asarray(np.minimum(best[:, None] + apart * spread[ahead, None], most[:, None]))

    def _spread(self, errors: Values, known: slice) -> Values:
        """Tell how far off each slot's guess may be, by errors that had come to light before it."""
        size = np.abs(errors)
        usual = size[known].mean()
        size = np.minimum(size, np.quantile(size[known], 0.99))
        lately = trailing_mean(ago(size, self._reach.width), self._reach.of(LATELY_HOURS))
        come_to_light = self._reach.back(self._reach.per_day)
        at_this_time = _same_time(ago(size, come_to_light - self._reach.per_day), self._reach.per_day, 0.15)
        at_this_time[:come_to_light] = usual
        smooth = trailing_mean(at_this_time, 1 + self._reach.of(0.5))
        spread = LATELY * lately + AT_THIS_TIME * smooth + (1 - LATELY - AT_THIS_TIME) * usual
        return np.asarray(np.maximum(spread, LEAST_SPREAD))


def _signs(logs: Values, now: Values, reach: _Reach, *, weekly: bool) -> Values:
    """Give, for every slot, what was known before it of where the demand may go: (slots, signs)."""
    recent, hour = trailing_mean(now, reach.of(0.25)), trailing_mean(now, reach.of(1))
    peak = leading_max(logs, reach.width)
    day, week = reach.per_day, 7 * reach.per_day
    usual = _same_time(logs, day, 0.25)
    signs = [recent - now, hour - now, now - ago(now, 1), trailing_max(now, reach.of(1)) - now]
    back, ahead = reach.back(day), min(reach.width, day)
    signs += [ago(peak, back) - ago(recent, back), ago(recent, day) - now, leading_max(usual, ahead) - now]
    if weekly:
        of_week = _same_time(logs, week, 0.4)
        of_week[:week] = usual[:week]
        of_week = np.convolve(np.pad(of_week, 1, mode="edge"), np.ones(3) / 3, mode="valid")
        back, ahead = reach.back(week), min(reach.width, week - 1)
        signs += [ago(peak, back) - ago(recent, back), ago(recent, week) - now, leading_max(of_week, ahead) - now]
    if reach.width <= reach.of(1):
        # What is done every hour, a job by the clock, shows in what followed whole hours ago.
        hours = [reach.of(1) * count for count in range(1, 7)]
        signs.append(np.mean([ago(peak, back) - ago(hour, back) for back in hours], axis=0))
    return np.stack([*signs, np.ones(len(logs))], axis=1)


def _same_time(values: Values, season: int, pace: float) -> Values:
    """Give, for every slot, the fading mean of the same slot in the seasons before; in the first, the value itself."""
    found = values.copy()
    mean = values[:season].copy()
    for first in range(season, len(values), season):
        part = values[first : first + season]
        found[first : first + season] = mean[: len(part)]
        mean[: len(part)] += pace * (part - mean[: len(part)])
    return found


def _ridge(signs: Values, rise: Values) -> Values:
    """Regress, with signs on one scale and the last one, the constant, left free."""
    scale = signs.std(axis=0)
    scale[scale < LEAST_SIGN] = 1.0
    scaled = signs / scale
    penalty = np.full(signs.shape[1], RIDGE * len(rise))
    penalty[-1] = 1e-9
    gram = scaled.T @ scaled + np.diag(penalty)
    return np.asarray(np.linalg.solve(gram, scaled.T @ rise) / scale)


def _worth(levels: Values, usual: float, quantile: float) -> Values:
    """Choose, for every slot, the level at which idle instances and the chance of being short cost least together."""
    odds = quantile / (1 - quantile)
    short = SHORT_AT_P90 * odds / 9 * (1 - LEVELS)
    mass = np.diff(LEVELS, prepend=0.0)
    idle = np.maximum(levels[:, :, None] - levels[:, None, :], 0.0) @ mass / max(usual, 1e-30)
    chosen = np.argmin(idle + short, axis=1)
    return np.asarray(levels[np.arange(len(levels)), chosen])
