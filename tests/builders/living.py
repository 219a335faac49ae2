"""A fleet that lives through days in the sandbox: measured, reviewed, forecast and steered, all of it real."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from rights import client_of, keys_of
from telling import a_ledger

from forecasting import Demand, Policy
from predictive_scaling.circumstances import Circumstances
from predictive_scaling.cost_gate import CostGate
from predictive_scaling.cost_store import CostStore
from predictive_scaling.demand_forecast import forecast_fleets
from predictive_scaling.fleet_spec import FleetSpec, Mode
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.approvals import SqlApprovals
from predictive_scaling.ledger.gates import SqlGates
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.records import TaskRun
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.metric import Metric
from predictive_scaling.overriding import impose
from predictive_scaling.review import Bench, Reviewed, review
from predictive_scaling.steer import steer
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from forecasting.override import Override
    from predictive_scaling.overriding import Wish
    from predictive_scaling.steered import Steered

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
HOURLY = Metric(namespace="A", name="B", period=QUARTER)


def a_spec(mode: Mode = Mode.AUTO, **policy: object) -> FleetSpec:
    bounds = Policy(2, 20, 100.0, timedelta(minutes=10), **policy)  # type: ignore[arg-type]
    return FleetSpec(name="web", group="web", metric=HOURLY, policy=bounds, mode=mode)


def office_hours(days: int, *, end: datetime, top: float = 1000, seed: int = 1) -> Demand:
    """Draw a load that is low at night and high by day, each day alike but for noise."""
    times = np.arange(days * 96) / 96 + (end - end.replace(hour=0, minute=0)) / DAY
    shape = 0.3 + 0.7 * np.clip(np.sin(2 * np.pi * (times % 1 - 0.25)), 0, None) ** 0.7
    noise = np.exp(np.random.default_rng(seed).normal(0, 0.02, len(times)))
    return Demand(end - days * DAY, QUARTER, top * shape * noise)


def wandering(days: int, *, end: datetime, seed: int = 1) -> Demand:
    """Draw a load that goes where it likes."""
    steps = np.random.default_rng(seed).normal(0, 0.05, days * 96)
    return Demand(end - days * DAY, QUARTER, 500 * np.exp(np.clip(np.cumsum(steps), -1.5, 1.5)))


@dataclass
class Life:
    """One fleet, `web`, in one cloud."""

    cloud: sandbox.Cloud
    folder: Path
    now: datetime
    spec: FleetSpec = field(default_factory=a_spec)
    rights: tuple[str, ...] = ("auto",)

    def __post_init__(self) -> None:
        self.ledger = a_ledger(self.folder)
        engine = self.ledger._engine  # noqa: SLF001 - one database for all tables
        self.gates, self.statuses, self.overrides = SqlGates(engine), SqlStatuses(engine), SqlOverrides(engine)
        self.approvals = SqlApprovals(engine)
        self.storage = Storage.at(f"file://{self.folder}/storage")
        self.by = TaskRun(actor="ada", dag_id="a_dag", run_id="run", task_id="task", map_index=-1, try_number=1)
        self.cloud.clock(now=self.now.isoformat(), speed=0)

    @property
    def bench(self) -> Bench:
        return Bench(storage=self.storage, gates=self.gates, ledger=self.ledger, reach=self.reach, by=self.by)

    def reach(self, spec: FleetSpec) -> AutoScalingFleet:
        keys = keys_of(self.cloud, *self.rights)
        return AutoScalingFleet(client_of(self.cloud, "autoscaling", keys), spec.group)

    def measured(self, demand: Demand) -> None:
        """Store what was measured."""
        times = np.array([int(when.timestamp()) for when in demand.times()], dtype=np.int64)
        self.storage.append(self.spec, Points(times, np.array(demand.values)))

    def pass_by(self, time: timedelta) -> None:
        """Let time go by in the cloud, and for us."""
        self.now += time
        self.cloud.clock(now=self.now.isoformat())

    def reviewed(self) -> Reviewed:
        (found,), _ = review([self.spec], self.bench, now=self.now)
        return found

    def steered(self, *, dry_run: bool = False, forecast: bool = True) -> Steered:
        """Forecast, and bring the group to the plan."""
        if forecast:
            (made,) = forecast_fleets([self.spec], self.storage, now=self.now)
            assert made.problem is None, made.problem
        self.by = TaskRun(
            actor="ada", dag_id="a_dag", run_id=f"run-{self.now:%dT%H%M}", task_id="task", map_index=-1, try_number=1
        )
        return steer(self.spec, self.around(dry_run=dry_run), now=self.now, before=self.statuses.of(self.spec.name))

    def around(self, *, dry_run: bool = False) -> Circumstances:
        """Give what the fleet is steered with."""
        return Circumstances(
            by=self.by,
            storage=self.storage,
            ledger=self.ledger,
            gates=self.gates,
            overrides=self.overrides,
            approvals=self.approvals,
            statuses=self.statuses,
            cost_gate=CostGate.of(
                self.folder, [self.spec], CostStore.at(f"file://{self.folder}/storage"), self.ledger, self.statuses
            ),
            reach=self.reach,
            deployment="blue",
            prefix="ps",
            patience=timedelta(minutes=15),
            dry_run=dry_run,
        )

    def said(self, wish: Wish) -> Override:
        """Lay a person's word over the plan, now."""
        return impose(wish, self.spec.name, self.reach(self.spec).observe(), self.around().desk, now=self.now)

    def sizes(self) -> tuple[int, int, int]:
        """Give the group's minimum, maximum and instances in service."""
        seen = self.reach(self.spec).observe()
        return seen.min_size, seen.max_size, seen.in_service
