"""Reaching what fleets are steered with, from the settings of the deployment: for tasks, and for the watch."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from predictive_scaling.aws_client import client
from predictive_scaling.circumstances import Circumstances
from predictive_scaling.cost_gate import CostGate
from predictive_scaling.cost_store import CostStore
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.approvals import SqlApprovals
from predictive_scaling.ledger.gates import SqlGates
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ownership import deployment_name
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Fleet
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.settings import Settings


def around(by: TaskRun, settings: Settings, fleets: Sequence[FleetSpec], *, dry_run: bool = False) -> Circumstances:
    """Reach it all; the ledger must be usable before anything is looked at."""
    ledger, statuses = SqlLedger.from_connection(), SqlStatuses.from_connection()
    ledger.check()
    costs = CostStore.at(settings.storage)
    return Circumstances(
        by=by,
        storage=Storage.at(settings.storage),
        ledger=ledger,
        gates=SqlGates.from_connection(),
        overrides=SqlOverrides.from_connection(),
        approvals=SqlApprovals.from_connection(),
        statuses=statuses,
        cost_gate=CostGate.of(settings.fleets_folder.parent, fleets, costs, ledger, statuses),
        reach=_reach(),
        deployment=deployment_name(settings.deployment, ledger.place),
        prefix=settings.action_prefix,
        patience=settings.operation_patience,
        dry_run=settings.dry_run or dry_run,
    )


def _reach() -> Callable[[FleetSpec], Fleet]:
    """Ask Airflow once for each connection, however many fleets share it."""

    @cache
    def opened(service: str, *, connection: str, region: str | None) -> Any:
        return client(service, connection=connection, region=region)

    def reach(spec: FleetSpec) -> Fleet:
        to_service = partial(opened, connection=spec.connection, region=spec.region)
        return AutoScalingFleet(to_service("autoscaling"), spec.group, to_service)

    return reach
