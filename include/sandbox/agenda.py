"""What is going to happen, in order of time: a booting instance, a scheduled action, the next minute of metrics."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

Action = Callable[[], None]


@dataclass(order=True, slots=True)
class Appointment:
    """One thing to do at one instant; of two at the same instant the one made first comes first."""

    when: datetime
    number: int
    action: Action = field(compare=False)


class Agenda:
    """A queue of appointments ordered by time."""

    def __init__(self) -> None:
        self._queue: list[Appointment] = []
        self._numbers = count()

    def at(self, when: datetime, action: Action) -> None:
        """Do something at an instant; an action checks for itself whether it is still wanted then."""
        heapq.heappush(self._queue, Appointment(when, next(self._numbers), action))

    def pop_due(self, until: datetime) -> Appointment | None:
        """Take the next appointment out if it is due by then."""
        if self._queue and self._queue[0].when <= until:
            return heapq.heappop(self._queue)
        return None

    def clear(self) -> None:
        """Forget everything."""
        self._queue.clear()


@dataclass(frozen=True, slots=True)
class Tick:
    """Something done again and again, at whole multiples of its period."""

    period: timedelta
    run: Callable[[datetime], None]

    def next_after(self, instant: datetime) -> datetime:
        """Return the first multiple of the period later than the instant."""
        epoch = datetime.fromtimestamp(0, UTC)
        return epoch + ((instant - epoch) // self.period + 1) * self.period


TICKS: list[Tick] = []
"""The ticks of every service; a module adds its own with `every`."""


def every(period: timedelta) -> Callable[[Callable[[datetime], None]], Callable[[datetime], None]]:
    """Register a function as a tick; it receives the instant that it is due at."""

    def register(function: Callable[[datetime], None]) -> Callable[[datetime], None]:
        TICKS.append(Tick(period, function))
        return function

    return register
