"""When the week of a series rests: on Saturday and Sunday, unless its country or the series itself says otherwise.

Every model knows two kinds of days. Where people rest on Friday, or live by other clocks than those of the fleet's time
zone, the series shows it: two days on end are like each other, and the five others are, far more than Saturday and
Sunday are and the others. One week alone says so only of days on which some country rests.
"""

from __future__ import annotations

from itertools import pairwise
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


def weekends(values: Values, slots: Slots, expected: int = 0) -> npt.NDArray[np.int64]:
    """Tell how many slots after Saturday 00:00 each weekend begins: as expected, unless clearly another."""
    hour = slots.hour if slots.per_day % slots.hour == 0 else 1
    per_day, weeks = slots.per_day // hour, _weeks(values, slots, hour)
    if not weeks:
        return np.full(len(values), expected)
    begin = (SATURDAY * per_day + expected // hour) % (7 * per_day)
    away = np.arange(7 * per_day) - begin
    away -= 7 * per_day * np.rint(away / (7 * per_day)).astype(np.int64)
    each = [_unlike(week, per_day) for week in weeks]
    usual = _unlike(median_across(np.stack(weeks)), per_day) if len(weeks) > 1 else each[0]
    found = _best(usual, away, per_day, seen_once=len(weeks) == 1)
    in_most = np.sort([_left(unlike, found, begin) for unlike in each], axis=0)[len(weeks) // 2]
    clear = (_left(usual, found, begin) < IN_USUAL_WEEK) & (in_most < IN_MOST_WEEKS)
    return np.asarray(expected + np.where(clear, hour * away[found], 0))


def _weeks(values: Values, slots: Slots, hour: int) -> list[Values]:
    """Give the logarithms of the hours of each whole week that is known, from Monday 00:00 on."""
    per_week, first = slots.per_week // hour, -slots.phase % hour
    if values.shape[1] - first < slots.per_week:
        return []
    hours = block_means_from(fill(values, slots.per_day), first, hour)
    # No absurd value moves the middle; of what stands idle most of the time it tells nothing.
    middle, mean = median_of(hours, axis=1), np.maximum(hours.mean(axis=1), 1e-30)
    hours = np.log(hours / np.where(middle > HARDLY * mean, middle, mean)[:, None] + OFFSET)
    ends = range(hours.shape[1], -1, -per_week)
    monday = (slots.phase + first) // hour
    return [np.roll(hours[:, begin:end], monday + begin, axis=1) for end, begin in pairwise(ends)]


def _best(unlike: Values, away: npt.NDArray[np.int64], per_day: int, *, seen_once: bool) -> npt.NDArray[np.int64]:
    """Find the beginning that leaves the least unlike; of those that do as well, the one nearest to the expected."""
    some_country = (away >= EARLIEST_DAYS * per_day) & (away <= LATEST_DAYS * per_day)
    believed = np.where(some_country, unlike, np.inf) if seen_once else unlike
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
