"""When the week of a series rests: on Saturday and Sunday, unless its country or the series itself says otherwise.

Every model knows two kinds of days. Where people rest on Friday, or live by other clocks than those of the fleet's time
zone, the series shows it: two days on end are like each other, and the five others are, far more than Saturday and
Sunday are and the others. One week alone says so only of days on which some country rests, and that came and went.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.gaps import fill
from forecasting.interval import OFFSET
from forecasting.values import block_means_from, median_across, median_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.slots import Slots
    from forecasting.values import Values

SATURDAY = 5
EARLIEST_DAYS, LATEST_DAYS = -2, 1
# The share of what Saturday and Sunday leave unlike that another weekend may leave: in the usual week, in most weeks.
IN_USUAL_WEEK, IN_MOST_WEEKS = 0.45, 0.8
# Of beginnings that explain a week as well to a twentieth, the one nearest to what is expected is taken.
AS_WELL = 1.05
HARDLY = 1e-6
# So many days before and after a weekend are known too, where it was seen once: a level that stepped is none.
AROUND = 0.75


def weekends(values: Values, slots: Slots, expected: int = 0) -> npt.NDArray[np.int64]:
    """Tell how many slots after Saturday 00:00 each weekend begins: as expected, unless clearly another."""
    hour = slots.hour if slots.per_day % slots.hour == 0 else 1
    per_day, first = slots.per_day // hour, -slots.phase % hour
    length, monday = (values.shape[1] - first) // hour, (slots.phase + first) // hour
    if length < 7 * per_day:
        return np.full(len(values), expected)
    weeks = _weeks(_hours(values, slots, first, hour), monday, 7 * per_day)
    begin = (SATURDAY * per_day + expected // hour) % (7 * per_day)
    away = np.arange(7 * per_day) - begin
    away -= 7 * per_day * np.rint(away / (7 * per_day)).astype(np.int64)
    each = [_unlike(week, per_day) for week in weeks]
    usual = _unlike(median_across(np.stack(weeks)), per_day)
    seen_once = length < 14 * per_day
    believed = np.where(_of_some_country(away + expected // hour, per_day), usual, np.inf) if seen_once else usual
    found = _best(believed, away)
    in_most = np.sort([_left(unlike, found, begin) for unlike in each], axis=0)[len(weeks) // 2]
    clear = (_left(usual, found, begin) < IN_USUAL_WEEK) & (in_most < IN_MOST_WEEKS)
    if seen_once:
        clear &= _came_and_went(monday, length, per_day)[found]
    return np.asarray(expected + np.where(clear, hour * away[found], 0))


def _hours(values: Values, slots: Slots, first: int, hour: int) -> Values:
    """Give the logarithms of the hours."""
    hours = block_means_from(fill(values, slots.per_day), first, hour)
    # No absurd value moves the middle; of what stands idle most of the time it tells nothing.
    middle, mean = median_of(hours, axis=1), np.maximum(hours.mean(axis=1), 1e-30)
    return np.asarray(np.log(hours / np.where(middle > HARDLY * mean, middle, mean)[:, None] + OFFSET))


def _weeks(hours: Values, monday: int, per_week: int) -> list[Values]:
    """Give each whole week that is known, from Monday 00:00 on; of less than two the last and the first."""
    last = hours.shape[1] - per_week
    begins = range(last, -1, -per_week) if last >= per_week else (last, 0)
    return [np.roll(hours[:, begin : begin + per_week], monday + begin, axis=1) for begin in begins]


def _of_some_country(late: npt.NDArray[np.int64], per_day: int) -> npt.NDArray[np.bool_]:
    """Tell whether some country's weekend begins so long after Saturday 00:00."""
    return np.asarray((late >= EARLIEST_DAYS * per_day) & (late <= LATEST_DAYS * per_day))


def _came_and_went(monday: int, length: int, per_day: int) -> npt.NDArray[np.bool_]:
    """Tell of each hour of a week, were it to begin a weekend, whether one was seen with what is around it."""
    before = (np.arange(7 * per_day) - monday) % (7 * per_day)
    before[before < AROUND * per_day] += 7 * per_day
    return np.asarray(before + (2 + AROUND) * per_day <= length)


def _best(believed: Values, away: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Find the beginning that leaves the least unlike; of those that do as well, the one nearest to the expected."""
    as_well = believed <= AS_WELL * believed.min(axis=1, keepdims=True)
    return np.asarray(np.where(as_well, np.abs(away), len(away)).argmin(axis=1))


def _left(unlike: Values, found: npt.NDArray[np.int64], begin: int) -> Values:
    """Tell what share of what the expected weekend leaves unlike the one that was found leaves."""
    return np.asarray(unlike[np.arange(len(unlike)), found] / unlike[:, begin])


def _unlike(week: Values, per_day: int) -> Values:
    """Tell for each hour of a week, were it to begin a weekend, how unlike days of one kind are at the same time."""
    days = week.reshape(-1, 7, per_day)
    sums, squares = np.tile(days.sum(axis=1), 7), np.tile((days**2).sum(axis=1), 7)
    two = week + np.roll(week, -per_day, axis=1)
    within = squares - two**2 / 2 - (sums - two) ** 2 / 5
    run = np.cumsum(np.concatenate([np.zeros_like(within[:, :1]), within, within[:, : per_day - 1]], axis=1), axis=1)
    return np.asarray(np.maximum(run[:, per_day:] - run[:, :-per_day], 0) + 1e-9)
