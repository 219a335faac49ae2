"""Which engine serves a fleet whose file says `auto`: the champion of its own backtests, changed only by clear wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from forecasting.backtest import Asked, backtest
from forecasting.champion import FIRST, scores_of
from predictive_scaling.histories import unusable_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from forecasting import Demand
    from forecasting.champion import Contest
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage

CHALLENGERS: Final = (FIRST, "ensemble_quick", "seasonal_naive")
ORIGINS: Final = 3


def contend(fleet: FleetSpec, demand: Demand, storage: Storage) -> Contest:
    """Let the engines forecast the fleet's own last days once more, and keep who serves from now on."""
    asked = Asked(
        engines=CHALLENGERS,
        horizon=timedelta(hours=24),
        origins=ORIGINS,
        timezone=fleet.timezone,
        events=fleet.events,
        country=fleet.country,
    )
    contest = storage.contest(fleet).after(scores_of(fleet.name, backtest({fleet.name: demand}, asked)))
    storage.save_contest(fleet, contest)
    return contest


def contests(fleets: Sequence[FleetSpec], storage: Storage, *, now: datetime) -> Iterator[str]:
    """Hold a contest for every fleet whose file leaves the choice, and tell which engine serves it and why."""
    for fleet in fleets:
        if fleet.engine != "auto":
            continue
        try:
            held = contend(fleet, storage.demand(fleet, since=now - fleet.history), storage)
        except Exception as error:  # noqa: BLE001 - whatever a file or its store raises, it is this fleet's alone
            yield f"{fleet.name}: no contest of engines: {unusable_store(fleet, error)}"
        else:
            yield f"{fleet.name}: served by {held.engine}: {held.reason}"


def served(fleet: FleetSpec, storage: Storage) -> FleetSpec:
    """Give the fleet with the engine that serves it."""
    return replace(fleet, engine=storage.contest(fleet).engine) if fleet.engine == "auto" else fleet
