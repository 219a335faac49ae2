"""What is the same for every fleet of a run: who acts, on what, and where it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from predictive_scaling.approving import Hearing
from predictive_scaling.overriding import Desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from predictive_scaling.cost_gate import CostGate
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Fleet
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.approvals import Approvals
    from predictive_scaling.ledger.gates import Gates
    from predictive_scaling.ledger.overrides import Overrides
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.status import Statuses
    from predictive_scaling.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is the same for every fleet of a run."""

    by: TaskRun
    storage: Storage
    ledger: Ledger
    gates: Gates
    overrides: Overrides
    approvals: Approvals
    statuses: Statuses
    cost_gate: CostGate
    reach: Callable[[FleetSpec], Fleet]
    deployment: str
    prefix: str
    patience: timedelta
    dry_run: bool

    @property
    def desk(self) -> Desk:
        """Where overrides are kept and told."""
        return Desk(overrides=self.overrides, ledger=self.ledger, by=self.by)

    @property
    def hearing(self) -> Hearing:
        """Where questions are kept."""
        return Hearing(approvals=self.approvals, by=self.by)
