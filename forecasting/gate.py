"""Gate: how far a fleet's forecast is trusted, moved by evidence and never by hope.

    observe --passes--> approve --a person says yes--> auto --fails twice--> suspended --passes--> auto
       |                                                ^
       +------------ passes, and its file says auto ----+

A fleet that a person put back to observe waits at approve whatever its file says: only a person undoes it.
Only in `auto` does a forecast move capacity; in every other stage the fleet reacts alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from forecasting.errors import InvalidRequest

if TYPE_CHECKING:
    from datetime import datetime

    from forecasting.evidence import Evidence

FAILURES = 2
"""Failed reviews in a row that suspend a fleet: one may be an odd day."""
NO_RHYTHM = 0.9
"""A forecast must be off by less than this share of a flat line's error."""


class Stage(StrEnum):
    """How far a fleet's forecast is trusted."""

    OBSERVE = "observe"
    APPROVE = "approve"
    AUTO = "auto"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the evidence lets a forecast touch capacity, and why."""

    passed: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a fleet stands, since when and why, and how many reviews it has failed in a row."""

    stage: Stage = Stage.OBSERVE
    since: datetime
    reason: str = "not reviewed yet"
    failures: int = 0
    put_back: bool = False  # by a person, whose yes it needs once it has passed

    def reviewed(self, verdict: Verdict, *, by_itself: bool, now: datetime) -> Self:
        """Give the standing after a review; `by_itself` when no person needs to approve what has passed."""
        failures = 0 if verdict.passed else self.failures + 1
        stage = self._after(failures, by_itself=by_itself and not self.put_back)
        if stage is self.stage:
            return replace(self, failures=failures, reason=verdict.reason)
        return replace(self, stage=stage, since=now, reason=verdict.reason, failures=failures)

    def promoted(self, reason: str, *, now: datetime) -> Self:
        """Let a person's yes count; only what has passed can be promoted."""
        if self.stage is not Stage.APPROVE:
            msg = f"the fleet stands at {self.stage}, and only one that waits at approve can be promoted: {self.reason}"
            raise InvalidRequest(msg)
        return replace(self, stage=Stage.AUTO, since=now, reason=reason, put_back=False)

    def demoted(self, reason: str, *, now: datetime) -> Self:
        """Begin anew: the fleet is only observed."""
        return replace(self, stage=Stage.OBSERVE, since=now, reason=reason, failures=0)

    def rejected(self, reason: str, *, now: datetime) -> Self:
        """Let a person's no count: the fleet is only observed, until a person promotes it again."""
        return replace(self.demoted(reason, now=now), put_back=True)

    def _after(self, failures: int, *, by_itself: bool) -> Stage:
        match self.stage:
            case Stage.OBSERVE if not failures:
                return Stage.AUTO if by_itself else Stage.APPROVE
            case Stage.APPROVE if failures:
                return Stage.OBSERVE
            case Stage.APPROVE if by_itself:
                return Stage.AUTO
            case Stage.AUTO if failures >= FAILURES:
                return Stage.SUSPENDED
            case Stage.SUSPENDED if not failures:
                return Stage.AUTO
        return self.stage


def judge(evidence: Evidence, *, max_extra_cost: float) -> Verdict:
    """Let a forecast pass that knows more than a flat line and is worth its money."""
    verdict = _judged(evidence, max_extra_cost)
    return replace(verdict, reason=f"{verdict.reason}{_whose(evidence)}")


def _judged(evidence: Evidence, max_extra_cost: float) -> Verdict:
    floor, alone = evidence.floor, evidence.reactive
    shorter = f"short {floor.under_time_share:.1%} of the time instead of {alone.under_time_share:.1%}"
    costs = f"for {abs(evidence.extra_cost):.0%} {'more' if evidence.extra_cost >= 0 else 'less'}"
    if evidence.rhythm >= NO_RHYTHM:
        return Verdict(passed=False, reason=f"no rhythm: {_beside_flat(evidence)}")
    if floor.under_time_share > alone.under_time_share:
        return Verdict(passed=False, reason=f"no help: {shorter}, {costs}")
    if evidence.worth >= 0 and evidence.margin > 0:
        return Verdict(passed=True, reason=f"{shorter}, {costs}; {_as_safe(evidence)}")
    if floor.under_time_share < alone.under_time_share and evidence.extra_cost <= max_extra_cost:
        return Verdict(passed=True, reason=f"{shorter}, {costs}, within the {max_extra_cost:.0%} that may be")
    if evidence.extra_cost <= 0:
        return Verdict(passed=True, reason=f"{shorter}, {costs}")
    return Verdict(passed=False, reason=f"too dear: {shorter}, {costs}; {max_extra_cost:.0%} more may be")


def _as_safe(evidence: Evidence) -> str:
    dearer = f"costs {evidence.worth:.0%} more"
    if evidence.as_safe.under_time_share > evidence.floor.under_time_share:
        return f"no headroom makes reaction as safe: {evidence.margin:.0%} does not, and {dearer}"
    return f"reaction that is as safe needs {evidence.margin:.0%} headroom and {dearer}"


def _whose(evidence: Evidence) -> str:
    """Name, of several loads, the one that was judged most of the time."""
    if not evidence.deciding:
        return ""
    name, share = max(evidence.deciding.items(), key=lambda each: each[1])
    return f"; {share:.0%} of the time {name} needed the most"


def _beside_flat(evidence: Evidence) -> str:
    if not evidence.flat:
        return "the load has not moved, and needs no forecast"
    return f"the forecast was off by {evidence.wape:.0%}, a flat line by {evidence.flat:.0%}"
