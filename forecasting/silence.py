"""Silence: slots at an end of a series that say nothing of its load.

Those before it began are left out. Those at the end, where nobody measured it or the fleet failed, are forecast as what
was known before has them; a failure that lasts is a change of level like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from forecasting.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from forecasting.slots import Slots
    from forecasting.values import Values

# Below a fifth of the least that was ever seen around this time of day.
FAILED = 0.2
FAILED_HOURS = 6
COMPARED_DAYS = 14
# So much must be known from before it, to tell what was usual.
KNOWN_DAYS = 6
# Of the most ever seen; what is below has not begun.
NOTHING = 1e-6
# What began some hours ago and is over again was a burst; after two days it is there to stay.
BEGUN_HOURS, SURE_DAYS = 3, 2
# So much of the time it may have been down since. At first, a night of nothing says what the nights before were.
DOWN, DOWN_AT_FIRST = 0.5, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One series of which the last `age` slots say nothing; `failed` tells that they were measured."""

    row: int
    age: int
    failed: bool

    def told(self, step: timedelta) -> str:
        """Say it in words."""
        since = format_duration(self.age * step)
        if self.failed:
            return f"for {since} it is far below all it ever was at this time: taken for a failure"
        return f"nothing was measured for {since}: forecast from what was known before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """One series of which only the last `age` slots are its own: there was nothing before."""

    row: int
    age: int


def find_beginnings(filled: Values, slots: Slots) -> Iterator[Beginning]:
    """Find the series that went live in the later half of what is known, and have been so for some hours."""
    nothing = filled <= NOTHING * filled.max(axis=1, keepdims=True)
    before = np.argmin(nothing, axis=1)
    for row in np.flatnonzero(before >= max(slots.per_day, filled.shape[1] / 2)):
        age = filled.shape[1] - int(before[row])
        sure = age >= SURE_DAYS * slots.per_day
        lasting = sure or not nothing[row, -slots.hour :].all()
        down = nothing[row, -age:].mean()
        if age >= slots.of(BEGUN_HOURS) and lasting and down <= (DOWN if sure else DOWN_AT_FIRST):
            yield Beginning(row=int(row), age=age)


def find_silences(values: Values, filled: Values, slots: Slots) -> Iterator[Silence]:
    """Find the series that were not measured for a day or more, or failed in the last hours."""
    length, per_day = values.shape[1], slots.per_day
    if length < KNOWN_DAYS * per_day:
        return
    unmeasured = _trailing(np.isnan(values))
    failing = filled[:, -1] < FAILED * filled[:, -1 - per_day :: -per_day][:, :COMPARED_DAYS].min(axis=1)
    for row in np.flatnonzero((unmeasured >= per_day) | failing):
        failed = bool(unmeasured[row] < per_day)
        age = _failed_for(filled[row], slots) if failed else int(unmeasured[row])
        if age and length - age >= KNOWN_DAYS * per_day:
            yield Silence(row=int(row), age=age, failed=failed)


def _failed_for(values: Values, slots: Slots) -> int:
    """Count the last slots that lie far below all other days around their time of day; 0 if that is no news."""
    width, hour, day = slots.of(FAILED_HOURS), slots.hour, slots.per_day
    days = min(COMPARED_DAYS, (len(values) - width - hour) // day)
    end = len(values) + hour
    others = [values[end - width - 2 * hour - lag : end - lag] for lag in range(day, (days + 1) * day, day)]
    around = np.lib.stride_tricks.sliding_window_view(np.min(others, axis=0), 2 * hour + 1)
    age = int(_trailing((values[-width:] < FAILED * around.min(axis=1))[None])[0])
    return age if age < width else 0


def _trailing(flags: np.ndarray) -> np.ndarray:
    """Count the last columns of each row that are true without a break."""
    return np.asarray(np.where(flags.all(axis=1), flags.shape[1], np.argmin(flags[:, ::-1], axis=1)))
