"""Event: a person's knowledge of a day unlike the others, past or to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (the plugin reads the annotations)

from forecasting.errors import InvalidRequest
from forecasting.instant import as_utc

LEAST_FACTOR, GREATEST_FACTOR = 0.001, 1_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A window whose demand is `factor` times the usual; with no factor, what it does is learnt from its past."""

    name: str
    start: datetime
    end: datetime
    factor: float | None = None

    def __post_init__(self) -> None:
        """Refuse empty windows and factors that no demand could have."""
        object.__setattr__(self, "start", as_utc(self.start, f"start of event {self.name!r}"))
        object.__setattr__(self, "end", as_utc(self.end, f"end of event {self.name!r}"))
        if self.end <= self.start:
            msg = f"event {self.name!r} ends at {self.end.isoformat()}, not after its start: swap the two"
            raise InvalidRequest(msg)
        if self.factor is not None and not LEAST_FACTOR <= self.factor <= GREATEST_FACTOR:
            msg = (
                f"event {self.name!r} has factor {self.factor:g}: write 2 for twice the usual demand, "
                f"{LEAST_FACTOR:g} to {GREATEST_FACTOR:g}"
            )
            raise InvalidRequest(msg)
