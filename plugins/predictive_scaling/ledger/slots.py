"""When the next call may go, a row an account and region, in the table `scaling_pace` and, for tests, in memory.

A row holds when its next slot begins: to take one is to move it on by a step, in one statement, so that no two callers
get the same, wherever they are. An account that was idle may make a second's worth of calls at once, and no more.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from predictive_scaling.ledger.connection import engine_of_connection
from predictive_scaling.ledger.tables import scaling_pace

if TYPE_CHECKING:
    from datetime import datetime

AT_ONCE: Final = 1.0
"""Seconds' worth of calls that may go at once after a while without any."""
LONGEST: Final = 30.0
"""Seconds; more callers than the budget can serve, or a machine whose clock is wrong, keep no call waiting longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """So many calls a second. Its instants are seconds since 1970, which every database adds and compares alike."""

    calls_per_second: float

    def __post_init__(self) -> None:
        """Refuse a pace at which nothing would ever be called."""
        if self.calls_per_second <= 0:
            msg = f"calls_per_second: {self.calls_per_second} is no pace: it must be above 0"
            raise ValueError(msg)

    @property
    def step(self) -> float:
        """From one slot to the next."""
        return 1 / self.calls_per_second

    @staticmethod
    def window(now: float) -> tuple[float, float]:
        """Give the first and the last slot that a call of now may take."""
        return now - AT_ONCE, now + LONGEST

    def wait(self, next_at: float, now: float) -> timedelta:
        """Give how long it is until the slot that was taken when the row moved on to `next_at`."""
        return timedelta(seconds=max(next_at - self.step - now, 0.0))


class Slots(Protocol):
    """Gives each slot away once."""

    def take(self, key: str, pace: Pace, *, now: datetime) -> timedelta:
        """Take the next slot of an account; give how long it is until it comes, nothing for one that has come."""


class SqlSlots:
    """Keeps the contract of `Slots` in SQL; no lock is held between two statements, so who dies holds up nobody."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @classmethod
    def from_connection(cls) -> SqlSlots:
        """Reach the table as a task does."""
        return cls(engine_of_connection())

    def take(self, key: str, pace: Pace, *, now: datetime) -> timedelta:
        """Take the next slot of an account, whose row is made with the first."""
        seconds = now.timestamp()
        (first, last), row = pace.window(seconds), scaling_pace.c
        slot = sa.case((row.next_at < first, first), (row.next_at > last, last), else_=row.next_at)
        taking = sa.update(scaling_pace).where(row.key == key).values(next_at=slot + pace.step).returning(row.next_at)
        with self._engine.connect() as connection:
            next_at = connection.execute(taking).scalar()
            if next_at is None:
                with suppress(IntegrityError):  # another made the row between our look and our insert
                    connection.execute(sa.insert(scaling_pace), {"key": key, "next_at": first})
                next_at = connection.execute(taking).scalar_one()
        return pace.wait(next_at, seconds)


class MemorySlots:
    """Keeps the contract of `Slots` for as long as the process lives."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}

    def take(self, key: str, pace: Pace, *, now: datetime) -> timedelta:
        """Take the next slot of an account."""
        seconds = now.timestamp()
        first, last = pace.window(seconds)
        self._next[key] = min(max(self._next.get(key, first), first), last) + pace.step
        return pace.wait(self._next[key], seconds)
