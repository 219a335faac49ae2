"""The sandbox's time: it can run fast, stand still, or be set, and every service reads it here."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    """A virtual clock: real time at speed 1 until it is told otherwise."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Go back to real time at speed 1."""
        self._pinned: datetime | None = None
        self._speed = 1.0
        self._base = datetime.now(UTC)
        self._started = time.monotonic()

    @property
    def speed(self) -> float:
        """Virtual seconds per real second; 0 stands still."""
        return self._speed

    def now(self) -> datetime:
        """Return the virtual instant, in UTC."""
        if self._pinned is not None:
            return self._pinned
        return self._base + timedelta(seconds=(time.monotonic() - self._started) * self._speed)

    def now_naive(self) -> datetime:
        """Return the virtual instant as moto keeps it: UTC without a zone."""
        return self.now().replace(tzinfo=None)

    def set(self, *, now: datetime | None = None, speed: float | None = None) -> None:
        """Move to another instant, run at another speed, or both."""
        self._base, self._started = (now or self.now()).astimezone(UTC), time.monotonic()
        self._speed = self._speed if speed is None else speed

    @contextmanager
    def pinned(self, instant: datetime) -> Iterator[None]:
        """Let everything inside happen at exactly this instant."""
        before, self._pinned = self._pinned, instant
        try:
            yield
        finally:
            self._pinned = before
