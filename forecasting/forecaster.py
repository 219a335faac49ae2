"""From demand to forecast: check the history, hang it on the wall clock, ask a model, read the answer back."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from forecasting.errors import ForecastingError, InvalidDemand, InvalidRequest, NotEnoughHistory
from forecasting.forecast import Forecast, checked_quantiles
from forecasting.models import model
from forecasting.panel import DAY, Panel
from forecasting.wall_clock import WallClock, wall_clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecasting.demand import Demand, Values
    from forecasting.event import Event
    from forecasting.panel import Outlook

# Four weeks show every weekday four times; more adds little and the older the history, the less it says.
MEMORY = timedelta(days=28)
LEAST_KNOWN = 12
LONGEST_HORIZON = timedelta(days=14)
WORKERS = 2
QUANTILES = (0.5, 0.9, 0.95)
Name = TypeVar("Name", bound=str | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What was asked for, the same for every series."""

    horizon: timedelta
    quantiles: tuple[float, ...]
    engine: str
    timezone: str
    events: tuple[Event, ...]
    workers: int = 1

    def __post_init__(self) -> None:
        """Refuse quantiles that nobody could answer."""
        object.__setattr__(self, "quantiles", checked_quantiles(tuple(self.quantiles), InvalidRequest))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Prepared:
    """One series as a model will see it, and how to read the answer back."""

    values: Values
    wall: WallClock
    start: datetime
    step: timedelta
    notes: str

    @property
    def group(self) -> tuple[datetime, timedelta, int, int]:
        """Series of one group lie on the same slots and can share a matrix."""
        return self.wall.start, self.step, self.wall.length, self.wall.horizon


def forecast(  # noqa: PLR0913  (the contract; all but the demand have defaults)
    demand: Demand,
    *,
    horizon: timedelta = timedelta(hours=48),
    quantiles: tuple[float, ...] = QUANTILES,
    engine: str = "auto",
    timezone: str = "UTC",
    events: Sequence[Event] = (),
) -> Forecast:
    """Forecast the slots that follow the demand."""
    asked = _Request(horizon=horizon, quantiles=quantiles, engine=engine, timezone=timezone, events=tuple(events))
    return _answer({None: demand}, asked)[None]


def forecast_many(  # noqa: PLR0913  (the contract; all but the demands have defaults)
    demands: Mapping[str, Demand],
    *,
    horizon: timedelta = timedelta(hours=48),
    quantiles: tuple[float, ...] = QUANTILES,
    engine: str = "auto",
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    workers: int | None = None,
) -> dict[str, Forecast]:
    """Forecast many series as matrices; each forecast is the one its series would get alone."""
    asked = _Request(
        horizon=horizon,
        quantiles=quantiles,
        engine=engine,
        timezone=timezone,
        events=tuple(events),
        workers=workers or WORKERS,
    )
    return _answer(demands, asked)


def _answer(demands: Mapping[Name, Demand], asked: _Request) -> dict[Name, Forecast]:
    chosen = model(asked.engine)
    prepared = {name: _prepared(name, demand, asked) for name, demand in demands.items()}
    groups = defaultdict(list)
    for name, series in prepared.items():
        groups[series.group].append(name)
    found: dict[Name, Forecast] = {}
    for names in groups.values():
        members = [prepared[name] for name in names]
        outlook = chosen.predict(_panel(members, asked))
        for row, name in enumerate(names):
            found[name] = _read_back(outlook, row, prepared[name], asked)
    return {name: found[name] for name in demands}


def _prepared(name: str | None, demand: Demand, asked: _Request) -> _Prepared:
    try:
        slots = _slots(asked.horizon, demand.step)
        recent = _known(demand)
        values = _without_events(recent, asked.events)
        wall = wall_clock(recent.start, recent.step, len(recent), slots, asked.timezone)
        notes = _notes(recent, values)
        return _Prepared(values=wall.hang(values), wall=wall, start=recent.end, step=recent.step, notes=notes)
    except ForecastingError as error:
        if name is None:
            raise
        msg = f"{name}: {error}"
        raise type(error)(msg) from error


def _panel(members: list[_Prepared], asked: _Request) -> Panel:
    return Panel(
        values=np.stack([series.values for series in members]),
        start=members[0].wall.start,
        step=members[0].step,
        horizon=members[0].wall.horizon,
        quantiles=asked.quantiles,
        workers=asked.workers,
    )


def _read_back(outlook: Outlook, row: int, series: _Prepared, asked: _Request) -> Forecast:
    return Forecast(
        start=series.start,
        step=series.step,
        quantiles=asked.quantiles,
        values=_with_events(_tidy(series.wall.take_down(outlook.values[row])), series, asked.events),
        engine=outlook.engines[row],
        reason=f"{outlook.reasons[row]}{series.notes}",
    )


def _slots(horizon: timedelta, step: timedelta) -> int:
    if not timedelta(0) < horizon <= LONGEST_HORIZON:
        msg = f"horizon {horizon} is not between 0 and {LONGEST_HORIZON.days} days: choose for example 48 hours"
        raise InvalidRequest(msg)
    if step > DAY / 4 or DAY % step:
        msg = f"step {step} does not divide a day into equal slots of at most 6 hours: resample, e.g. to 5 minutes"
        raise InvalidDemand(msg)
    return math.ceil(horizon / step)


def _known(demand: Demand) -> Demand:
    """Keep the memory, from the first slot that anybody measured on."""
    recent = demand.tail(MEMORY)
    known = np.flatnonzero(~np.isnan(recent.values))
    if len(known) < LEAST_KNOWN:
        msg = (
            f"{len(known)} observed values in the last {len(recent)} slots of {demand.step}: "
            f"at least {LEAST_KNOWN} are needed, collect more history"
        )
        raise NotEnoughHistory(msg)
    return recent.between(recent.start + int(known[0]) * recent.step, recent.end)


def _without_events(demand: Demand, events: Sequence[Event]) -> Values:
    """Take the effect of known events out of the history, so that no model learns an exception as the rule."""
    values = demand.values.copy()
    for event in events:
        window = _window(event, demand.start, demand.step, len(values))
        values[window] = np.nan if event.factor is None else values[window] / event.factor
    if np.isnan(values).all():
        msg = "events cover the whole history: shorten them or give them a factor"
        raise NotEnoughHistory(msg)
    return values


def _with_events(values: Values, series: _Prepared, events: Sequence[Event]) -> Values:
    for event in events:
        window = _window(event, series.start, series.step, values.shape[1])
        values[:, window] *= event.factor or 1.0
    return values


def _window(event: Event, start: datetime, step: timedelta, length: int) -> slice:
    first, last = (event.start - start) // step, math.ceil((event.end - start) / step)
    return slice(min(max(first, 0), length), min(max(last, 0), length))


def _tidy(values: Values) -> Values:
    return np.maximum.accumulate(np.maximum(np.asarray(values, dtype=np.float64), 0.0), axis=0)


def _notes(demand: Demand, values: Values) -> str:
    notes = []
    missing = float(np.isnan(values).mean())
    if missing > 0:
        notes.append(f"; {missing:.1%} of its slots were missing and filled from other days")
    silent = len(demand) - 1 - int(np.flatnonzero(~np.isnan(demand.values))[-1])
    if silent * demand.step >= timedelta(hours=1):
        notes.append(f"; nothing was measured in the last {silent * demand.step / timedelta(hours=1):.1f} hours")
    return "".join(notes)
