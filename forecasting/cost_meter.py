"""Meter: what instances have cost today and this month, summed up from one look at a fleet to the next.

Between two looks the mean of both counts is taken to have run; a bill says it exactly, and later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from forecasting.budget import Span, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = timedelta(hours=1)
BELIEVED = timedelta(days=1)
"""A fleet that nobody looks at any more is believed to run on for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the meter of a fleet shows."""

    at: datetime
    since: datetime  # when the meter was first read: what ran before is not in it
    instances: float
    price: float
    day: float = 0.0
    month: float = 0.0

    def advanced(self, now: datetime, instances: float | None = None, price: float | None = None) -> Self:
        """Read the meter again; without a count, the last one is taken to have stayed."""
        count = self.instances if instances is None else instances
        rate = (self.instances + count) / 2 * self.price
        fresh = replace(self, instances=count, price=self.price if price is None else price, at=max(now, self.at))
        return replace(
            fresh, day=self._sum(Span.DAILY, self.day, rate, now), month=self._sum(Span.MONTHLY, self.month, rate, now)
        )

    def resized(self, at: datetime, instances: float) -> Self:
        """Read on to an instant at which the size is known to have changed at once."""
        return replace(self.advanced(at), instances=instances)

    def given_up(self, now: datetime) -> Self:
        """Read the meter of a fleet that nobody looks at any more."""
        return self.resized(min(now, self.at + BELIEVED), 0.0).advanced(now)

    def _sum(self, span: Span, known: float, rate: float, now: datetime) -> float:
        if now <= self.at:
            return known
        window = next(windows(span, now, now + timedelta(microseconds=1)))
        carried = known if window.holds(self.at) else 0.0
        return carried + rate * ((now - max(self.at, window.start)) / HOUR)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        figures = {name: round(getattr(self, name), 6) for name in ("instances", "price", "day", "month")}
        return {"at": self.at.isoformat(), "since": self.since.isoformat(), **figures}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave."""
        figures = {name: float(row[name]) for name in ("instances", "price", "day", "month")}
        at, since = (datetime.fromisoformat(row[name]) for name in ("at", "since"))
        return cls(at=at, since=since, **figures)
