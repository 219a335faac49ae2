"""Envelope: how far a plan may go unasked, in size, in pace and in money; what goes further is held back at its edge.

Every step is held by itself: what lies inside is done at once, and what lies outside waits. A step is never held
lower than the fleet's minimum, and holding back a raise never lowers the fleet faster than it may be lowered.

Pace is judged a day ahead, for as long as an answer holds: so the last step of a plan, which gives the floor back
should no newer plan ever come, is nobody's question.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from forecasting.approval import Hour, Matter, Outside
from forecasting.cost_account import Asked
from forecasting.cost_verdict import CENT
from forecasting.errors import InvalidPolicy
from forecasting.plan import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MARGIN: Final = 0.1
"""Plans are redrawn every hour and move a little: a question asks for so much more than the plan needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What was agreed that a plan may do unasked; None is no limit."""

    above: int | None = None  # no step higher
    raise_by: int | None = None  # no more up within an hour
    lower_by: int | None = None  # no more down within an hour
    dollars_a_day: float | None = None  # in the coming 24 hours
    first: bool = False  # nor the first plan at all
    within: timedelta = HOUR  # the time to answer
    lasts: timedelta = DAY  # for how long an answer holds
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse limits below nought and times that are none."""
        for name in ("above", "raise_by", "lower_by", "dollars_a_day"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                msg = f"{name} is {value}: give 0 or more"
                raise InvalidPolicy(msg)
        for name, most in (("within", DAY), ("lasts", 30 * DAY)):
            if not timedelta(0) < getattr(self, name) <= most:
                msg = f"{name} is {getattr(self, name)}: give a time above 0, up to {most // DAY} days, e.g. 1h"
                raise InvalidPolicy(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The fleet that a plan is for, as it is now."""

    now: datetime
    least: int  # the policy's bounds
    most: int
    floor: int | None = None  # what it holds now; None while somebody else decides that
    first: bool = False  # no plan of it was ever approved
    units: int = 1
    price: float = 0.0  # of one instance an hour
    over_budget: tuple[str, ...] = ()  # what budgets that ask say of the whole plan
    whole: Plan | None = None  # the plan before they cut it


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What of a plan may be done now, and what waits for a person."""

    plan: Plan
    outside: tuple[Outside, ...] = ()
    hours: tuple[Hour, ...] = ()


@dataclass(frozen=True, slots=True)
class _Edge:
    matter: Matter
    size: int
    why: str
    _: KW_ONLY
    rule: str


@dataclass
class _Scale:
    """Holds one plan's steps at the edges, in order of time, and remembers why."""

    envelope: Envelope
    case: Case
    granted: Mapping[Matter, int]
    level: int | None  # the highest that the money of a day pays for
    cost: float
    kept: list[Step] = field(default_factory=list)
    why: dict[Matter, dict[str, str]] = field(default_factory=dict)
    lowest: int | None = None

    def hold(self, step: Step) -> None:
        """Keep a step, as far as it may go."""
        before, soon = self._last_hour(step.at), step.at < self.case.now + DAY
        above = [edge for edge in self._above(before, soon=soon) if step.capacity > edge.size]
        slowest = list(self._below(before)) if soon else []
        below = [edge for edge in slowest if step.capacity < edge.size]
        size = min([step.capacity, *(edge.size for edge in above)])
        size = max([size, *(edge.size for edge in slowest)])
        waits = [edge for edge in above if size < step.capacity]  # what is held up is no raise
        for edge in (*waits, *below):
            told = f"{step.capacity} at {step.at:%a %H:%M} UTC, {edge.why}"
            self.why.setdefault(edge.matter, {}).setdefault(edge.rule, told)
        if below:
            self.lowest = min(step.capacity, step.capacity if self.lowest is None else self.lowest)
        told = f"{step.reason}; held at {size} of {step.capacity} until a person agrees"
        self.kept.append(step if size == step.capacity else replace(step, capacity=size, reason=told, bound="approval"))

    def _above(self, before: list[int], *, soon: bool) -> Iterator[_Edge]:
        agreed = self.envelope
        if agreed.above is not None:
            yield self._edge(Matter.RAISE, agreed.above, f"above {agreed.above}", "above")
        if agreed.raise_by is not None and before and soon:
            why = f"up by more than {agreed.raise_by} within an hour"
            yield self._edge(Matter.RAISE, min(before) + agreed.raise_by, why, "raise_by")
        if agreed.first and self.case.first:
            yield self._edge(Matter.RAISE, self.case.floor or 0, "in the first plan of this fleet", "first")
        if self.level is not None and agreed.dollars_a_day is not None:
            why = f"which makes ${self.cost:,.2f} in 24 hours, more than ${agreed.dollars_a_day:,.2f}"
            yield self._edge(Matter.SPEND, self.level, why, "dollars_a_day")

    def _below(self, before: list[int]) -> Iterator[_Edge]:
        by, case = self.envelope.lower_by, self.case
        if by is not None and before:
            size = min(max(before) - by, case.most, self.granted.get(Matter.LOWER, case.most))
            why = f"down by more than {by} within an hour"
            yield _Edge(Matter.LOWER, max(_up_to_whole(size, case.units), case.least), why, rule="lower_by")

    def _edge(self, matter: Matter, size: int, why: str, rule: str) -> _Edge:
        """Where an edge lies once what was granted is counted in; no edge lies below the minimum."""
        wide = max(size, self.granted.get(matter, 0))
        return _Edge(matter, max(wide // self.case.units * self.case.units, self.case.least), why, rule=rule)

    def _last_hour(self, at: datetime) -> list[int]:
        """Give the sizes that hold in the hour before a step."""
        steps = [step.capacity for step in self.kept if step.at > at - HOUR]
        start = next((step.capacity for step in reversed(self.kept) if step.at <= at - HOUR), self.case.floor)
        return steps if start is None else [start, *steps]


def weighed(plan: Plan, envelope: Envelope, case: Case, granted: Mapping[Matter, int]) -> Weighed:
    """Hold a plan at the edges of its envelope, as wide as what was granted makes it."""
    whole = case.whole or plan
    cost = cost_of(plan, case)
    scale = _Scale(envelope, case, granted, _level(plan, envelope.dollars_a_day, case), cost)
    for step in plan.steps:
        scale.hold(step)
    held = Plan(tuple(_distinct(scale.kept)))
    if case.over_budget and granted.get(Matter.SPEND, -1) < _peak(whole):
        scale.why.setdefault(Matter.SPEND, {})["budget"] = "; ".join(case.over_budget)
    if not scale.why:
        return Weighed(plan=plan)
    outside = tuple(_outside(matter, tuple(why.values()), scale, whole, held) for matter, why in scale.why.items())
    return Weighed(plan=held, outside=outside, hours=tuple(_hours(held, whole, case.now)))


def _outside(matter: Matter, reasons: tuple[str, ...], scale: _Scale, whole: Plan, held: Plan) -> Outside:
    case = scale.case
    size = min(math.ceil(_peak(whole) * (1 + MARGIN)), max(case.most, _peak(whole)))
    if matter is Matter.LOWER:
        size = max(math.floor((scale.lowest or 0) * (1 - MARGIN)), case.least)
    known = case.price > 0
    return Outside(
        matter=matter,
        reasons=reasons,
        size=size,
        dollars_a_day=round(cost_of(whole, case), 2) if known else None,
        dollars_held=round(cost_of(held, case), 2) if known else None,
    )


def let_through(whole: Plan, cut: Plan, size: int) -> Plan:
    """Give a plan that was cut its own steps back, up to the size that a person let pass."""
    instants = sorted({step.at for step in (*whole.steps, *cut.steps)})
    steps = []
    for at in instants:
        full, less = whole.step_at(at), cut.step_at(at)
        capacity = max(less.capacity, min(full.capacity, size))
        partly = replace(
            full,
            capacity=capacity,
            reason=f"{full.reason}; held at {capacity} of {full.capacity}, as far as was approved",
            bound="budget",
        )
        same = {full.capacity: full, less.capacity: less}
        steps.append(replace(same.get(capacity, partly), at=at))
    return Plan((*_distinct(steps[:-1]), steps[-1]))


def cost_of(plan: Plan, case: Case) -> float:
    """Price the coming 24 hours of a plan."""
    return Asked(fleet="", plan=plan, price=case.price, floor=0).cost(case.now, case.now + DAY)


def _level(plan: Plan, dollars: float | None, case: Case) -> int | None:
    """Give the highest size at which a plan, cut off there, stays within a day's money; None where nothing is cut."""
    if dollars is None or cost_of(plan, case) <= dollars + CENT:
        return None
    asked = Asked(fleet="", plan=plan, price=case.price, floor=0)

    def cost(level: int) -> float:
        pieces = asked.pieces(case.now, case.now + DAY)
        return case.price * sum(min(capacity, level) * hours for _, capacity, hours in pieces)

    return bisect_right(range(_peak(plan) + 1), dollars + CENT, key=cost) - 1


def _peak(plan: Plan) -> int:
    return max(step.capacity for step in plan.steps)


def _up_to_whole(size: int, units: int) -> int:
    return -(-size // units) * units


def _hours(held: Plan, whole: Plan, now: datetime) -> Iterator[Hour]:
    """Give what each of the coming 24 hours holds at most."""
    start = max(now, held.start, whole.start)
    for number in range(24):
        at = start + number * HOUR
        yield Hour(at=at, held=_most(held, at), asked=_most(whole, at))


def _most(plan: Plan, at: datetime) -> int:
    begun = (step.capacity for step in plan.steps if at < step.at < at + HOUR)
    return max([plan.capacity_at(at), *begun])


def _distinct(steps: list[Step]) -> Iterator[Step]:
    before: Step | None = None
    for step in steps:
        if before is None or (step.capacity, step.most) != (before.capacity, before.most):
            yield step
            before = step
