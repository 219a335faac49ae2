"""What strays from the habits of a series: a holiday, a burst, an outage. Nobody learns what is not expected again.

What is usual, the same time of other days of its kind tells, and from two weeks on the same time of other weeks. What
lies farther from both than the series' own noise accounts for is drawn in to where noise could have put it. A level
that lasts for days is no outlier. Until two weeks are known only drops are: a rise may be a habit of its weekday.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from forecasting.values import median_across, median_of

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

DAYS_FROM, WEEKS_FROM = 7, 2
ALIKE_FROM = 5  # A Saturday and a Sunday, or two of them, are too few to tell what is usual for either.
SPREADS = 3.0
LEAST = 0.05  # Of a logarithm: a twentieth of the usual matters to nobody, however calm a series is.
LEVEL_DAYS = 7


def drawn_in(logs: Values, slots: Slots) -> Values:
    """Give the logarithms of demand with all that strays drawn in, those of less than a week as they are."""
    series, length = logs.shape
    days = length // slots.per_day
    if days < DAYS_FROM:
        return logs
    weekly = days >= 7 * WEEKS_FROM
    if weekly:
        days -= days % 7
    by_day = logs[:, length - days * slots.per_day :].reshape(series, days, slots.per_day)
    away = _from_its_kind(by_day, slots.of_week(length - days * slots.per_day, length), slots)
    if weekly:
        by_week = _from_weeks(by_day, slots)
        np.copyto(away, by_week, where=np.abs(by_week) < np.abs(away))
    spread = 1.4826 * median_of(np.abs(away[:, :, :: slots.hour]).reshape(series, -1), axis=1)
    most = np.maximum(SPREADS * spread, LEAST)[:, None, None]
    away -= np.clip(away, -most, most if weekly else None)
    found = logs.copy()
    found[:, length - days * slots.per_day :] -= away.reshape(series, -1)
    return found


def _from_its_kind(by_day: Values, of_week: np.ndarray, slots: Slots) -> Values:
    """Tell how far each slot lies from the same time of other working days, or of other weekends."""
    weekend = (of_week >= 5 * slots.per_day).reshape(by_day.shape[1:])
    away = np.zeros_like(by_day)
    # The last day ends with the history, not at midnight: two days of the calendar share a row.
    midnight = int(-of_week[0] % slots.per_day)
    for columns in (slice(0, midnight), slice(midnight, slots.per_day)):
        for kind in (False, True):
            rows = weekend[:, columns.start] == kind
            if rows.sum() >= ALIKE_FROM and columns.stop > columns.start:
                alike = by_day[:, rows, columns]
                away[:, rows, columns] = alike - median_across(alike.transpose(1, 0, 2))[:, None]
    away -= _levels(away, slots)
    return away


def _from_weeks(by_day: Values, slots: Slots) -> Values:
    """Tell how far each slot lies from the same time of other weeks."""
    weeks = by_day.reshape(len(by_day), -1, slots.per_week)
    away = np.asarray(weeks - median_across(weeks.transpose(1, 0, 2))[:, None]).reshape(by_day.shape)
    away -= _levels(away, slots)
    return away


def _levels(away: Values, slots: Slots) -> Values:
    """Give the level of each day, as most of the days around it had it: (series, days, 1)."""
    days = median_of(away[:, :, :: slots.hour], axis=2)
    padded = np.pad(days, ((0, 0), (LEVEL_DAYS // 2,) * 2), mode="edge")
    return median_of(sliding_window_view(padded, LEVEL_DAYS, axis=1), axis=2)[:, :, None]
