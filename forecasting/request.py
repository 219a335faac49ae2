"""Request: what is asked of all series of a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from forecasting.duration import format_duration
from forecasting.errors import InvalidRequest, shown
from forecasting.event import Event
from forecasting.forecast import checked_quantiles

LONGEST_HORIZON: Final = timedelta(days=14)
QUANTILES: Final = (0.5, 0.9, 0.95)
WORKERS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked for, the same for every series."""

    horizon: timedelta
    quantiles: tuple[float, ...]
    engine: str
    timezone: str
    events: tuple[Event, ...]
    country: str | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse what nobody could answer."""
        check_horizon(self.horizon)
        if not isinstance(self.engine, str):
            msg = f"engine is {shown(self.engine)}: give the name of one, such as 'auto'"
            raise InvalidRequest(msg)
        for event in self.events:
            if not isinstance(event, Event):
                msg = f"event {shown(event)} is none: give Event(name=..., start=..., end=...)"
                raise InvalidRequest(msg)
        if self.workers < 1:
            msg = f"workers is {self.workers}: give 1 or more, or leave it out"
            raise InvalidRequest(msg)
        object.__setattr__(self, "quantiles", checked_quantiles(self.quantiles, InvalidRequest))


def check_horizon(horizon: timedelta) -> timedelta:
    """Refuse a horizon that nobody can see to."""
    if not isinstance(horizon, timedelta):
        msg = f"horizon is {shown(horizon)}: give a time, such as timedelta(hours=48)"
        raise InvalidRequest(msg)
    if not timedelta(0) < horizon <= LONGEST_HORIZON:
        given = format_duration(horizon)
        msg = f"horizon {given} is not between 0 and {LONGEST_HORIZON.days} days: choose for example 48 hours"
        raise InvalidRequest(msg)
    return horizon
