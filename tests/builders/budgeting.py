"""What the stories of money are told with: a cost gate before fleets of the sandbox, reached over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml
from rights import client_of, keys_of
from telling import MONDAY, a_ledger, a_run

from forecasting import Policy
from predictive_scaling.cost_gate import Claim, CostGate, Gated
from predictive_scaling.cost_store import CostStore
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.metric import Metric
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path
    from typing import Any

    import sandbox
    from forecasting import Forecast, Plan


def a_fleet_of(name: str = "web", group: str = "web", **policy: Any) -> FleetSpec:
    return FleetSpec(
        name=name, group=group, metric=Metric(namespace="A", name="B"), policy=Policy(2, 20, 100.0, **policy)
    )


@dataclass
class Till:
    """Fleets with budgets, in one cloud whose clock stands still unless it is told to go on."""

    cloud: sandbox.Cloud
    folder: Path
    budgets: list[dict[str, Any]]
    fleets: list[FleetSpec] = field(default_factory=lambda: [a_fleet_of()])
    now: datetime = MONDAY

    def __post_init__(self) -> None:
        self.ledger = a_ledger(self.folder)
        self.statuses = SqlStatuses(self.ledger._engine)  # noqa: SLF001 - one database for all tables
        (self.folder / "budgets.yaml").write_text(yaml.safe_dump({"budgets": self.budgets}))

    def pass_by(self, time: timedelta) -> None:
        """Let time go by in the cloud, and for us."""
        self.now += time
        self.cloud.clock(now=self.now.isoformat())

    def gate(self) -> CostGate:
        """Open the gate as a task does: everything known before is in the ledger and the storage."""
        store = CostStore.at(f"file://{self.folder}/storage")
        return CostGate.of(self.folder, self.fleets, store, self.ledger, self.statuses)

    def claimed(self, plan: Plan, *, fleet: int = 0, forecast: Forecast | None = None) -> Gated:
        """Hold a plan against the budgets, and leave it behind as the fleet's own, as its turn does."""
        spec = self.fleets[fleet]
        autoscaling = client_of(self.cloud, "autoscaling", keys_of(self.cloud, "costs"))
        observed = AutoScalingFleet(autoscaling, spec.group).observe()
        claim = Claim(spec=spec, policy=spec.policy, plan=plan, observed=observed, forecast=forecast)
        gated = self.gate().capped(claim, by=a_run(), now=self.now)
        self.followed(spec, gated.plan)
        return gated

    def followed(self, spec: FleetSpec, plan: Plan, *, desired: int | None = None) -> None:
        """Leave behind what a turn does that followed this plan."""
        status = Status(
            fleet=spec.name,
            at=self.now,
            group=spec.group,
            mode="auto",
            unit="B",
            stage="auto",
            desired=desired,
            plan_id=plan.plan_id,
            price_per_hour=spec.policy.price_per_hour,
        )
        self.statuses.save(status, json.loads(plan.to_json()))

    def told(self, fleet: str = "web") -> list[Event]:
        """Give the verdicts in the ledger, oldest first."""
        events = reversed(self.ledger.events(fleet=fleet, limit=100))
        return [event for event in events if event.kind is EventKind.BUDGETED]
