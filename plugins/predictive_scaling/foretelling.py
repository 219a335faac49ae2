"""Forecasting the fleets of one calendar with what was learnt of them some hours ago, which costs half as much.

What a calibration knows of a series holds for half a day; the fits are made afresh every time.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from forecasting import ForecastingError
from forecasting.calibration import Calibration, calibrate, learns, refresh
from forecasting.forecast_each import forecast_each
from predictive_scaling.fleet_spec import HORIZON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from forecasting import Demand, Forecast
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage

QUANTILES: Final = (0.5, 0.75, 0.9, 0.95, 0.99)
HOLDS: Final = timedelta(hours=12)
_log: Final = logging.getLogger(__name__)


def foretell(
    group: Sequence[tuple[FleetSpec, Demand]], storage: Storage, *, now: datetime
) -> Mapping[str, Forecast | ForecastingError]:
    """Forecast fleets that agree in their calendar; the trouble of one stays its own."""
    calendar = group[0][0].calendar
    demands = {fleet.name: demand for fleet, demand in group}
    try:
        if learns(calendar["engine"]):
            return _with_what_is_known(group, demands, storage, now)
    except ForecastingError:
        pass  # One series spoils the call: below each is answered for itself.
    return forecast_each(demands, horizon=HORIZON, quantiles=QUANTILES, **calendar)


def _with_what_is_known(
    group: Sequence[tuple[FleetSpec, Demand]], demands: dict[str, Demand], storage: Storage, now: datetime
) -> Mapping[str, Forecast]:
    calendar = dict(group[0][0].calendar)
    engine = calendar.pop("engine")
    known = storage.each(lambda pair: _known(pair[0], storage, engine, now), group)
    unknown = {fleet.name: demands[fleet.name] for (fleet, _), each in zip(group, known, strict=True) if each is None}
    learnt = calibrate(unknown, horizon=HORIZON, quantiles=QUANTILES, engine=engine, **calendar)
    new = [fleet for fleet, _ in group if fleet.name in learnt.learnt]
    storage.each(lambda fleet: _keep(fleet, learnt, storage, now), new)
    whole = Calibration.joined([learnt, *(each for each in known if each is not None)])
    return refresh(demands, whole, **calendar)


def _known(fleet: FleetSpec, storage: Storage, engine: str, now: datetime) -> Calibration | None:
    """Give the fleet's calibration while it holds, and was made for what is asked now."""
    try:
        found = storage.calibration(fleet)
    except Exception as error:  # noqa: BLE001 - whatever the store raises, what cannot be had is learnt anew
        _log.warning("%s: is learnt anew, for what was learnt of it cannot be read: %r", fleet.name, error)
        return None
    if found is None or now - found[0] >= HOLDS:
        return None
    kept = found[1]
    return kept if kept.terms == (engine, HORIZON, QUANTILES) else None


def _keep(fleet: FleetSpec, learnt: Calibration, storage: Storage, now: datetime) -> None:
    """Keep what was learnt of a fleet; what cannot be kept is learnt anew the next time."""
    try:
        storage.save_calibration(fleet, learnt.of([fleet.name]), now=now)
    except Exception as error:  # noqa: BLE001 - as above
        _log.warning("%s: what was learnt of it cannot be kept: %r", fleet.name, error)
