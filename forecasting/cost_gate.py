"""The gate of money: what of a plan a budget allows, with the sum that says so.

Spent so far, plus what is committed (the fleet's own floor and the plans of others), plus what is asked above that
floor, is held against the cap. What passes it is cut from the top: one level for each day or month, so that the
fleet gives up its highest steps first. A lowering is never touched: no step is raised, and none is cut below the floor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from forecasting.budget import AtCap, Budget, Span, Window, windows
from forecasting.cost_account import Held
from forecasting.cost_verdict import Outcome, Sum, Verdict
from forecasting.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forecasting.cost_account import Account, Asked, Spent
    from forecasting.cost_forecast import Chance, SpendForecast
    from forecasting.plan import Step

_AT_CAP = {
    AtCap.CLAMP: Outcome.CLAMPED,
    AtCap.ASK: Outcome.ASK,
    AtCap.SHED: Outcome.SHED,
    AtCap.ALERT: Outcome.ALERT,
}


MORE_EDGES = 4
MORE_STEPS = MORE_EDGES + 3
"""A plan of two days comes out with at most so many steps more: where others change, at two midnights, at a month."""


_NEVER = datetime.max.replace(tzinfo=UTC)
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Books:
    """An account with the others' plans added up."""

    spent: Spent
    held: Held
    demand: SpendForecast | None


def clamped(asked: Asked, budget: Budget, account: Account, *, now: datetime) -> tuple[Plan, Verdict]:
    """Give what of a plan the budget lets through, and the verdict.

    The plan that comes out never holds more than the one that went in, nor less than the fleet's floor where that
    one held it; within these bounds the sum stays within every cap. Under `alert` it comes out as it went in.
    """
    books = _Books(spent=account.spent, held=Held.of(account.others, now), demand=account.demand)
    granted = _within_rate(asked, budget, books, now)
    for window in _windows(asked, budget, now):
        granted = replace(asked, plan=_within_window(granted, budget, books, window, now))
    granted = asked if budget.at_cap is AtCap.ALERT else _told(asked, granted, budget)
    sums = tuple(_sums(asked, granted, budget, books, now))
    outcome = _AT_CAP[budget.at_cap]
    if not any(each.passes for each in sums):
        granted, sums, outcome = asked, tuple(_sums(asked, asked, budget, books, now)), Outcome.WITHIN
    return granted.plan, _verdict(asked, granted, budget, sums, outcome, books.spent.source)


def beside(fleet: str, standing: Iterable[Asked], budget: Budget) -> tuple[Asked, ...]:
    """Give what a fleet is held against: the others' plans, but of those that give way before it only the floors."""
    first = budget.fleets[: budget.fleets.index(fleet)] if budget.at_cap is AtCap.SHED else ()
    others = (each for each in standing if each.fleet != fleet and budget.covers(each.fleet))
    return tuple(each.resting() if each.fleet in first else each for each in others)


def _windows(asked: Asked, budget: Budget, now: datetime) -> Iterator[Window]:
    """Days first: what a month cuts in addition keeps every day within its own cap."""
    until = max(asked.plan.steps[-1].at, now) + timedelta(microseconds=1)
    for span in (Span.DAILY, Span.MONTHLY):
        if budget.cap(span) is not None:
            yield from windows(span, now, until)


def _within_rate(asked: Asked, budget: Budget, books: _Books, now: datetime) -> Asked:
    cap = budget.cap(Span.HOURLY)
    if cap is None or not asked.price:
        return asked
    edges = _edges(asked, books, now)
    fine = _cut_to_rate(asked, cap, books.held, edges)
    return (
        fine if len(fine.plan.steps) <= len(asked.plan.steps) + MORE_EDGES else _cut_to_rate(asked, cap, books.held, [])
    )


def _cut_to_rate(asked: Asked, cap: float, held: Held, edges: Sequence[datetime]) -> Asked:
    """Cut each step, changing at these edges too, to what fits beside the most the others hold while it lasts."""
    own = [step.at for step in asked.plan.steps]
    starts = sorted({*own, *(edge for edge in edges if edge < own[-1])})
    ends = dict(pairwise([*starts, _NEVER]))

    def level(at: datetime) -> int:
        room = cap - held.most(at, ends[at]) + _ROUNDING
        return max(int(room / asked.price) // asked.units * asked.units, asked.floor)

    return replace(asked, plan=asked.plan_of(lambda step, at: min(step.capacity, level(at)), edges))


def _within_window(granted: Asked, budget: Budget, books: _Books, window: Window, now: datetime) -> Plan:
    """Cut the steps of one day or month to the highest level at which their sum is within the cap."""
    since = max(now, window.start)
    room = _cap(budget, window.span) - _spent(books, window, now) - _committed(granted, books, since, window.end)
    level = _level(granted, since, window.end, room)
    if level is None:
        return granted.plan
    cut = level

    def capacity(step: Step, at: datetime) -> int:
        return min(step.capacity, cut) if window.holds(max(at, now)) else step.capacity

    return granted.plan_of(capacity, (window.start, window.end))


def _level(granted: Asked, since: datetime, until: datetime, room: float) -> int | None:
    """Give the highest level whose cost above the floor fits the room; None where nothing has to be cut."""
    pieces = [(capacity, hours) for _, capacity, hours in granted.pieces(since, until)]
    top = max((capacity for capacity, _ in pieces), default=granted.floor)
    for level in range(top, granted.floor, -granted.units):
        above = sum(max(min(capacity, level) - granted.floor, 0) * hours for capacity, hours in pieces)
        if granted.price * above <= room + _ROUNDING:
            return None if level == top else level
    return granted.floor if top > granted.floor else None


def _sums(asked: Asked, granted: Asked, budget: Budget, books: _Books, now: datetime) -> Iterator[Sum]:
    if budget.cap(Span.HOURLY) is not None:
        yield _rate_sum(asked, granted, budget, books, now)
    for window in _windows(asked, budget, now):
        since = max(now, window.start)
        spent = _spent(books, window, now)
        committed = _committed(asked, books, since, window.end)
        own = asked.floor_cost(since, window.end)
        kept = granted.cost(since, window.end) - granted.floor_cost(since, window.end)
        cap = _cap(budget, window.span)
        held = spent + committed - own
        yield Sum(
            span=window.span,
            when=str(window),
            cap=cap,
            spent=spent,
            committed=committed,
            asked=asked.cost(since, window.end) - own,
            granted=kept,
            chance=_chance(books, granted, cap - held, since, window.end),
        )


def _chance(books: _Books, granted: Asked, left: float, since: datetime, until: datetime) -> Chance | None:
    if books.demand is None:
        return None
    return books.demand.chance_to_pass(left, granted.pieces(since, until), since, until)


def _rate_sum(asked: Asked, granted: Asked, budget: Budget, books: _Books, now: datetime) -> Sum:
    """Show the instant at which the most is paid an hour."""
    at = max(_edges(asked, books, now), key=lambda edge: books.held.rate_at(edge) + asked.rate_at(edge))
    floor = asked.price * min(asked.plan.capacity_at(at), asked.floor)
    return Sum(
        span=Span.HOURLY,
        when=f"from {at:%a %H:%M} UTC",
        cap=_cap(budget, Span.HOURLY),
        spent=0.0,
        committed=books.held.rate_at(at) + floor,
        asked=asked.rate_at(at) - floor,
        granted=granted.rate_at(at) - floor,
    )


def _edges(asked: Asked, books: _Books, now: datetime) -> list[datetime]:
    """The instants, from now on, at which this plan or another changes."""
    start = max(now, asked.plan.start)
    instants = (*(step.at for step in asked.plan.steps), *books.held.instants)
    return sorted({start, *(at for at in instants if at > start)})


def _committed(asked: Asked, books: _Books, since: datetime, until: datetime) -> float:
    return asked.floor_cost(since, until) + books.held.cost(since, until)


def _spent(books: _Books, window: Window, now: datetime) -> float:
    return books.spent.of(window.span) if window.holds(now) else 0.0


def _cap(budget: Budget, span: Span) -> float:
    cap = budget.cap(span)
    assert cap is not None
    return cap


def _told(asked: Asked, granted: Asked, budget: Budget) -> Asked:
    """Say in every step that was cut who cut it, and from what; where none was, the plan is the one asked for."""
    instants = {step.at for step in (*asked.plan.steps, *granted.plan.steps)}
    if all(granted.plan.capacity_at(at) == asked.plan.capacity_at(at) for at in instants):
        return asked
    steps = []
    for step in granted.plan.steps:
        whole = asked.plan.step_at(step.at).capacity
        cut = f"{step.reason}; held at {step.capacity} of {whole} by {budget}"
        told = replace(step, reason=cut, unbounded=step.unbounded or whole, bound="budget")
        steps.append(told if step.capacity < whole else step)
    return replace(granted, plan=Plan(tuple(steps)))


def _verdict(  # noqa: PLR0913, PLR0917  (one place that puts a verdict together)
    asked: Asked, granted: Asked, budget: Budget, sums: tuple[Sum, ...], outcome: Outcome, source: str
) -> Verdict:
    return Verdict(
        budget=budget.name,
        fleet=asked.fleet,
        outcome=outcome,
        sums=sums,
        asked_peak=max(step.capacity for step in asked.plan.steps),
        granted_peak=max(step.capacity for step in granted.plan.steps),
        source=source,
    )
