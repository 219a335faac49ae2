"""What the fleets under budgets hold and have cost, as everybody's turns have left it: a plan is judged beside that.

Other tasks judge at the same time, so it is looked up for every verdict. A fleet whose file is gone, or broken, runs on
all the same: it is believed to for a day, and what it has spent stays spent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from forecasting import Plan, Step
from forecasting.cost_account import Asked
from forecasting.cost_meter import BELIEVED, Reading
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.reaction import PAID_FOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecasting.budget import Budget
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.look import Look
    from predictive_scaling.spend import Spending
    from predictive_scaling.status import Status, Statuses

UNDER_WAY: Final = timedelta(minutes=5)
"""So long after a verdict its fleet's turn may still be writing, and its status tell of the turn before."""
RECENT: Final = 300
"""Among so many verdicts are those of all turns that are under way."""


Grant: TypeAlias = "tuple[datetime, Asked]"
"""What a verdict let a fleet hold, and when."""


class _Known(NamedTuple):
    """What is known of another fleet."""

    status: Status | None
    look: Look | None
    grant: Grant | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Knows what each fleet holds, and its meter."""

    fleets: Mapping[str, FleetSpec]
    statuses: Statuses
    ledger: Ledger
    spending: Spending
    _meters: dict[str, Reading | None] = field(default_factory=dict, init=False)
    _granted: dict[str, Grant] = field(default_factory=dict, init=False)
    _plans: dict[str, tuple[str, Plan | None]] = field(default_factory=dict, init=False)

    def meters(self, budget: Budget, now: datetime) -> list[Reading]:
        """Give the meters of a budget's fleets."""
        shown = (self._shown(name, now) for name in self._everyone if budget.covers(name))
        return [meter for meter in shown if meter]

    def beside(self, fleet: str, budgets: Sequence[Budget], now: datetime) -> tuple[Asked, ...]:
        """Tell what the other fleets of a fleet's budgets hold."""
        known = {status.fleet: status for status in self.statuses.all()}
        looks = {name: look for name, look in self.statuses.looks().items() if now - look.at < PAID_FOR}
        grants = self._under_way(now) | self._granted
        others = (name for name in self._everyone if name != fleet and any(each.covers(name) for each in budgets))
        of_each = ((name, _Known(known.get(name), looks.get(name), grants.get(name))) for name in others)
        return tuple(self._holds(name, each, now) for name, each in of_each)

    def judged(self, fleet: str, meter: Reading, granted: Asked | None = None) -> None:
        """Remember what was judged here: the next verdict may come before any status tells of it."""
        self._meters[fleet] = meter
        if granted:
            self._granted[fleet] = meter.at, granted

    def plan_of(self, status: Status) -> Plan:
        """Give the plan, where it is written; else the fleet goes on as it was last seen."""
        plan = self._drawn(status.fleet, status.plan_id) if follows(status) else None
        return plan or Plan((Step(status.seen_at, status.desired or 0, "as last seen"),))

    @cached_property
    def _everyone(self) -> tuple[str, ...]:
        """The fleets of the files, and those that had a turn before their files went."""
        return tuple(dict.fromkeys((*self.fleets, *(status.fleet for status in self.statuses.all()))))

    def _meter(self, name: str, now: datetime) -> Reading | None:
        if name not in self._meters:
            self._meters[name] = self.spending.meter(name, now=now)
        return self._meters[name]

    def _shown(self, name: str, now: datetime) -> Reading | None:
        meter = self._meter(name, now)
        if meter is None or name in self.fleets:
            return meter
        ended = meter.given_up(now)
        return ended if ended.month else None

    def _holds(self, name: str, known: _Known, now: datetime) -> Asked:
        """Give what a fleet was granted, until its status tells of it; what that tells; or its floor.

        A look may fall between a grant and its being written, so it never says that a grant is over.
        """
        status, look, grant = known
        if grant and (status is None or status.seen_at < grant[0]):
            return grant[1]
        newest = status.looked(look) if status else None
        plan = self.plan_of(newest) if newest else Plan((Step(now, self._floor(name), "no turn yet"),))
        if seen := newest or look:
            plan = _lived(plan, seen, now)
        if status and name not in self.fleets:
            plan = _ending(plan, status.at + BELIEVED)
        return Asked(fleet=name, plan=plan, price=self._price(name, now), floor=self._floor(name))

    def _under_way(self, now: datetime) -> dict[str, Grant]:
        """Find what other tasks have granted a moment ago, and may not have written yet."""
        grants = {}
        for event in reversed(self.ledger.events(kind=EventKind.BUDGETED, limit=RECENT)):
            if event.after and "holds" in event.after:
                meter = Reading.from_json(event.after["meter"])
                steps = (Step(datetime.fromisoformat(at), size, "granted") for at, size in event.after["holds"])
                asked = Asked(
                    fleet=event.fleet, plan=Plan(tuple(steps)), price=meter.price, floor=self._floor(event.fleet)
                )
                grants[event.fleet] = meter.at, asked
        return {fleet: grant for fleet, grant in grants.items() if now - UNDER_WAY < grant[0]}

    def _floor(self, name: str) -> int:
        return self.fleets[name].policy.min_size if name in self.fleets else 0

    def _price(self, name: str, now: datetime) -> float:
        """Give the price of a unit, by the last verdict, or else by the file."""
        if meter := self._meter(name, now):
            return meter.price
        policy = self.fleets[name].policy if name in self.fleets else None
        return policy.price_per_hour / policy.units if policy else 0.0

    def _drawn(self, fleet: str, plan_id: str | None) -> Plan | None:
        """Give the plan of a fleet, read again only when it is another."""
        if plan_id is None or self._plans.get(fleet, ("", None))[0] != plan_id:
            plan = self.statuses.plans(fleet)[0]
            self._plans[fleet] = plan_id or "", Plan.from_json(json.dumps(plan)) if plan is not None else None
        return self._plans[fleet][1]


def follows(status: Status | None) -> bool:
    """Whether a fleet follows its plans."""
    return status is not None and status.stage == "auto"


def resized(standing: Plan, amount: int, desired: int, now: datetime, lasting: timedelta) -> Plan:
    """From now on at least so many more, until their time is over; a lowering holds the plan's own floor down."""
    size = max(desired + amount, 0)
    begin = Step(now, size, f"{amount:+d} at once")
    return _beginning(begin, standing, least=size if amount > 0 else 0, end=now + lasting)


def _lived(plan: Plan, seen: Status | Look, now: datetime) -> Plan:
    """Give the plan with what the fleet was seen to have above it: that stays for a while, whoever asked for it."""
    size, start = seen.desired or 0, max(now, plan.start)
    if size <= plan.capacity_at(max(seen.seen_at, plan.start)):
        return plan
    begin = Step(start, max(size, plan.capacity_at(start)), "as last seen")
    return _beginning(begin, plan, least=size, end=start + PAID_FOR)


def _beginning(begin: Step, plan: Plan, *, least: int, end: datetime) -> Plan:
    """Put a step before those of a plan, which until an instant are no lower than the least."""
    later = [step for step in plan.steps if step.at > begin.at]
    held = [replace(step, capacity=max(step.capacity, least)) for step in later if step.at < end]
    return Plan((begin, *held, replace(plan.step_at(end), at=end), *(step for step in later if step.at > end)))


def _ending(plan: Plan, end: datetime) -> Plan:
    """Give the plan until an instant, and nothing from then on."""
    return Plan((*(step for step in plan.steps if step.at < end), Step(end, 0, "no file names it any more")))
