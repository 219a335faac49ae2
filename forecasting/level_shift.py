"""A lasting change of level: seasonal models would fall back to the old level, so the past is moved to the new one.

A holiday looks much the same in its first hours. It is told apart by looking like another day of the past week: a
day off at the level of a Sunday is no shift. Most of what is left passes within a day or two, bursts and failures above
all; so p50 follows only a step that came at once and stayed, and p90 covers the old level and the new.

Against the days before, a step is seen for two days. Against two or three weeks, one that stayed is seen for five, when
the models have learnt most of it; so is a rise that makes a Saturday look like a Friday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.interval import OFFSET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecasting.slots import Slots
    from forecasting.values import Values

LASTING_HOURS = 3
LEAST = np.log(1.5)
SPREADS = 6.0
ONE_SIDED = 0.95
# A drop to a fifth of the usual, and not of the usual at this time alone, looks like a failure.
FAILING = np.log(5)
# What is a step, a handful of slots cannot tell.
WITNESSES = 6
SEEN_DAYS, STAYED_DAYS = 2, 5
# Of the mean: hours with less to do tell nothing of how busy the others are.
QUIET = 0.2
# A step is there within the hour, and its first and its last hour lie as high as those between: to a quarter of it.
QUARTER = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One series whose level changed `age` slots ago by `factor`; `settled` tells that it is sure to stay."""

    row: int
    age: int
    factor: float
    settled: bool

    def told(self, step: timedelta) -> str:
        """Say it in words."""
        hours = self.age * step / timedelta(hours=1)
        stays = "p50 follows, for it came at once and stayed"
        waits = "p50 waits at the old level, p90 covers both"
        told = stays if self.settled else waits
        return f"its level changed {self.factor:.2g}-fold {hours:.0f} hours ago: {told}"


def find_shifts(values: Values, slots: Slots) -> list[Shift]:
    """Find the series whose last hours all lie far from the same time of the days, or of the weeks, before."""
    length, per_day = values.shape[1], slots.per_day
    if length < 6 * per_day:
        return []
    add = OFFSET * np.median(values[:, :: slots.hour], axis=1, keepdims=True) + 1e-9
    # The weeks come last: what they are sure of counts, whatever the days say.
    weeks = (each for known in (2, 3) for each in _since_weeks(values, add, slots, known))
    found = [*_since_days(values, add, slots), *weeks]
    return list({shift.row: shift for shift in found if abs(np.log(shift.factor)) > LEAST}.values())


def _since_days(values: Values, add: Values, slots: Slots) -> list[Shift]:
    """Find what lies far from the days before, and farther than ever."""
    length, per_day = values.shape[1], slots.per_day
    lags = (per_day, 2 * per_day, 7 * per_day if length >= 11 * per_day else 3 * per_day)
    found = []
    for row, logs in _far(values, add, lags, slots):
        away = _away(values[row, None], add[row, None], lags, lags[2])[0]
        if not _farther_than_ever(away, slots):
            continue
        span = _span(SEEN_DAYS, slots)
        against = _against_weeks(logs, span, slots)
        shift = _shift(row, logs, away[-span:] if against is None else against, add, slots)
        # A day that has risen already says nothing of its kind; one that has fallen may be the holiday of yesterday.
        if not _like_another_day(logs, slots, shift.age if shift.factor > 1 else 0):
            found.append(shift)
    return found


def _since_weeks(values: Values, add: Values, slots: Slots, known: int) -> list[Shift]:
    """Find the steps that stayed, as the same time of two or three weeks tells; falls by three, but for holidays."""
    length, week = values.shape[1], slots.per_week
    span = min(_span(STAYED_DAYS, slots), length - known * week)
    if span < _span(1, slots):
        return []
    lags = (week, 2 * week, known * week)
    found = []
    # In the place of a third week that is not known stands now itself: what is like either of two is no news.
    news = (week, 2 * week, 3 * week if known == 3 else 0)
    for row, logs in _far(values, add, news, slots):
        away = _away(values[row, None], add[row, None], lags, length - span)[0]
        shift = _shift(row, logs, away, add, slots)
        recent = shift.age < SEEN_DAYS * slots.per_day
        holiday = shift.factor < 1 and recent and _like_another_day(logs, slots, shift.age)
        if shift.settled and not holiday and (shift.factor > 1 or known == 3):
            found.append(shift)
    return found


def _far(values: Values, add: Values, lags: tuple[int, int, int], slots: Slots) -> Iterator[tuple[int, Values]]:
    """Give the few whose last hours lie far from what was so long before: only they are worth a look at the rest."""
    latest = _away(values, add, lags, values.shape[1] - slots.of(LASTING_HOURS))
    for row in np.flatnonzero(_one_sided(latest)):
        yield int(row), np.log(values[row] + add[row])


def _shift(row: int, logs: Values, away: Values, add: Values, slots: Slots) -> Shift:
    """Tell when it began, after the first day of `away`, how far it went, and whether it is sure to stay."""
    age = _age(away, slots)
    settled = not _failing(logs, age) and _settled(away, age, slots)
    return Shift(row=row, age=age, factor=_factor(logs, away, age, float(add[row, 0])), settled=settled)


def _span(days: int, slots: Slots) -> int:
    """Count the slots of so many days, and of a day and an hour before them to compare with."""
    return slots.of(24 * (days + 1) + 1)


def rebased(values: Values, shift: Shift) -> Values:
    """Give one series with everything before its shift moved to the new level."""
    moved = values[shift.row].copy()
    moved[: len(moved) - shift.age] *= shift.factor
    return np.asarray(moved)


def forgotten(values: Values, shift: Shift) -> Values:
    """Give one series as if nobody had measured it since its shift."""
    before = values[shift.row].copy()
    before[len(before) - shift.age :] = np.nan
    return np.asarray(before)


def _away(values: Values, add: Values, lags: tuple[int, int, int], first: int) -> Values:
    """Compare the columns from `first` on with the median of the three times before, on a logarithmic scale."""
    length = values.shape[1]
    now, *before = (np.log(values[:, first - lag : length - lag] + add) for lag in (0, *lags))
    one, two, three = before
    return np.asarray(now - np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three)))


def _one_sided(latest: Values) -> np.ndarray:
    """Tell which series have been away all the time on one side, by more than could matter."""
    now = latest.mean(axis=1)
    same = (np.sign(latest) == np.sign(now)[:, None]).mean(axis=1) > ONE_SIDED
    return np.asarray(same & (np.abs(now) > LEAST))


def _farther_than_ever(away: Values, slots: Slots) -> bool:
    width, day = slots.of(LASTING_HOURS), slots.per_day
    sums = np.cumsum(away, dtype=np.float64)
    means = (sums[width:] - sums[:-width]) / width
    before = means[: -(3 * day if len(means) > 6 * day else day) : max(1, slots.of(0.5))]
    spread = 1.4826 * np.median(np.abs(before - np.median(before))) + 1e-3
    ever = np.quantile(np.abs(before), 0.995)
    return bool(abs(away[-width:].mean()) > max(SPREADS * spread, ever))


def _like_another_day(logs: Values, slots: Slots, age: int = 0) -> bool:
    """Tell whether a day was at the present level at this time, in the seven before what began `age` slots ago."""
    width, per_day = slots.of(LASTING_HOURS), slots.per_day
    latest, first = logs[-width:], 1 + age // per_day
    for days in range(first, min(first + 6, len(logs) // per_day - 1) + 1):
        end = len(logs) - days * slots.per_day
        if abs(float((latest - logs[end - width : end]).mean())) < LEAST / 2:
            return True
    return False


def _against_weeks(logs: Values, span: int, slots: Slots) -> Values | None:
    """Compare the last slots with the same time of two or three weeks, if known: Monday is no Sunday."""
    back = [week * slots.per_week for week in (1, 2, 3) if week * slots.per_week + span <= len(logs)]
    if len(back) < 2:
        return None
    return np.asarray(
        logs[-span:] - np.median([logs[len(logs) - span - lag : len(logs) - lag] for lag in back], axis=0)
    )


def _age(away: Values, slots: Slots) -> int:
    """Go back to where the new side begins, as the slots after the first day tell by their majority."""
    now = float(away[-slots.of(LASTING_HOURS) :].mean())
    latest = np.sign(now) * away[slots.per_day + slots.hour :][::-1]
    majority = np.cumsum(np.where(latest > abs(now) / 2, 1, -1))
    return max(int(np.argmax(majority)) + 1, slots.of(LASTING_HOURS) // 2)


def _factor(logs: Values, away: Values, age: int, add: float) -> float:
    """Compare what came since with what was usual: in plain numbers, for what was added blurs the ratio at night.

    Where hardly anything was usual, work has moved into quiet hours: the others are not so many times as busy for it.
    """
    since, usual = np.exp(logs[-age:]) - add, np.exp(logs[-age:] - away[-age:]) - add
    if usual.mean() < QUIET * (np.exp(logs[:-age]).mean() - add):
        return 1.0
    return float(max(since.sum(), add) / max(usual.sum(), add))


def _failing(logs: Values, age: int) -> bool:
    """Tell a drop far below the usual: of a series that stands idle most of the time, the median tells nothing."""
    usual = max(float(np.median(logs)), float(np.log(np.exp(logs).mean())))
    return bool(np.median(logs[-age:]) < usual - FAILING)


def _settled(away: Values, age: int, slots: Slots) -> bool:
    """Tell a step from all that passes: it comes at once, and then stays where it came to.

    A holiday or a sale comes with the day's own slopes, a burst swells and ebbs away; and where single slots swing as
    far as that, nobody can tell.
    """
    hour, edge = slots.hour, len(away) - age
    level, before = float(np.median(away[edge:])), away[: max(edge - 1, 0)]
    if age < max(2 * hour, WITNESSES) or len(before) < slots.per_day:
        return False
    ends = np.array([before[-hour:].mean(), away[edge : edge + hour].mean() - level, away[-hour:].mean() - level])
    noise = 1.4826 * float(np.median(np.abs(before - np.median(before))))
    return bool(np.abs(ends).max() < QUARTER * abs(level) and abs(level) > SPREADS * noise)
