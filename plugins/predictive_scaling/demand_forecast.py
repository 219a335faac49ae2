"""Forecast some fleets from their stored history, and store what is forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from forecasting import Demand, Forecast, ForecastingError, unusable
from predictive_scaling.contest import served
from predictive_scaling.foretelling import foretell
from predictive_scaling.histories import unusable_store
from predictive_scaling.sources.airflow_runs import with_appointments
from predictive_scaling.track_record import score, track_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasted:
    """What came of forecasting one fleet: the stored forecast, or why there is none."""

    fleet: str
    record: str = ""
    forecast_id: str | None = None
    forecast: Forecast | None = None
    problem: str | None = None

    def __str__(self) -> str:
        if self.forecast is None:
            return f"{self.fleet}: NOT FORECAST: {self.problem}"
        peak = self.forecast.at(0.9)
        when = self.forecast.start + int(peak.argmax()) * self.forecast.step
        return (
            f"{self.fleet}: {self.forecast.engine} from {self.forecast.start:%m-%d %H:%M} UTC, "
            f"p90 peak {peak.max():,.0f} at {when:%a %H:%M} UTC; {self.forecast.reason}{self.record}"
        )


def forecast_fleets(fleets: Sequence[FleetSpec], storage: Storage, *, now: datetime) -> list[Forecasted]:
    """Forecast all fleets, those of like settings together; one fleet's trouble stays its own."""
    read = storage.each(lambda fleet: _read(fleet, storage, now), fleets)
    found = {each.fleet: each for each in read if isinstance(each, Forecasted)}
    ready = [each for each in read if isinstance(each, _Ready)]
    records = {each.serving.name: each.record for each in ready}
    for group in alike([(each.serving, each.demand) for each in ready]):
        made = foretell(group, storage, now=now)
        stored = storage.each(lambda pair, made=made: _stored(pair[0], made[pair[0].name], storage), group)  # type: ignore[misc]
        found |= {each.fleet: replace(each, record=records[each.fleet]) for each in stored}
    return [found[fleet.name] for fleet in fleets]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A fleet with the engine that serves it, its history, and how its last forecasts did."""

    serving: FleetSpec
    demand: Demand
    record: str


def _read(fleet: FleetSpec, storage: Storage, now: datetime) -> _Ready | Forecasted:
    """Read what a forecast begins with, or say why there can be none."""
    try:
        demand = storage.demand(fleet, since=now - fleet.history)
        serving = served(fleet, storage)
    except Exception as error:  # noqa: BLE001 - whatever a file or its store raises, it is this fleet's alone
        return Forecasted(fleet=fleet.name, problem=unusable_store(fleet, error))
    record = _record(fleet, demand, storage)
    if reason := unusable(demand):
        return Forecasted(fleet=fleet.name, problem=reason, record=record)
    return _Ready(serving=serving, demand=demand, record=record)


def _record(fleet: FleetSpec, demand: Demand, storage: Storage) -> str:
    """Tell how the last forecasts did; a record that cannot be read is no reason to make no new one."""
    try:
        return track_record(score(fleet, demand, storage))
    except Exception as error:  # noqa: BLE001 - see above
        return f"; of its last forecasts nothing is known: {unusable_store(fleet, error)}"


def alike(ready: list[tuple[FleetSpec, Demand]]) -> Iterator[list[tuple[FleetSpec, Demand]]]:
    """Group the fleets: those that differ in engine or calendar cannot share a call."""
    ordered = sorted(ready, key=_calendar)
    return (list(pairs) for _, pairs in groupby(ordered, key=_calendar))


def _calendar(pair: tuple[FleetSpec, Demand]) -> str:
    return repr(sorted(pair[0].calendar.items()))


def _stored(fleet: FleetSpec, forecast: Forecast | ForecastingError, storage: Storage) -> Forecasted:
    """Store a forecast with what is scheduled, or say why there is none."""
    if isinstance(forecast, ForecastingError):
        return Forecasted(fleet=fleet.name, problem=str(forecast))
    try:
        whole = with_appointments(fleet, forecast)
        return Forecasted(fleet=fleet.name, forecast_id=storage.save_forecast(fleet, whole), forecast=whole)
    except Exception as error:  # noqa: BLE001 - as in _read
        return Forecasted(fleet=fleet.name, problem=unusable_store(fleet, error))
