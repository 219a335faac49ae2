"""Everything the API reaches, once a process: fleet files, what the tables hold, the ledger's events, stored series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException

from predictive_scaling.api.fleet_files import FleetFiles
from predictive_scaling.api.open_overrides import OpenOverrides
from predictive_scaling.fleet_folder import FleetFolder, joined
from predictive_scaling.ledger.approvals import SqlApprovals
from predictive_scaling.ledger.autoscalers import SqlAutoscalers
from predictive_scaling.ledger.event_search import EventSearch
from predictive_scaling.ledger.gates import SqlGates
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.settings import Settings
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    import sqlalchemy as sa

    from predictive_scaling.fleet_spec import FleetSpec


@dataclass(frozen=True)
class Records:
    """The places where the product keeps what it knows."""

    settings: Settings
    engine: sa.Engine

    @cached_property
    def files(self) -> FleetFiles:
        """The fleet files."""
        return FleetFiles(self.settings.fleets_folder)

    @cached_property
    def storage(self) -> Storage:
        """Histories, forecasts, accuracies."""
        return Storage.at(self.settings.storage)

    @cached_property
    def statuses(self) -> SqlStatuses:
        """What was last seen of each fleet."""
        return SqlStatuses(self.engine)

    @cached_property
    def events(self) -> EventSearch:
        """The ledger's events."""
        return EventSearch(self.engine)

    @cached_property
    def ledger(self) -> SqlLedger:
        """The ledger itself, for who holds a fleet."""
        return SqlLedger(self.engine)

    @cached_property
    def autoscalers(self) -> SqlAutoscalers:
        """The fleets made through the API."""
        return SqlAutoscalers(self.engine)

    @cached_property
    def overrides(self) -> SqlOverrides:
        """What people decided for one fleet."""
        return SqlOverrides(self.engine)

    @cached_property
    def open_overrides(self) -> OpenOverrides:
        """Those of all fleets."""
        return OpenOverrides(self.engine)

    @cached_property
    def approvals(self) -> SqlApprovals:
        """What people are asked."""
        return SqlApprovals(self.engine)

    @cached_property
    def gates(self) -> SqlGates:
        """How far each fleet's forecast is trusted."""
        return SqlGates(self.engine)

    def fleets(self) -> FleetFolder:
        """Give every fleet there is now: those of files, and those made here."""
        return joined(self.files.now(), self.autoscalers.all())

    def fleet(self, name: str) -> FleetSpec:
        """Give a fleet by its name, or answer 404."""
        found = next((fleet for fleet in self.fleets().fleets if fleet.name == name), None)
        if found is None:
            raise HTTPException(404, f"no fleet {name!r} in {self.settings.fleets_folder}: GET /fleets lists them")
        return found


@lru_cache
def records() -> Records:
    """Reach the records as Airflow's API server does, with Airflow's own engine."""
    from airflow.settings import get_engine

    return Records(Settings.from_airflow(), get_engine())


RecordsOfServer = Annotated[Records, Depends(records)]
