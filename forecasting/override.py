"""Override: what a person decided for a fleet, for a while, over whatever is planned.

Where several hold at once, the one that was made last rules alone; when it ends, the one before it rules again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from forecasting.errors import InvalidRequest
from forecasting.plan import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime


class OverrideKind(StrEnum):
    """What a person asked for; each comes down to bounds, or to no writing at all."""

    FREEZE = "freeze"  # neither out nor in
    NO_SCALE_IN = "no_scale_in"
    NO_SCALE_OUT = "no_scale_out"
    HOLD = "hold"  # at a number
    BOUNDS = "bounds"  # between two numbers, or beyond one
    STOP = "stop"  # nothing is written, and what was scheduled is taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Bounds that a person put on a fleet from one instant to another, or until it is ended."""

    id: str
    fleet: str
    kind: OverrideKind
    reason: str
    actor: str
    starts_at: datetime
    ends_at: datetime | None = None
    min_size: int | None = None
    max_size: int | None = None
    max_before: int | None = None  # what the group's maximum returns to
    group_id: str | None = None  # the group it was laid on; a stop has none
    created_at: datetime
    ended_at: datetime | None = None  # when a person ended it before its time

    def __post_init__(self) -> None:
        """Refuse an override that can never hold, or that says nothing."""
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            starts, ends = self.starts_at.isoformat(), self.ends_at.isoformat()
            msg = f"override ends {ends}, not after it starts {starts}: give a later end"
            raise InvalidRequest(msg)
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            msg = f"override's min {self.min_size} is above its max {self.max_size}: lower the one or raise the other"
            raise InvalidRequest(msg)
        if self.kind is not OverrideKind.STOP and self.min_size is None and self.max_size is None:
            msg = f"override {self.kind} gives neither min nor max: give at least one"
            raise InvalidRequest(msg)

    @property
    def over_at(self) -> datetime | None:
        """When its time is over; None while nobody knows."""
        return min((end for end in (self.ends_at, self.ended_at) if end), default=None)

    def holds_at(self, when: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.starts_at <= when and (self.over_at is None or when < self.over_at)

    def bound(self, size: int) -> int:
        """Bring a size within the bounds."""
        least = 0 if self.min_size is None else self.min_size
        return max(least, size if self.max_size is None else min(size, self.max_size))

    def held_to(self, most: int) -> Override:
        """Give it as it is where nobody may ask for more than so many any longer."""
        least, top = (None if size is None else min(size, most) for size in (self.min_size, self.max_size))
        if (least, top) == (self.min_size, self.max_size):
            return self
        return replace(self, min_size=least, max_size=top, reason=f"{self.reason} (held to max {most})")

    def __str__(self) -> str:
        until = f"until {self.ends_at:%Y-%m-%d %H:%M} UTC" if self.ends_at else "until it is ended"
        sizes = {"min": self.min_size, "max": self.max_size}
        told = ", ".join(f"{name} {size}" for name, size in sizes.items() if size is not None)
        return f"{self.kind}{f' ({told})' if told else ''} by {self.actor} {until}: {self.reason}"


def ruling(overrides: Iterable[Override], when: datetime) -> Override | None:
    """Give the override that rules at an instant: of those that hold, the one made last."""
    holding = (each for each in overrides if each.holds_at(when))
    return max(holding, key=lambda each: (each.created_at, each.id), default=None)


def stop_at(overrides: Iterable[Override], when: datetime) -> Override | None:
    """Give the stop that holds at an instant; it goes before everything."""
    return next((each for each in overrides if each.kind is OverrideKind.STOP and each.holds_at(when)), None)


def foremost(overrides: Sequence[Override], when: datetime) -> Override | None:
    """Give what holds at an instant: a stop before everything, of the others the one made last."""
    return stop_at(overrides, when) or ruling(overrides, when)


def overridden(plan: Plan, overrides: Sequence[Override], *, usual_max: int | None = None) -> Plan:
    """Lay overrides over a plan; outside of them the plan holds, and a maximum they moved is the usual one again."""
    if not overrides:
        return plan
    ours = usual_max if any(each.max_size is not None for each in overrides) else None
    return Plan(tuple(_changes(_laid_over(plan, overrides, ours))))


def _laid_over(plan: Plan, overrides: Sequence[Override], usual_max: int | None) -> Iterator[Step]:
    edges = {edge for each in overrides for edge in (each.starts_at, each.over_at) if edge and edge > plan.start}
    for at in sorted({step.at for step in plan.steps} | edges):
        step = plan.step_at(at)
        rules = ruling(overrides, at)
        if rules is None:
            yield replace(step, at=at, most=_known(step.most, usual_max))
            continue
        capacity, most = rules.bound(step.capacity), _known(rules.max_size, step.most, usual_max)
        changed = f"{rules}; the plan would hold {step.capacity}"
        most = None if most is None else max(most, capacity)
        yield replace(step, at=at, capacity=capacity, most=most, reason=changed, bound="override")


def _known(*sizes: int | None) -> int | None:
    """Give the first that is known; 0 is a maximum too."""
    return next((size for size in sizes if size is not None), None)


def _changes(steps: Iterable[Step]) -> Iterator[Step]:
    """Leave out a step that changes nothing."""
    before: Step | None = None
    for step in steps:
        if before is None or (step.capacity, step.most) != (before.capacity, before.most):
            yield step
            before = step
