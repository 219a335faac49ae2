"""A week seen once, or a part of one: too little to learn a weekday from, yet it alone knows that Saturday is coming.

From seven to fourteen days, how far to lean on last week is decided by what the series itself shows: how well last week
foretold the days since, and how badly yesterday foretells a day of the other kind. Before that, a day of the kind that
comes may have been seen: Sunday is as Saturday was and Monday as Friday, as far as days of a kind are like each other
and unlike the others.
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
# A day of its kind, seen a few days ago, is taken to miss by twice what neighbouring days do.
FEW = 2.0
# What is taken for granted weighs as much as one day of trial.
GRANTED_DAYS = 1.0
LUCK = 0.01


def share_of_last_week(values: Values, slots: Slots, blended: Values) -> Values:
    """Give how far to lean on last week, (series, horizon), instead of a blend whose error in trials is known.

    Values and errors are in units of the mean demand.
    """
    length, per_day = values.shape[1], slots.per_day
    kinds = _weekends(length, slots)
    neighbour, stranger = _day_by_day(values, kinds, per_day)
    last_week = _error_of_last_week(values, slots, OLDER * neighbour)
    # Were it but half a Sunday, the day behind would drag the guesses for a Monday down.
    of_late = kinds[length - per_day : length]
    known_kind = (of_late[:, None] == kinds[length:]).all(axis=0)
    return np.where(known_kind, SAME_KIND * _earned(last_week, blended), _earned(last_week, stranger))


def share_of_its_kind(values: Values, slots: Slots) -> tuple[Values, Values]:
    """Give how far to lean on the last day of the coming kind, and that day: two of (series, horizon).

    That is where the day before is of the other kind, or the only one of its kind: else what was blended knows better.
    """
    length, per_day = values.shape[1], slots.per_day
    kinds = _weekends(length, slots)
    coming, back = np.arange(length, length + slots.horizon), np.arange(1, 1 + length // per_day)
    at = coming[:, None] - per_day * (back + (coming[:, None] - length) // per_day)
    alike = (at >= 0) & (kinds[np.maximum(at, 0)] == kinds[coming][:, None])
    source = at[np.arange(slots.horizon), alike.argmax(axis=1)]
    only = (alike.sum(axis=1) == 1) & kinds[:length].any() & ~kinds[:length].all()
    strange = alike.any(axis=1) & ~alike[:, 0]
    neighbour, stranger = _day_by_day(values, kinds, per_day)
    return np.where(strange | only, _earned(FEW * neighbour, stranger), np.float32(0)), values[:, np.maximum(source, 0)]


def _weekends(length: int, slots: Slots) -> np.ndarray:
    """Tell which slots of history and horizon lie in a weekend."""
    return np.asarray(slots.of_week(0, length + slots.horizon) >= 5 * slots.per_day)


def _day_by_day(values: Values, kinds: np.ndarray, per_day: int) -> tuple[Values, Values]:
    """Give how far days lie from the day before, one of the same kind and one of the other, if there was any."""
    by_day = np.abs(values[:, per_day:] - values[:, :-per_day])
    same = kinds[per_day : values.shape[1]] == kinds[: values.shape[1] - per_day]
    neighbour = by_day[:, same].mean(axis=1) if same.any() else by_day.mean(axis=1)
    return neighbour, by_day[:, ~same].mean(axis=1) if not same.all() else neighbour


def _error_of_last_week(values: Values, slots: Slots, granted: Values) -> Values:
    days = values.shape[1] / slots.per_day - 7
    wrong = np.abs(values[:, slots.per_week :] - values[:, : -slots.per_week]).sum(axis=1) / slots.per_day
    return np.asarray((wrong + GRANTED_DAYS * granted) / (days + GRANTED_DAYS))


def _earned(error: Values, rival: Values) -> Values:
    """Give the share that a guess with this error earns beside one with that: (series, 1)."""
    ratio = ((error + LUCK) / (rival + LUCK)) ** POWER
    return np.asarray(1 / (1 + ratio), dtype=np.float32)[:, None]
