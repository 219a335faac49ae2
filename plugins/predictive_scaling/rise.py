"""What the watch raised, until it serves: how long that took since the decision is told in the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.fleets import Examined
from predictive_scaling.follow import conclude, promised
from predictive_scaling.waits import Ended, InServiceWait
from predictive_scaling.workplace import Turn, Workplace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.reaction import Watched
    from predictive_scaling.waits import Verdict


FOLLOWED: Final = timedelta(hours=1)
"""What does not serve after so long is a matter of the group's own activities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """A raise that was written, and has not been seen to serve yet."""

    fleet: str
    goal: int
    asked_at: datetime
    operation_id: str | None

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked for, as the event keeps it."""
        return {"goal": self.goal}

    def judge(self, watched: Watched | None) -> Verdict | None:
        """Give the end, or None while it is awaited, or the group out of reach."""
        return InServiceWait(goal=self.goal).judge(Examined(observed=watched.group)) if watched else None


@dataclass(slots=True)
class Rises:
    """Those that are followed from look to look; a watch that ends leaves theirs untold, and nothing else."""

    _open: list[Rise] = field(default_factory=list)

    def follow(self, rise: Rise) -> None:
        """Follow one from now on."""
        self._open.append(rise)

    def served(self, watched: Mapping[str, Watched], now: datetime) -> list[tuple[Rise, Verdict]]:
        """Give those that a look has found to serve; one that was overtaken, or is too old, is let go."""
        judged = [(rise, rise.judge(watched.get(rise.fleet))) for rise in self._open]
        self._open = [rise for rise, verdict in judged if verdict is None and now - rise.asked_at < FOLLOWED]
        return [(rise, verdict) for rise, verdict in judged if verdict and verdict.ended is Ended.DONE]


def tell(rise: Rise, verdict: Verdict, spec: FleetSpec, around: Circumstances, *, now: datetime) -> str:
    """Tell the ledger how long one took, and give the line that says so."""
    turn, lead_time = Turn(by=around.by, now=now, patience=around.patience), spec.policy.lead_time
    at = Workplace(name=spec.name, fleet=around.reach(spec), ledger=around.ledger, turn=turn)
    seconds = conclude(rise, verdict, at, lead_time=lead_time)
    return f"{spec.name}: {verdict.reason}, {seconds:.0f} s after the decision, {promised(lead_time, seconds)}"
