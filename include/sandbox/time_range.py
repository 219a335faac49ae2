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
GRAIN = ((63, 3600), (15, 300), (3 / 24, 60))
"""A request that starts more than so many days ago sees data in multiples of so many seconds."""
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
        """Return what AWS tells of this range in that period: none of it where the period is too fine for its start."""
        now = WORLD.now().timestamp()
        grain = next((seconds for days, seconds in GRAIN if now - self.start > days * DAY), 1)
        if period % grain:
            return Range(self.end, self.end)
        return Range(max(self.start, now - LONGEST_RETENTION_DAYS * DAY), self.end)


def check_period(period: float) -> None:
    """Refuse a period that CloudWatch does not have."""
    if period <= 0 or (period not in HIGH_RESOLUTION and period % 60):
        message = f"Value of field Period must be 1, 5, 10, 20, 30, or a multiple of 60, it is {period:g}."
        raise ValidationError(message)
