"""Freeze: a time in which nothing may change, because people are at work on the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecasting.errors import InvalidPolicy
from forecasting.instant import as_utc

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Freeze:
    """From `start` to before `end` the capacity stays as it is."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Store instants as UTC; refuse an end that does not come after the start."""
        object.__setattr__(self, "start", as_utc(self.start, "freeze start", InvalidPolicy))
        object.__setattr__(self, "end", as_utc(self.end, "freeze end", InvalidPolicy))
        if self.end <= self.start:
            msg = f"freeze ends at {self.end.isoformat()}, not after its start {self.start.isoformat()}: swap them"
            raise InvalidPolicy(msg)
