"""What became of a plan: the differences between an older one and a newer one, and several plans made one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from forecasting.capacity import Segment, at_most
from forecasting.errors import InvalidPlan, InvalidRequest
from forecasting.plan import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_STEPS = 125
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From `start` to before `end` (None: from then on) the plans differ, and why the newer one does."""

    start: datetime
    end: datetime | None
    before: int
    after: int
    reason: str

    def __str__(self) -> str:
        """Tell it in one line."""
        until = f"to {self.end:%a %H:%M}" if self.end else "on"
        return f"{self.start:%a %H:%M} {until} UTC: {self.before} -> {self.after}; {self.reason}"


def changes(old: Plan, new: Plan) -> tuple[Change, ...]:
    """List the stretches of time, from the start of the newer plan on, in which the capacities differ."""
    since = max(old.start, new.start)
    edges = sorted({since, *(step.at for step in (*old.steps, *new.steps) if step.at > since)})
    found: list[Change] = []
    for start, end in pairwise([*edges, None]):
        if start is None:
            break
        was, now = old.step_at(start), new.step_at(start)
        if was.capacity == now.capacity:
            continue
        last = found[-1] if found else None
        if last and last.end == start and (last.before, last.after) == (was.capacity, now.capacity):
            start = found.pop().start  # noqa: PLW2901  (one change, whose steps are several)
        found.append(Change(start=start, end=end, before=was.capacity, after=now.capacity, reason=_why(was, now)))
    return tuple(found)


def _why(was: Step, now: Step) -> str:
    """Tell what moved: the demand, the quantile, or a bound; else give the newer reason."""
    moved = []
    if was.demand is not None and now.demand is not None and round(was.demand, 6) != round(now.demand, 6):
        moved.append(f"demand seen {was.demand:,.4g} -> {now.demand:,.4g}")
    if was.quantile is not None and now.quantile is not None and was.quantile != now.quantile:
        moved.append(f"quantile p{was.quantile * 100:g} -> p{now.quantile * 100:g}")
    if was.bound != now.bound:
        moved.append(f"bound {was.bound or 'none'} -> {now.bound or 'none'}")
    return "; ".join([*moved, now.reason])


def combined(plans: Mapping[str, Plan], slots: int = MOST_STEPS) -> Plan:
    """Make one plan of several metrics' plans for one fleet: at every moment the greatest, and which metric asks."""
    if not plans or not 2 <= slots <= MOST_STEPS:
        msg = f"{len(plans)} plans for {slots} steps: give at least one plan, and 2 to {MOST_STEPS} steps"
        raise InvalidRequest(msg)
    if len(plans) == 1:
        return next(iter(plans.values()))
    starts = {plan.start for plan in plans.values()}
    if len(starts) > 1:
        msg = f"plans start at {', '.join(sorted(start.isoformat() for start in starts))}: draw them for one moment"
        raise InvalidPlan(msg)
    edges = sorted({step.at for plan in plans.values() for step in plan.steps})
    steps = _distinct([_greatest(plans, at) for at in edges])
    return Plan(tuple(_fewer(steps, slots)))


def _greatest(plans: Mapping[str, Plan], at: datetime) -> Step:
    name, step = max(((name, plan.step_at(at)) for name, plan in plans.items()), key=lambda pair: pair[1].capacity)
    others = ", ".join(f"{other} {plan.capacity_at(at)}" for other, plan in plans.items() if other != name)
    beside = f"; beside {others}" if others else ""
    return _told(step, at, step.capacity, f"{name}: {step.reason}{beside}")


def _told(step: Step, at: datetime, capacity: int, reason: str) -> Step:
    price = step.price_per_hour
    return Step(
        at,
        capacity,
        reason,
        most=step.most,
        demand=step.demand,
        quantile=step.quantile,
        unbounded=step.unbounded,
        bound=step.bound,
        price_per_hour=price * capacity / step.capacity if price and step.capacity else price,
        rejected=step.rejected,
    )


def _distinct(steps: list[Step]) -> list[Step]:
    kept = steps[:1]
    for step in steps[1:]:
        if (step.capacity, step.most) != (kept[-1].capacity, kept[-1].most):
            kept.append(step)
    return kept


def _fewer(steps: list[Step], slots: int) -> list[Step]:
    """Join neighbours, always up to the greater, until the steps are few enough; the last one stays as it is."""
    minutes = [(step.at - steps[0].at) // _MINUTE for step in steps]
    spans = [
        Segment(first=first, last=last, capacity=step.capacity)
        for (first, last), step in zip(pairwise(minutes), steps[:-1], strict=True)
    ]
    parts = at_most(spans, slots - 1)
    found = []
    for part in parts:
        index = next(
            place
            for place, step in enumerate(steps)
            if step.capacity == part.capacity and part.first <= minutes[place] < part.last
        )
        joined = "; joined with a neighbour to stay within the number of steps" if part.merged else ""
        at = steps[0].at + part.first * _MINUTE
        found.append(_told(steps[index], at, part.capacity, steps[index].reason + joined))
    return _distinct([*found, steps[-1]])
