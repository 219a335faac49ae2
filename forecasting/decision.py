"""Decide: what a fleet should do now, from its plan and from what is seen, and never lower because nothing is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from forecasting.errors import InvalidRequest
from forecasting.instant import as_utc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forecasting.plan import Plan
    from forecasting.policy import Policy

FRESH = timedelta(minutes=10)


class Action(StrEnum):
    """What to do with the number of instances."""

    OUT = "scale out"
    IN = "scale in"
    HOLD = "hold"


class Fallback(StrEnum):
    """What to do when the metric is missing or old; none of them ever scales in."""

    CURRENT = "current"  # keep what there is
    STATIC = "static"  # a size that a person chose
    HIGHER = "higher"  # the greater of what there is and that size
    LOWER = "lower"  # the lesser of both: stay, for nothing is taken away unseen
    PLAN = "plan"  # what the plan says, when there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is seen of a fleet now; `demand` is None when nothing was measured."""

    capacity: int
    demand: float | None = None
    measured: datetime | None = None
    # The size that the demand asked for at moments before now, newest anywhere: a lowering waits for all of them.
    wanted: tuple[tuple[datetime, int], ...] = ()
    # By how many the fleet was seen to change at moments before now, whoever changed it: a pace is kept with them.
    changed: tuple[tuple[datetime, int], ...] = ()

    def risen(self, within: timedelta, now: datetime) -> int:
        """By how many instances it has risen of late."""
        return sum(by for when, by in self.changed if by > 0 and when > now - within)

    def rests_until(self, policy: Policy) -> datetime | None:
        """Until when nothing more is to be taken away: after a lowering, and after a rise that must not be reversed."""
        rests = ((when, policy.cooldown_down if by < 0 else policy.no_reversal) for when, by in self.changed)
        return max((when + rest for when, rest in rests if rest), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRule:
    """When the load of the fleet, as a share of what it serves well, is within the bounds, change by so many."""

    above: float
    below: float = math.inf
    change: int

    def __post_init__(self) -> None:
        """Refuse a rule that changes against its load."""
        if not self.above < self.below:
            msg = f"step rule from {self.above:g} to {self.below:g} is empty: give above less than below"
            raise InvalidRequest(msg)
        if (self.change > 0 and self.above < 1) or (self.change < 0 and self.below > 1):
            span = f"between {self.above:g} and {self.below:g}"
            msg = f"step rule changes by {self.change} {span}: add above 1, take away below"
            raise InvalidRequest(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to react: by target tracking, or by steps when there are any; and what to do when blind."""

    steps: tuple[StepRule, ...] = ()
    fallbacks: tuple[Fallback, ...] = (Fallback.CURRENT,)  # a chain: the first that has an answer
    static: int | None = None
    fresh: timedelta = FRESH


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, the capacity it leads to, why, and the size the demand alone asked for, to be remembered."""

    action: Action
    capacity: int
    reason: str
    wanted: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """The size to go to, the size the load alone asks for, where it is seen, and why."""

    size: int
    wanted: int | None
    reason: str

    def held(self, capacity: int, why: str = "") -> Decision:
        """Stay as it is, though it is wished otherwise."""
        return Decision(action=Action.HOLD, capacity=capacity, reason=f"{self.reason}{why}", wanted=self.wanted)


def decide(
    plan: Plan | None, observed: Observed, policy: Policy, now: datetime, rules: Rules | None = None
) -> Decision:
    """Take the greater of what was planned and what the load asks for; up at once, down when it has stayed away."""
    rules, now = rules or Rules(), as_utc(now, "now")
    step = plan.step_at(now) if plan and plan.start <= now else None
    planned = step.capacity if step else None
    blind = _blind(observed, rules, now)
    if blind or observed.demand is None:
        wish = _without_sight(planned, observed, policy, rules, blind)
        return _raised(wish, observed, policy, now) if wish.size > observed.capacity else wish.held(wish.size)
    wanted, why = _reactive(observed.demand, observed.capacity, policy, rules)
    if step and step.capacity > wanted:
        why = f"{step.capacity} foreseen: {step.reason}; the load alone asks for {wanted}"
    asked = max(wanted, planned or 0)
    wish = _Wish(size=policy.bounded(asked), wanted=wanted, reason=f"{why}{_bound(asked, policy)}")
    if wish.size > observed.capacity:
        return _raised(wish, observed, policy, now)
    if wish.size < observed.capacity:
        return _lowered(wish, observed, policy, now)
    return wish.held(wish.size)


def _blind(observed: Observed, rules: Rules, now: datetime) -> str:
    if observed.demand is None or math.isnan(observed.demand):
        return "the metric is missing"
    if observed.measured is not None and now - observed.measured > rules.fresh:
        minutes = (now - observed.measured) / timedelta(minutes=1)
        return f"the metric is {minutes:.0f} minutes old"
    return ""


def _reactive(demand: float, current: int, policy: Policy, rules: Rules) -> tuple[int, str]:
    """Give the size the load asks for, keeping the present one within the tolerance."""
    needed = policy.needed(demand)
    load = policy.load(demand) / current if current else math.inf if needed else 1.0
    served = f"load {load:.0%} of what {current} serve well" if current else "none there"
    if rules.steps and current:
        rule = next((each for each in rules.steps if each.above <= load < each.below), None)
        change = rule.change if rule else 0
        size = max(current + change, needed) if change < 0 else current + change
        return max(size, 0), f"{served}: step rule {change:+d}"
    if needed and current and abs(load - 1) <= policy.tolerance:
        return current, f"{served}: within the tolerance of {policy.tolerance:.0%}"
    # A correction never turns round: rounding up must not add instances to a fleet that has too many.
    return (max(needed, current) if needed and load > 1 else min(needed, current)), f"{served}: {needed} needed"


def _bound(asked: int, policy: Policy) -> str:
    """Say by which bound of the policy a size is not had, in the words of a plan."""
    size = policy.bounded(asked)
    if size < asked:
        return f"; capped at max_size {size}, {asked - size} short of what is wanted"
    return f"; held at min_size {size}" if size > asked else ""


def _raised(wish: _Wish, observed: Observed, policy: Policy, now: datetime) -> Decision:
    """Raise at once, by no more than a step within the cooldown."""
    current = observed.capacity
    step = policy.max_step_up or wish.size
    risen = observed.risen(policy.cooldown_up, now) if policy.max_step_up else 0
    capacity = min(wish.size, current + max(step - risen, 0))
    if capacity == current:
        return wish.held(current, f"; risen by {risen} within {policy.cooldown_up}, at most {step} may be")
    slow = f", {capacity - current} at a time" if capacity < wish.size else ""
    return Decision(action=Action.OUT, capacity=capacity, reason=f"{wish.reason}{slow}", wanted=wish.wanted)


def _lowered(wish: _Wish, observed: Observed, policy: Policy, now: datetime) -> Decision:
    """Lower to the most that was asked for since the window began, once the whole of it has been seen."""
    current = observed.capacity
    lately = lately_wanted(observed.wanted, policy.stabilisation, now)
    most = max((size for _, size in lately), default=wish.size)
    settled = not policy.stabilisation or any(when <= now - policy.stabilisation for when, _ in lately)
    capacity = max(wish.size, policy.bounded(most), current - (policy.max_step_down or current))
    if not settled or capacity >= current:
        return wish.held(current, f"; to be lowered when it has stayed so for {policy.stabilisation}")
    rests = observed.rests_until(policy)
    if rests and now < rests:
        return wish.held(current, f"; changed a while ago, to be lowered from {rests:%H:%M:%S} UTC on")
    return Decision(action=Action.IN, capacity=capacity, reason=wish.reason, wanted=wish.wanted)


def lately_wanted(
    wanted: Iterable[tuple[datetime, int]], window: timedelta, now: datetime
) -> tuple[tuple[datetime, int], ...]:
    """Give what was wanted within a window, and what held as it began: the newest before, however long before.

    A load that was high when it was last seen may have stayed so while nobody saw it.
    """
    known = [each for each in wanted if each[0] <= now]
    if not window:
        return ()
    begun = max((when for when, _ in known if when <= now - window), default=now - window)
    return tuple(each for each in known if each[0] >= begun)


def _without_sight(planned: int | None, observed: Observed, policy: Policy, rules: Rules, blind: str) -> _Wish:
    """Follow the first fallback that has an answer, and the plan upwards; never scale in."""
    current = observed.capacity
    chain = ((each.value, _fallback(each, planned, current, rules)) for each in (*rules.fallbacks, Fallback.CURRENT))
    name, asked = next((name, size) for name, size in chain if size is not None)
    size = max(current, policy.bounded(max(asked, planned or 0)))
    plan = f", the plan {planned}" if planned is not None else ""
    reason = f"{blind}: fallback {name} says {asked}{plan}; nothing is taken away unseen"
    return _Wish(size=size, wanted=None, reason=reason)


def _fallback(fallback: Fallback, planned: int | None, current: int, rules: Rules) -> int | None:
    match fallback:
        case Fallback.CURRENT:
            return current
        case Fallback.PLAN:
            return planned
        case Fallback.STATIC:
            return rules.static
        case Fallback.HIGHER:
            return None if rules.static is None else max(rules.static, current)
        case Fallback.LOWER:
            return None if rules.static is None else min(rules.static, current)
