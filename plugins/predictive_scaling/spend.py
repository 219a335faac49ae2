"""Money spent so far: by Cost Explorer where it may be asked, and by the ledger's own sum of instance-hours.

The bill is exact and late, the sum is at once and by the look: of the days before today the bill is believed, of
today whichever is more. Cost Explorer is paid by the request, so answers are kept and every request is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from forecasting.budget import Span, windows
from forecasting.cost_account import Spent
from forecasting.cost_meter import Reading
from predictive_scaling.account import account_at, by_account
from predictive_scaling.aws_client import reading
from predictive_scaling.cost_store import failed, refuse_if_failed
from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from forecasting.budget import Budget
    from predictive_scaling.cost_store import CostStore
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event

COST_EXPLORER_REGION: Final = "us-east-1"
KEPT: Final = timedelta(hours=6)
REQUEST_PRICE: Final = 0.01
"""What AWS takes for a request of Cost Explorer, in dollars."""
COMPUTE: Final = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Elastic Compute Cloud - Compute"]}}
_VERDICTS: Final = 10
"""Among so many verdicts of a fleet is one with a meter: each has one, from the first that knew a price."""
_CHANGES: Final = 200
"""More often than this no fleet is changed between two verdicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What Cost Explorer says of a month so far."""

    asked_at: datetime
    today: float
    before: float  # the days of the month before today
    requests: int  # paid for in this month

    def __str__(self) -> str:
        paid = f"{self.requests} paid requests this month, ${self.requests * REQUEST_PRICE:.2f}"
        return f"Cost Explorer as of {self.asked_at:%Y-%m-%d %H:%M} UTC, {paid}"


class CostExplorer:
    """Asks the bill of an account, at most every six hours."""

    def __init__(self, reach: Callable[[FleetSpec, str], Any], store: CostStore) -> None:
        """Take how to reach a service with a fleet's connection, and where answers are kept."""
        self._reach = reach
        self._store = store

    def bills(self, budget: Budget, specs: Sequence[FleetSpec], *, now: datetime) -> list[Bill]:
        """Give the month's bill of a budget in each account of its fleets; raises CloudUnavailable."""
        accounts = by_account(specs, partial(self._account, now=now))
        return [self.bill(budget, part[0], now=now) for part in accounts]

    def bill(self, budget: Budget, spec: FleetSpec, *, now: datetime) -> Bill:
        """Give the month's bill of a budget in the account of a fleet; raises CloudUnavailable."""
        name = f"bills/{spec.connection}/{budget.name}"
        known = self._store.read(name)
        fresh = "asked_at" in known and now - datetime.fromisoformat(known["asked_at"]) < KEPT
        # At midnight yesterday's "today" is over: ask again.
        if fresh and known["asked_at"][:10] == now.isoformat()[:10]:
            return _bill(known)
        refuse_if_failed(known, now)
        try:
            asked = self._asked(budget, spec, now)
        except CloudUnavailable as error:
            self._store.write(name, {**known, **failed(error, now)})
            raise
        same_month = known.get("asked_at", "")[:7] == now.isoformat()[:7]
        found = {**asked, "requests": (known["requests"] if same_month else 0) + 1}
        self._store.write(name, found)
        return _bill(found)

    def _asked(self, budget: Budget, spec: FleetSpec, now: datetime) -> dict[str, Any]:
        month = next(windows(Span.MONTHLY, now, now + timedelta(microseconds=1)))
        tomorrow = now + timedelta(days=1)
        with reading(f"asking Cost Explorer for {budget}"):
            answer = self._reach(spec, "ce").get_cost_and_usage(
                TimePeriod={"Start": f"{month.start:%Y-%m-%d}", "End": f"{tomorrow:%Y-%m-%d}"},
                Granularity="DAILY",
                Metrics=["UnblendedCost"],
                Filter=budget.bill or COMPUTE,
            )
        days = {row["TimePeriod"]["Start"]: float(row["Total"]["UnblendedCost"]["Amount"]) for row in _rows(answer)}
        today = days.pop(f"{now:%Y-%m-%d}", 0.0)
        return {"asked_at": now.isoformat(), "today": today, "before": sum(days.values())}

    def _account(self, spec: FleetSpec, *, now: datetime) -> str:
        """Tell whose account it is; who answered is asked again after as long as for a bill."""
        name = f"accounts/{spec.connection}"
        known = self._store.read(name)
        if "asked_at" in known and now - datetime.fromisoformat(known["asked_at"]) < KEPT:
            return str(known["account"])
        refuse_if_failed(known, now)
        try:
            account = account_at(self._reach(spec, "sts"), spec.connection)
        except CloudUnavailable as error:
            self._store.write(name, failed(error, now))
            raise
        self._store.write(name, {"asked_at": now.isoformat(), "account": account})
        return account


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Adds up what the fleets of a budget have cost."""

    ledger: Ledger
    bills: CostExplorer | None = None

    def meter(self, fleet: str, *, now: datetime) -> Reading | None:
        """Give the meter as the fleet's last verdict left it in the ledger, read on by the changes of size since."""
        verdicts = self.ledger.events(fleet=fleet, kind=EventKind.BUDGETED, limit=_VERDICTS)
        for told in verdicts:
            if told.after and "meter" in told.after:
                done = self.ledger.events(fleet=fleet, kind=EventKind.APPLIED, limit=_CHANGES)
                since = [each for each in reversed(done) if (each.id or 0) > (told.id or 0)]
                return _read_on(Reading.from_json(told.after["meter"]), since, now)
        return None

    def spent(self, budget: Budget, specs: Sequence[FleetSpec], meters: Iterable[Reading], *, now: datetime) -> Spent:
        """Give what a budget's fleets have cost today and this month, and by whose word."""
        shown = [meter.advanced(now) for meter in meters]
        own = Spent(
            day=sum(each.day for each in shown), month=sum(each.month for each in shown), source=_metered(shown)
        )
        # Without a filter of its own Cost Explorer knows the whole account, not one fleet or group.
        if self.bills is None or (budget.fleets and not budget.bill):
            return own
        try:
            bills = self.bills.bills(budget, specs, now=now)
        except CloudUnavailable as error:
            return Spent(
                day=own.day, month=own.month, source=f"{own.source}, for Cost Explorer is out of reach: {error}"
            )
        today = max(sum(each.today for each in bills), own.day)
        before = sum(each.before for each in bills)
        return Spent(day=today, month=before + today, source="; ".join(str(each) for each in bills))


def _read_on(meter: Reading, events: Iterable[Event], now: datetime) -> Reading:
    """Read a meter on by what was done, oldest first: a size that came and went between two verdicts was paid for."""
    for event in events:
        size = (event.after or {}).get("desired")
        if isinstance(size, int) and event.at:
            meter = meter.resized(min(event.at, now), size)
    return meter


def _metered(shown: Sequence[Reading]) -> str:
    if not shown:
        return "the ledger's own sum begins now"
    since = min(each.since for each in shown)
    fleets = "1 fleet" if len(shown) == 1 else f"{len(shown)} fleets"
    return f"the ledger's own sum of instance-hours of {fleets} since {since:%Y-%m-%d %H:%M} UTC"


def _rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = answer["ResultsByTime"]
    return rows


def _bill(row: Mapping[str, Any]) -> Bill:
    return Bill(
        asked_at=datetime.fromisoformat(row["asked_at"]),
        today=row["today"],
        before=row["before"],
        requests=row["requests"],
    )
