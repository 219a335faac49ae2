"""A week seen once: too little to learn a weekday from, yet it alone knows that Saturday is coming.

From seven to fourteen days, how far to lean on last week is decided by what the series itself shows: how well last week
foretold the days since, and how badly yesterday foretells a day of the other kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

POWER = 5.0
# Where the last day was wholly of the same kind, what was blended is judged by its own trials, and never put aside.
SAME_KIND = 0.9
# Before last week has been tried at all, it is taken to miss by a little more than a neighbouring day does.
OLDER = 1.2
# What is taken for granted weighs as much as one day of trial.
GRANTED_DAYS = 1.0
LUCK = 0.01


def seen_once(length: int, slots: Slots) -> bool:
    """Tell whether a history shows a week, and no second one."""
    return slots.per_week <= length < 2 * slots.per_week


def share_of_last_week(values: Values, slots: Slots, blended: Values) -> Values:
    """Give how far to lean on last week, (series, horizon), instead of a blend whose error in trials is known.

    Values and errors are in units of the mean demand.
    """
    length, per_day = values.shape[1], slots.per_day
    kinds = slots.of_week(0, length + slots.horizon) >= 5 * per_day
    by_day = np.abs(values[:, per_day:] - values[:, :-per_day])
    same = kinds[per_day:length] == kinds[: length - per_day]
    neighbour = by_day[:, same].mean(axis=1)
    stranger = by_day[:, ~same].mean(axis=1) if not same.all() else neighbour
    last_week = _error_of_last_week(values, slots, OLDER * neighbour)
    # Were it but half a Sunday, the day behind would drag the guesses for a Monday down.
    of_late = kinds[length - per_day : length]
    known_kind = (of_late[:, None] == kinds[length:]).all(axis=0)
    return np.where(known_kind, SAME_KIND * _earned(last_week, blended), _earned(last_week, stranger))


def _error_of_last_week(values: Values, slots: Slots, granted: Values) -> Values:
    days = values.shape[1] / slots.per_day - 7
    wrong = np.abs(values[:, slots.per_week :] - values[:, : -slots.per_week]).sum(axis=1) / slots.per_day
    return np.asarray((wrong + GRANTED_DAYS * granted) / (days + GRANTED_DAYS))


def _earned(error: Values, rival: Values) -> Values:
    """Give the share that a guess with this error earns beside one with that: (series, 1)."""
    ratio = ((error + LUCK) / (rival + LUCK)) ** POWER
    return np.asarray(1 / (1 + ratio), dtype=np.float32)[:, None]
