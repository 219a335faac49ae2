"""The time range and the period of a CloudWatch request, and how long AWS keeps data at each resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import ValidationError
from sandbox.metrics import epoch
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

DAY = 86_400
HIGH_RESOLUTION = (1, 5, 10, 20, 30)
RETENTION = ((60, 3 / 24), (300, 15), (3600, 63))
"""Data seen in periods shorter than this many seconds are kept for so many days; the rest 455 days."""
LONGEST_RETENTION_DAYS = 455


@dataclass(frozen=True, slots=True)
class Range:
    """From one instant (inclusive) to another (exclusive), in epoch seconds."""

    start: float
    end: float

    @classmethod
    def of(cls, start: datetime, end: datetime, refusal: Callable[[str], Exception]) -> Range:
        """Read the range of a request."""
        if epoch(start) >= epoch(end):
            message = "The parameter StartTime must be less than the parameter EndTime."
            raise refusal(message)
        return cls(epoch(start), epoch(end))

    def kept(self, period: float) -> Range:
        """Return what AWS still keeps of this range at that resolution."""
        days = next((days for limit, days in RETENTION if period < limit), LONGEST_RETENTION_DAYS)
        return Range(max(self.start, WORLD.now().timestamp() - days * DAY), self.end)


def check_period(period: float) -> None:
    """Refuse a period that CloudWatch does not have."""
    if period <= 0 or (period not in HIGH_RESOLUTION and period % 60):
        message = f"Value of field Period must be 1, 5, 10, 20, 30, or a multiple of 60, it is {period:g}."
        raise ValidationError(message)
