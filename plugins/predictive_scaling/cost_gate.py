"""The gate of money in front of a fleet: what its budgets let through of a plan, told in the ledger.

`forecasting.cost_gate` judges; here the price, the money spent and the plans of the other fleets are brought to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forecasting import Plan, Step
from forecasting.budget import Budget, read_budgets
from forecasting.cost_account import Account, Asked
from forecasting.cost_forecast import SpendForecast
from forecasting.cost_gate import MORE_STEPS, beside, clamped
from forecasting.cost_meter import Reading
from forecasting.cost_verdict import Outcome, Verdict
from forecasting.envelope import let_through
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.prices import AwsPrices, BookPrices, Catalogue, Priced
from predictive_scaling.spend import COST_EXPLORER_REGION, CostExplorer, Spending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from forecasting import Forecast, Policy
    from predictive_scaling.cost_store import CostStore
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.status import Status, Statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A plan that a fleet would like to follow, with what it was drawn from."""

    spec: FleetSpec
    policy: Policy
    plan: Plan
    observed: Observed
    forecast: Forecast | None = None
    granted: int = 0  # up to so many instances a person lets it pass the budgets that ask
    at_once: bool = False  # the group is given what is granted, whether or not it follows its plans


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What the budgets let through, and each one's verdict."""

    plan: Plan
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def asks(self) -> tuple[Verdict, ...]:
        """The verdicts that want a person's word for what was held back."""
        return tuple(each for each in self.verdicts if each.outcome is Outcome.ASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Instances to have at once above what is desired, or with a negative number to take away, and for how long."""

    amount: int = 0
    lasting: timedelta = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class CostGate:
    """Holds plans against the budgets that cover their fleets; without any it passes them on and asks nobody."""

    budgets: tuple[Budget, ...]
    fleets: Mapping[str, FleetSpec]
    catalogue: Catalogue
    spending: Spending
    ledger: Ledger
    statuses: Statuses

    @classmethod
    def of(
        cls, folder: Path, fleets: Sequence[FleetSpec], store: CostStore, ledger: Ledger, statuses: Statuses
    ) -> CostGate:
        """Read `budgets.yaml` and `prices/` of a folder; a deployment without them has no budgets."""
        file = folder / "budgets.yaml"
        catalogue = Catalogue(aws=lambda spec: AwsPrices(_reach(spec), store), book=BookPrices.of(folder / "prices"))
        bills = CostExplorer(lambda spec: _reach(spec)("ce", COST_EXPLORER_REGION), store)
        return cls(
            budgets=read_budgets(file) if file.exists() else (),
            fleets={spec.name: spec for spec in fleets},
            catalogue=catalogue,
            spending=Spending(ledger=ledger, bills=bills),
            ledger=ledger,
            statuses=statuses,
        )

    def more_steps(self, fleet: str) -> int:
        """How many steps a plan may gain at the gate: so many of AWS's slots must be left for it."""
        return MORE_STEPS * sum(each.covers(fleet) for each in self.budgets)

    def capped(self, claim: Claim, *, by: TaskRun, now: datetime) -> Gated:
        """Hold a plan against every budget of its fleet, one after the other, and tell the ledger each verdict."""
        name = claim.spec.name
        budgets = [each for each in self.budgets if each.covers(name)]
        if not budgets:
            return Gated(plan=claim.plan)
        priced = self.catalogue.priced(claim.spec, claim.observed, now=now)
        if priced.price is None:
            return self._unpriced(claim, priced, by)
        self._meters[name] = meter = self._read(claim, priced.price, now)
        gated = Gated(plan=claim.plan, notes=(f"a unit costs ${priced.price:g} an hour: {priced.source}",))
        for budget in budgets:
            asked = _asked(claim, gated.plan, priced.price)
            account = self._account(budget, claim, priced.price, now)
            plan, verdict = clamped(asked, budget, account, now=now)
            if verdict.outcome is Outcome.ASK and claim.granted:
                plan = let_through(asked.plan, plan, claim.granted)
            self.ledger.record(_told(verdict, meter, by, plan))
            gated = replace(gated, plan=plan, verdicts=(*gated.verdicts, verdict), notes=(*gated.notes, verdict.reason))
        if claim.at_once or _follows(self.statuses.of(name)):
            self._standing[name] = _asked(claim, gated.plan, priced.price)
        return gated

    def _unpriced(self, claim: Claim, priced: Priced, by: TaskRun) -> Gated:
        """A plan that cannot be priced passes, and that is told: better a bill than an outage."""
        reason = f"the plan passes the budgets unjudged: {priced.source}"
        self.ledger.record(Event(fleet=claim.spec.name, kind=EventKind.BUDGETED, by=by, reason=reason))
        return Gated(plan=claim.plan, notes=(reason,))

    def _read(self, claim: Claim, price: float, now: datetime) -> Reading:
        """Read the fleet's meter: its last reading is in the ledger."""
        units = claim.observed.staying_units
        last = self.spending.meter(claim.spec.name)
        if last is None:
            return Reading(at=now, since=now, instances=units, price=price)
        return last.advanced(now, units, price)

    def _account(self, budget: Budget, claim: Claim, price: float, now: datetime) -> Account:
        covered = [spec for name, spec in self.fleets.items() if budget.covers(name)]
        demand = SpendForecast(forecast=claim.forecast, policy=claim.policy, price=price) if claim.forecast else None
        return Account(
            spent=self.spending.spent(budget, covered, self._meters, now=now),
            others=beside(claim.spec.name, self._standing.values(), budget),
            demand=demand,
        )

    def claim(self, spec: FleetSpec, observed: Observed, wish: Wish, *, now: datetime) -> Claim:
        """Put a wish by hand on top of what the fleet holds: so many more instances, for so long."""
        status = self.statuses.of(spec.name)
        standing = _plan_of(status, self.statuses.plans(spec.name)[0]) if status else None
        if standing is None or standing.start > now:
            standing = Plan((Step(now, observed.desired, "as it is"),))
        if not wish.amount:
            return Claim(spec=spec, policy=spec.policy, plan=standing, observed=observed)
        wished = _with(standing, wish, observed.desired, now)
        return Claim(spec=spec, policy=spec.policy, plan=wished, observed=observed, at_once=True)

    @cached_property
    def _meters(self) -> dict[str, Reading]:
        """The meters of all fleets under a budget; a fleet that has its turn here reads its own anew."""
        found = {name: self.spending.meter(name) for name in self._covered}
        return {name: reading for name, reading in found.items() if reading}

    @cached_property
    def _standing(self) -> dict[str, Asked]:
        """What each fleet under a budget holds; a fleet that is judged here holds what it is granted."""
        known = {status.fleet: status for status in self.statuses.all()}
        return {name: self._holds(self.fleets[name], known[name]) for name in self._covered if name in known}

    @property
    def _covered(self) -> list[str]:
        return [name for name in self.fleets if any(each.covers(name) for each in self.budgets)]

    def _holds(self, spec: FleetSpec, status: Status) -> Asked:
        meter = self._meters.get(spec.name)
        return Asked(
            fleet=spec.name,
            plan=_lived(_plan_of(status, self.statuses.plans(spec.name)[0]), status),
            price=meter.price if meter else status.price_per_hour,
            floor=spec.policy.min_size,
        )


def _asked(claim: Claim, plan: Plan, price: float) -> Asked:
    policy = claim.policy
    return Asked(fleet=claim.spec.name, plan=plan, price=price, floor=policy.min_size, units=policy.units)


def _plan_of(status: Status, plan: Mapping[str, Any] | None) -> Plan:
    """The plan, where it is written; else the fleet goes on as it was last seen."""
    if plan is not None and _follows(status):
        return Plan.from_json(json.dumps(plan))
    return Plan((Step(status.seen_at, status.desired or 0, "as last seen"),))


def _lived(plan: Plan, status: Status) -> Plan:
    """Give the plan with what the fleet was seen to have above it: that stays for a while, whoever asked for it."""
    seen = max(status.seen_at, plan.start)
    above = (status.desired or 0) - plan.capacity_at(seen)
    return _with(plan, Wish(amount=above), plan.capacity_at(seen), seen) if above > 0 else plan


def _with(standing: Plan, wish: Wish, desired: int, now: datetime) -> Plan:
    """From now on at least the wished number, until its time is over; a lowering holds the plan's own floor down."""
    size, end = max(desired + wish.amount, 0), now + wish.lasting
    steps = [Step(now, size, f"{wish.amount:+d} at once")]
    for step in standing.steps:
        if step.at > now:
            capacity = max(step.capacity, size) if wish.amount > 0 and step.at < end else step.capacity
            steps.append(replace(step, capacity=capacity))
    if all(step.at != end for step in steps):
        steps.append(replace(standing.step_at(end), at=end))
    return Plan(tuple(sorted(steps, key=lambda step: step.at)))


def _follows(status: Status | None) -> bool:
    return status is not None and status.stage == "auto"


def _told(verdict: Verdict, meter: Reading, by: TaskRun, plan: Plan) -> Event:
    return Event(
        fleet=verdict.fleet,
        kind=EventKind.BUDGETED,
        by=by,
        call=f"budget {verdict.budget}",
        reason=verdict.reason,
        plan_id=plan.plan_id,
        after={**verdict.as_json(), "meter": meter.as_json()},
    )


def _reach(spec: FleetSpec) -> Any:
    from predictive_scaling.aws_client import client

    return lambda service, region: client(service, connection=spec.connection, region=region)
