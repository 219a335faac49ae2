"""How early to ask: as long as this fleet's own launches have taken, once there are enough to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.fleets import Activity
    from predictive_scaling.ledger.gates import Gate

AWS_DELAY: Final = timedelta(minutes=2)
"""AWS may carry a scheduled action out so much later than it was scheduled for."""
LEAST_LAUNCHES: Final = 5
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Boot:
    """How long a fleet's instances take to be in service, and from how many launches that is known."""

    time: timedelta | None = None
    launches: int = 0

    def differs_from(self, other: Boot) -> bool:
        """Whether it is worth a word: something is known anew, or is a tenth away from what was."""
        if self.time is None or other.time is None:
            return self.time != other.time
        return abs(self.time - other.time) >= other.time / 10


def learned(activities: Sequence[Activity], known: Boot) -> Boot:
    """Learn from the launches among a fleet's activities; too few of them leave what was known."""
    boots = [activity.boot for activity in activities if activity.boot]  # what served at once was never booted
    time = learned_boot(boots)
    return known if time is None else Boot(time, len(boots))


def learned_boot(boots: Sequence[timedelta]) -> timedelta | None:
    """Give the time within which nine launches of ten were in service; None while they are too few."""
    if len(boots) < LEAST_LAUNCHES:
        return None
    *_, ninth = quantiles([boot.total_seconds() for boot in boots], n=10, method="inclusive")
    return timedelta(seconds=ninth)


def lead_time(stated: timedelta, gate: Gate | None) -> tuple[timedelta, tuple[str, ...]]:
    """Give the learned lead time, in whole minutes, with the reason where it differs from the one in the file."""
    if gate is None or gate.boot is None:
        return stated, ()
    learned = -(-(gate.boot + AWS_DELAY) // MINUTE) * MINUTE
    if learned == stated:
        return stated, ()
    note = (
        f"asks {learned // MINUTE} min ahead instead of {stated / MINUTE:g}: nine in ten of {gate.launches} launches "
        f"were in service within {gate.boot / MINUTE:.1f} min, and AWS may be {AWS_DELAY // MINUTE} late"
    )
    return learned, (note,)
