"""Everything the API reads, reached once a process: fleet files, statuses, the ledger's events, stored series."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, HTTPException

from predictive_scaling.api.fleet_files import FleetFiles
from predictive_scaling.ledger.event_search import EventSearch
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

    def fleet(self, name: str) -> FleetSpec:
        """Give a fleet by its name, or answer 404."""
        found = next((fleet for fleet in self.files.now().fleets if fleet.name == name), None)
        if found is None:
            raise HTTPException(404, f"no fleet {name!r} in {self.settings.fleets_folder}: GET /fleets lists them")
        return found


@lru_cache
def records() -> Records:
    """Reach the records as Airflow's API server does, with Airflow's own engine."""
    from airflow.settings import get_engine

    return Records(Settings.from_airflow(), get_engine())


RecordsOfServer = Annotated[Records, Depends(records)]
