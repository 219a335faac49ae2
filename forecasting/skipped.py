"""Work that was skipped: a job that comes every day and did not come once, or came at another time.

Guesses follow what is away by orders of magnitude to where nobody has been: of the night to come they would make half a
night. Once is no habit: p90 covers what comes if the last day is forgotten too. Twice within a week may be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting.values import median_across

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

# Below a fifth of the usual it did not come.
SKIPPED = 0.2
# So much of what a day brings must have been skipped to matter to the next.
MATTERS = 0.1
COMPARED_DAYS, LEAST_DAYS = 7, 3


def skipped_work(values: Values, slots: Slots) -> list[int]:
    """Find the series whose last day, and none of the week before it, skipped what came at that time of other days."""
    days = values.shape[1] // slots.per_day
    if days <= LEAST_DAYS:
        return []
    rows = np.flatnonzero(_skips(values, slots))
    for ago in range(1, min(COMPARED_DAYS, days - LEAST_DAYS)):
        if len(rows):
            rows = rows[~_skips(values[rows, : -ago * slots.per_day], slots)]
    return [int(row) for row in rows]


def _skips(values: Values, slots: Slots) -> np.ndarray:
    """Tell for each series whether its last day left much of the usual work of a day undone."""
    usual = _usual(values, slots)
    undone = np.where(values[:, -slots.per_day :] < SKIPPED * usual, usual, 0.0)
    return np.asarray(undone.sum(axis=1) > MATTERS * usual.sum(axis=1))


def _usual(values: Values, slots: Slots) -> Values:
    """Give what comes at each time of the last day: as other days and weeks have it, or the least of a few days."""
    known = values.shape[1] // slots.per_day
    days = np.stack([_day(values, slots, ago) for ago in range(1, min(COMPARED_DAYS, known - 1) + 1)])
    weeks = [_day(values, slots, 7 * week) for week in (1, 2, 3) if 7 * week < known]
    if len(weeks) < 2:
        return np.asarray(days.min(axis=0))
    return np.minimum(median_across(days), median_across(np.stack(weeks)))


def _day(values: Values, slots: Slots, ago: int) -> Values:
    end = values.shape[1] - ago * slots.per_day
    return values[:, end - slots.per_day : end]
