"""What is stored of every load of a fleet, for those who judge the fleet by its past."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from forecasting import ForecastingError
from predictive_scaling.errors import NoHistory, UnusableFile, unforeseen

if TYPE_CHECKING:
    from datetime import datetime

    from forecasting import Demand
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One load of a fleet, by the name a person knows it by, and what was measured of it."""

    name: str
    load: FleetSpec
    demand: Demand


def histories(fleet: FleetSpec, storage: Storage, *, now: datetime) -> tuple[History, ...]:
    """Read what is stored of each load, up to the last instant at which all of them were measured."""
    read = {load.name: storage.demand(load, since=now - fleet.history) for load in fleet.loads}
    end = min(demand.end for demand in read.values())
    units = [load.metric.unit for load in fleet.loads]
    return tuple(
        History(
            name=unit if unit not in units[:number] else f"{unit} ({load.name})",
            load=load,
            demand=read[load.name].before(end),
        )
        for number, (unit, load) in enumerate(zip(units, fleet.loads, strict=True))
    )


def unusable_store(fleet: FleetSpec, error: Exception) -> str:
    """Say why what is stored of a fleet cannot be used; what nobody foresaw with its traceback in the log."""
    if isinstance(error, NoHistory | UnusableFile | ForecastingError):
        return str(error)
    _log.error("%s: what is stored of it cannot be used", fleet.name, exc_info=error)
    return f"its stored files cannot be used: {unforeseen(error)}"
