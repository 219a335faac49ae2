"""The gate of money in front of a fleet: what its budgets let through of a plan, told in the ledger.

`forecasting.cost_gate` judges; here the price, the money spent and the plans of the other fleets are brought to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forecasting import ForecastingError, Plan, Step
from forecasting.budget import Budget, read_budgets
from forecasting.cost_account import Account, Asked
from forecasting.cost_forecast import SpendForecast
from forecasting.cost_gate import MORE_STEPS, beside, clamped
from forecasting.cost_meter import Reading
from forecasting.cost_verdict import Outcome, Verdict
from forecasting.envelope import let_through
from predictive_scaling.cost_standing import Standing, follows, resized
from predictive_scaling.errors import InvalidSetting
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.prices import AwsPrices, BookPrices, Catalogue, Priced
from predictive_scaling.reaction import PAID_FOR
from predictive_scaling.spend import COST_EXPLORER_REGION, CostExplorer, Spending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from forecasting import Forecast, Policy
    from forecasting.cost_account import Spent
    from predictive_scaling.cost_store import CostStore
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.status import Statuses


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
    lasting: timedelta = PAID_FOR


@dataclass(frozen=True, kw_only=True)
class CostGate:
    """Holds plans against the budgets that cover their fleets; without any it passes them on and asks nobody.

    The files are read when a plan is judged: what lowers or stops a fleet needs none of them.
    """

    read: Callable[[], tuple[Budget, ...]]
    fleets: Mapping[str, FleetSpec]
    catalogue: Catalogue
    spending: Spending
    ledger: Ledger
    statuses: Statuses

    @classmethod
    def of(
        cls, folder: Path, fleets: Sequence[FleetSpec], store: CostStore, ledger: Ledger, statuses: Statuses
    ) -> CostGate:
        """Judge by `budgets.yaml` and `prices/` of a folder; a deployment without them has no budgets."""
        file = folder / "budgets.yaml"
        catalogue = Catalogue(aws=lambda spec: AwsPrices(_reach(spec), store), book=BookPrices(folder / "prices"))
        bills = CostExplorer(lambda spec, service: _reach(spec)(service, COST_EXPLORER_REGION), store)
        return cls(
            read=lambda: read_budgets(file) if file.exists() else (),
            fleets={spec.name: spec for spec in fleets},
            catalogue=catalogue,
            spending=Spending(ledger=ledger, bills=bills),
            ledger=ledger,
            statuses=statuses,
        )

    @cached_property
    def budgets(self) -> tuple[Budget, ...]:
        """All budgets; raises InvalidSetting where their file cannot be used."""
        try:
            return self.read()
        except ForecastingError as error:
            raise InvalidSetting(str(error)) from error

    def unknown(self) -> list[str]:
        """Name what budgets cover and no file names: a slip of the pen there would hold nothing back."""
        named = [(each, sorted(set(each.fleets) - set(self.fleets))) for each in self.budgets]
        return [f"{each}: there is no fleet {', '.join(fleets)}: correct `fleets`" for each, fleets in named if fleets]

    def covering(self, fleet: str) -> list[Budget]:
        """Give the budgets that have a say about a fleet."""
        return [each for each in self.budgets if each.covers(fleet)]

    def more_steps(self, fleet: str) -> int:
        """How many steps a plan may gain at the gate: so many of AWS's slots must be left for it."""
        return MORE_STEPS * len(self.covering(fleet))

    def capped(self, claim: Claim, *, by: TaskRun, now: datetime) -> Gated:
        """Hold a plan against every budget of its fleet, one after the other, and tell the ledger each verdict."""
        name = claim.spec.name
        budgets = self.covering(name)
        if not budgets:
            return Gated(plan=claim.plan)
        priced = self.catalogue.priced(claim.spec, claim.observed, now=now)
        if priced.price is None:
            return self._unpriced(claim, priced, by, now)
        meter = self._read(claim, priced.price, now)
        self._standing.judged(name, meter)
        gated = Gated(plan=claim.plan, notes=(f"a unit costs ${priced.price:g} an hour: {priced.source}",))
        events = []
        for budget, account in zip(budgets, self._accounts(budgets, claim, meter, now), strict=True):
            asked = _asked(claim, gated.plan, priced.price)
            plan, verdict = clamped(asked, budget, account, now=now)
            if verdict.outcome is Outcome.ASK and claim.granted:
                plan = let_through(asked.plan, plan, claim.granted)
                let = f"a person let up to {claim.granted} instances pass"
                verdict = replace(verdict, source=f"{verdict.source}; {let}")
            events.append(_told(verdict, meter, by, plan))
            gated = replace(gated, plan=plan, verdicts=(*gated.verdicts, verdict), notes=(*gated.notes, verdict.reason))
        if claim.at_once or follows(self.statuses.of(name)):
            granted = _asked(claim, gated.plan, priced.price)
            self._standing.judged(name, meter, granted)
            events[-1] = _holding(events[-1], granted)
        self.ledger.record(*events)
        return gated

    def _unpriced(self, claim: Claim, priced: Priced, by: TaskRun, now: datetime) -> Gated:
        """A plan that cannot be priced passes, and that is told: better a bill than an outage.

        The meter goes on at the last price, for what was spent stays spent.
        """
        reason = f"the plan passes the budgets unjudged: {priced.source}"
        last = self.spending.meter(claim.spec.name, now=now)
        meter = {"meter": last.advanced(now, claim.observed.staying_units).as_json()} if last else None
        self.ledger.record(Event(fleet=claim.spec.name, kind=EventKind.BUDGETED, by=by, reason=reason, after=meter))
        return Gated(plan=claim.plan, notes=(reason,))

    def _read(self, claim: Claim, price: float, now: datetime) -> Reading:
        """Read the fleet's meter: its last reading is in the ledger."""
        units = claim.observed.staying_units
        last = self.spending.meter(claim.spec.name, now=now)
        if last is None:
            return Reading(at=now, since=now, instances=units, price=price)
        return last.advanced(now, units, price)

    def _accounts(self, budgets: Sequence[Budget], claim: Claim, meter: Reading, now: datetime) -> Iterator[Account]:
        """Look up what a plan is held against, budget by budget."""
        name, made = claim.spec.name, claim.forecast
        demand = SpendForecast(forecast=made, policy=claim.policy, price=meter.price) if made else None
        spent = [self._spent(each, now) for each in budgets]
        # Only after the bill was asked for, which may take its time: meanwhile others were granted theirs.
        others = self._standing.beside(name, budgets, now)
        for budget, known in zip(budgets, spent, strict=True):
            yield Account(spent=known, others=beside(name, others, budget), demand=demand)

    def _spent(self, budget: Budget, now: datetime) -> Spent:
        covered = [spec for name, spec in self.fleets.items() if budget.covers(name)]
        return self.spending.spent(budget, covered, self._standing.meters(budget, now), now=now)

    def claim(self, spec: FleetSpec, observed: Observed, wish: Wish, *, now: datetime) -> Claim:
        """Put a wish by hand on top of what the fleet holds: so many more instances, for so long."""
        status = self.statuses.of(spec.name)
        standing = self._standing.plan_of(status) if status else None
        if standing is None or standing.start > now:
            standing = Plan((Step(now, observed.desired, "as it is"),))
        if not wish.amount:
            return Claim(spec=spec, policy=spec.policy, plan=standing, observed=observed)
        wished = resized(standing, wish.amount, observed.desired, now, wish.lasting)
        return Claim(spec=spec, policy=spec.policy, plan=wished, observed=observed, at_once=True)

    @cached_property
    def _standing(self) -> Standing:
        return Standing(fleets=self.fleets, statuses=self.statuses, ledger=self.ledger, spending=self.spending)


def _asked(claim: Claim, plan: Plan, price: float) -> Asked:
    policy = claim.policy
    return Asked(fleet=claim.spec.name, plan=plan, price=price, floor=policy.min_size, units=policy.units)


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


def _holding(verdict: Event, granted: Asked) -> Event:
    """Tell with the last verdict what the fleet holds by them all: other tasks count it before it is written."""
    holds = [[step.at.isoformat(), step.capacity] for step in granted.plan.steps]
    return replace(verdict, after={**(verdict.after or {}), "holds": holds})


def _reach(spec: FleetSpec) -> Any:
    from predictive_scaling.aws_client import client

    return lambda service, region: client(service, connection=spec.connection, region=region)
