"""What is held against a budget: a fleet's plan with its price, the money spent, and the plans of the others."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from forecasting.budget import Span
from forecasting.errors import InvalidRequest
from forecasting.plan import Plan, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from forecasting.cost_forecast import SpendForecast

HOUR = timedelta(hours=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A plan with its price: what one fleet asks for."""

    fleet: str
    plan: Plan
    price: float  # of one unit of capacity for one hour
    floor: int  # the policy's min_size: never cut, and so committed
    units: int = 1

    def __post_init__(self) -> None:
        """Refuse a price or a floor that is none."""
        if not (self.price >= 0 and self.floor >= 0 and self.units > 0):
            msg = f"fleet {self.fleet} asks at price {self.price}, floor {self.floor}: give 0 or more"
            raise InvalidRequest(msg)

    def resting(self) -> Asked:
        """Give the same fleet asking for no more than its floor."""
        return replace(self, plan=self.plan_of(lambda step, _: min(step.capacity, self.floor)))

    def plan_of(self, capacity: Callable[[Step, datetime], int], edges: Sequence[datetime] = ()) -> Plan:
        """Draw the plan anew with other capacities, changing at these edges too; steps that change nothing go.

        The last step stays the last: it holds until a newer plan comes. A maximum that was raised for a step goes down
        with it.
        """
        start, last = self.plan.start, self.plan.steps[-1].at
        usual = min((step.most for step in self.plan.steps if step.most is not None), default=0)
        steps: list[Step] = []
        for at in sorted({step.at for step in self.plan.steps} | {edge for edge in edges if start < edge < last}):
            step = self.plan.step_at(at)
            changed = replace(step, at=at, capacity=(size := capacity(step, at)))
            if step.most is not None and size < step.capacity:
                changed = replace(changed, most=max(size, usual))
            if not steps or at == last or (changed.capacity, changed.most) != (steps[-1].capacity, steps[-1].most):
                steps.append(changed)
        return Plan(tuple(steps))

    def pieces(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, int, float]]:
        """Yield what holds from when on, and for how many hours, between two instants."""
        begins = [step.at for step in self.plan.steps]
        for step, (start, end) in zip(self.plan.steps, pairwise([*begins, _NEVER]), strict=True):
            begin, stop = max(start, since), min(end, until)
            if begin < stop:
                yield begin, step.capacity, (stop - begin) / HOUR

    def cost(self, since: datetime, until: datetime) -> float:
        """Price the whole plan between two instants."""
        return self.price * sum(capacity * hours for _, capacity, hours in self.pieces(since, until))

    def floor_cost(self, since: datetime, until: datetime) -> float:
        """Price what of it lies at or below the floor."""
        return self.price * sum(min(capacity, self.floor) * hours for _, capacity, hours in self.pieces(since, until))

    def rate_at(self, when: datetime) -> float:
        """Price the capacity of an instant for an hour."""
        return self.price * (self.plan.capacity_at(when) if when >= self.plan.start else self.floor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the bill of the day and of the month stands at, and who says so."""

    day: float = 0.0
    month: float = 0.0
    source: str = "nothing is known to be spent"

    def of(self, span: Span) -> float:
        """Give what was spent in the stretch that holds now."""
        return {Span.DAILY: self.day, Span.MONTHLY: self.month}.get(span, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a plan is held against: money spent, the plans of the others, and what the demand may make of it."""

    spent: Spent = field(default_factory=Spent)
    others: tuple[Asked, ...] = ()
    demand: SpendForecast | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """What many plans cost together an hour, from instant to instant: added up once, and asked often."""

    instants: list[datetime]
    rates: list[float]
    totals: list[float]  # spent from the first instant until each

    @classmethod
    def of(cls, plans: Iterable[Asked], since: datetime) -> Held:
        """Add up what they cost from an instant on."""
        changes: defaultdict[datetime, float] = defaultdict(float)
        for each in plans:
            changes[since] += (rate := each.rate_at(since))
            for step in each.plan.steps:
                if step.at > since:
                    changes[step.at] += each.price * step.capacity - rate
                    rate = each.price * step.capacity
        instants = sorted({since, *changes})
        rates = list(accumulate(changes[at] for at in instants))
        costs = (rate * ((end - start) / HOUR) for rate, (start, end) in zip(rates, pairwise(instants), strict=False))
        return cls(instants=instants, rates=rates, totals=list(accumulate(costs, initial=0.0)))

    def rate_at(self, when: datetime) -> float:
        """What they cost an hour at an instant."""
        return self.rates[max(bisect_right(self.instants, when) - 1, 0)]

    def most(self, since: datetime, until: datetime) -> float:
        """The most they cost an hour between two instants."""
        first = max(bisect_right(self.instants, since) - 1, 0)
        return max(self.rates[first : max(bisect_left(self.instants, until), first + 1)])

    def cost(self, since: datetime, until: datetime) -> float:
        """What they cost between two instants."""
        return self._until(until) - self._until(since)

    def _until(self, when: datetime) -> float:
        at = max(bisect_right(self.instants, when) - 1, 0)
        return self.totals[at] + self.rates[at] * ((when - self.instants[at]) / HOUR)
