"""What the next minutes ask for: by the newest forecast, moved by the loads seen since, and by how such loads went on.

A plan is drawn once an hour, and a load may leave its forecast in minutes. What a forecast may do at the gate, it may
do here: a fleet that is not `auto` has no outlook, and neither has one whose forecast is old.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from forecasting import ForecastingError
from forecasting.calibration import Calibration
from forecasting.gate import Stage
from forecasting.near import REACHES_BACK
from forecasting.soon import needed_soon, on_the_grid_of, peak_soon
from forecasting.tick import tick
from predictive_scaling.errors import NoHistory, UnusableFile
from predictive_scaling.fleet_spec import Mode, each_load
from predictive_scaling.lead_time import lead_time
from predictive_scaling.sources.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from forecasting import Demand, Forecast, Policy, Step
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.gates import Gates
    from predictive_scaling.sources import Seen
    from predictive_scaling.status import Statuses
    from predictive_scaling.storage import Storage

AT_ONCE: Final = 20
"""Forecasts that one look reads anew at most: reading must not keep a load waiting for its answer."""
ANEW: Final = timedelta(minutes=10)
OLD: Final = timedelta(hours=6)
"""A forecast is moved for so long; after that it says too little of now."""
PEAKS_AT_ONCE: Final = 100
"""Loads whose coming minutes are told anew by one look at most: at some milliseconds each they keep none waiting."""
PEAK_ANEW: Final = timedelta(minutes=1)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where forecasts are kept, and what is known of the fleets' trust."""

    storage: Storage
    gates: Gates
    statuses: Statuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The newest forecast of one load of a fleet, what was learnt with it, and the policy as it holds this hour."""

    fleet: str
    metric: str  # the identity of what it foretells
    forecast_id: str
    forecast: Forecast
    policy: Policy
    learnt: Calibration | None = None
    history: Demand | None = None  # what was measured until the forecast was made, and whatever was stored since

    def holds(self, load: FleetSpec, now: datetime) -> bool:
        """Whether it still says something of now, and of what the load is measured by."""
        of_now = self.forecast.start - self.forecast.step <= now < self.forecast.start + OLD
        return of_now and self.metric == load.metric_identity


@dataclass(slots=True)
class Outlooks:
    """Keeps the outlooks of a shard's fleets, and the loads seen since their forecasts began."""

    open_shelf: Callable[[], Shelf]
    _known: dict[str, Outlook] = field(default_factory=dict)
    _reading: SideBySide[str, dict[str, dict[str, Outlook] | None]] = field(default_factory=SideBySide)
    _read: dict[str, datetime] = field(default_factory=dict)
    _seen: dict[tuple[str, str], list[tuple[datetime, float]]] = field(default_factory=lambda: defaultdict(list))
    _peaks: dict[tuple[str, str], tuple[datetime, float | None]] = field(default_factory=dict)

    def ahead(self, fleets: Iterable[FleetSpec], seen: Mapping[str, Seen], *, now: datetime) -> dict[str, Step]:
        """Give the most that each fleet's forecasts, moved by what was seen, ask for soon; who has none is left out."""
        trusted = [fleet for fleet in fleets if fleet.mode is Mode.AUTO]
        self._refresh(trusted, now)
        known = {load.name: (load, self._known[load.name]) for load in each_load(trusted) if load.name in self._known}
        holding = {name: each for name, (load, each) in known.items() if each.holds(load, now)}
        points = {name: self._points(name, each, seen.get(name)) for name, each in holding.items()}
        fresh = {name: known for name, known in points.items() if known is not None}
        moved = tick({name: each.forecast for name, each in holding.items()}, fresh, _joined(holding.values()))
        peaks = self._told_anew({name: (each, fresh[name]) for name, each in holding.items() if name in fresh}, now)
        steps: dict[str, Step] = {}
        for name, each in holding.items():
            step, before = needed_soon(moved[name], each.policy, now, peaks.get(name)), steps.get(each.fleet)
            if step and (before is None or step.capacity > before.capacity):
                steps[each.fleet] = step
        return steps

    def _refresh(self, fleets: list[FleetSpec], now: datetime) -> None:
        """Read the forecasts that were read longest ago; what cannot be read stays as it was until it is old."""
        due = sorted(
            (fleet for fleet in fleets if fleet.name not in self._read or now - self._read[fleet.name] >= ANEW),
            key=lambda fleet: self._read.get(fleet.name, now - OLD),
        )[:AT_ONCE]
        questions = {"shelf": partial(_read_each, due, self.open_shelf, self._known)} if due else {}
        for asked in self._reading.ask(questions, now=now).values():
            for name, found in asked.answer.result().items() if asked.answer.done() else ():
                self._read[name] = now
                if found is not None:
                    others = {load: each for load, each in self._known.items() if each.fleet != name}
                    self._known = {**others, **found}

    def _points(self, name: str, outlook: Outlook, seen: Seen | None) -> Demand | None:
        """Give what was seen since the forecast began, and forget what was before; None where there is nothing."""
        forecast, of = outlook.forecast, (name, outlook.metric)
        more = [(seen.at, seen.value)] if seen else []
        self._seen[of] = [each for each in (*self._seen[of], *more) if each[0] > forecast.start]
        return on_the_grid_of(forecast, self._seen[of])

    def _told_anew(self, loads: Mapping[str, tuple[Outlook, Demand]], now: datetime) -> dict[str, float]:
        """Give the demand that each load may come to before an instance started now serves, where that can be told."""
        keys = {name: (name, each.metric) for name, (each, _) in loads.items()}
        told = {name: self._peaks.get(key, (_LONG_AGO, None))[0] for name, key in keys.items()}
        due = sorted((name for name in loads if now - told[name] >= PEAK_ANEW), key=told.__getitem__)
        for name in due[:PEAKS_AT_ONCE]:
            each, fresh = loads[name]
            peak = peak_soon(each.history, fresh, each.policy, now) if each.history else None
            self._peaks[keys[name]] = now, peak
        known = {name: self._peaks.get(key, (now, None))[1] for name, key in keys.items()}
        return {name: peak for name, peak in known.items() if peak is not None}


def _read_each(
    fleets: Iterable[FleetSpec], open_shelf: Callable[[], Shelf], known: Mapping[str, Outlook]
) -> dict[str, dict[str, Outlook] | None]:
    """Give the outlooks of each fleet's loads, None where they cannot be told.

    Storage and ledger fail in ways of their own, and slowly: after the first such failure the rest can wait.
    """
    found: dict[str, dict[str, Outlook] | None] = {}
    shelf = None
    for fleet in fleets:
        found[fleet.name] = None
        try:
            shelf = shelf or open_shelf()
            found[fleet.name] = _outlooks(fleet, shelf, known)
        except (NoHistory, UnusableFile, ForecastingError) as error:
            _log.info("%s: reacts without a newer outlook: %s", fleet.name, error)
        except Exception as error:  # noqa: BLE001 - a look goes on without it
            _log.warning("%s: reacts without a newer outlook: %s: %s", fleet.name, type(error).__name__, error)
            break
    return found


def _outlooks(fleet: FleetSpec, shelf: Shelf, known: Mapping[str, Outlook]) -> dict[str, Outlook]:
    """Read what there is of each load of a fleet whose forecast is trusted."""
    gate, status = shelf.gates.of(fleet.name), shelf.statuses.of(fleet.name)
    if gate is None or gate.on(fleet.measured_by).standing.stage is not Stage.AUTO:
        return {}
    lead, _ = lead_time(fleet.policy.lead_time, gate)
    quantile = status.quantile if status and status.quantile else fleet.policy.quantile
    found: dict[str, Outlook] = {}
    for load in fleet.loads:
        forecast_id, forecast = shelf.storage.newest_forecast(load)
        kept, before = shelf.storage.calibration(load), known.get(load.name)
        same = before is not None and (before.metric, before.forecast_id) == (load.metric_identity, forecast_id)
        policy = replace(load.policy, lead_time=lead, quantile=quantile)
        found[load.name] = Outlook(
            fleet=fleet.name,
            metric=load.metric_identity,
            forecast_id=forecast_id,
            forecast=forecast,
            policy=policy,
            learnt=kept[1] if kept else None,
            history=before.history if before and same else _history(load, shelf.storage, forecast),
        )
    return found


def _history(load: FleetSpec, storage: Storage, forecast: Forecast) -> Demand | None:
    try:
        return storage.demand(load, since=forecast.start - REACHES_BACK)
    except NoHistory:
        return None


def _joined(outlooks: Iterable[Outlook]) -> Calibration | None:
    """Bring together what was learnt; fleets of other terms than the first take the usual carry."""
    learnt = [each.learnt for each in outlooks if each.learnt]
    same = [each for each in learnt if each.terms == learnt[0].terms]
    return Calibration.joined(same) if same else None
