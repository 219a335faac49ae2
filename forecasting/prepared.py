"""Prepared: a history checked, rid of its occasions and hung on the wall clock; and how a forecast is read back."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from forecasting.duration import format_duration
from forecasting.errors import ForecastingError, InvalidDemand, NotEnoughHistory
from forecasting.forecast import Forecast
from forecasting.occasions import days_of_rest, known_occasions, taken_out
from forecasting.panel import DAY, MONDAY, Panel, phase_of
from forecasting.slots import Slots
from forecasting.wall_clock import WallClock, wall_clock
from forecasting.weekend import weekends

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forecasting.demand import Demand
    from forecasting.occasions import Occasion
    from forecasting.panel import Outlook
    from forecasting.request import Request
    from forecasting.values import Values

# Four weeks show every weekday four times; more adds little and the older the history, the less it says.
MEMORY: Final = timedelta(days=28)
LEAST_KNOWN: Final = 12
LEAST_STEP: Final = timedelta(seconds=1)
SATURDAY: Final = MONDAY + 5 * DAY
Name = TypeVar("Name", bound=str | None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """One series as a model will see it, and how to read the answer back."""

    values: Values
    wall: WallClock
    start: datetime
    step: timedelta
    notes: str
    occasions: tuple[Occasion, ...] = ()
    rests_late: timedelta = timedelta(0)  # after Saturday 00:00

    @property
    def group(self) -> tuple[datetime, timedelta, int, int]:
        """Series of one group lie on the same slots and can share a matrix."""
        return self.wall.start, self.step, self.wall.length, self.wall.horizon

    def resting(self, late: timedelta) -> Prepared:
        """Give the same with a weekend that begins so long after Saturday 00:00."""
        if not late:
            return self
        begins = SATURDAY + late
        return replace(self, rests_late=late, notes=f"{self.notes}; its weekend begins on {begins:%A at %H:%M}")


def grouped(demands: Mapping[Name, Demand], asked: Request) -> Iterator[tuple[list[Name], list[Prepared]]]:
    """Prepare the series and bring those together that can share a matrix."""
    groups = defaultdict(list)
    for name, demand in demands.items():
        prepared = _prepared(name, demand, asked)
        groups[prepared.group].append((name, prepared))
    for members in groups.values():
        for alike in _by_weekend(members, asked):
            yield [name for name, _ in alike], [series for _, series in alike]


def _by_weekend(members: list[tuple[Name, Prepared]], asked: Request) -> Iterable[list[tuple[Name, Prepared]]]:
    """Bring those together whose weekend begins at the same time."""
    first = members[0][1]
    per_day, phase = DAY // first.step, phase_of(first.wall.start, first.step)
    usual = days_of_rest(asked.country) * per_day
    values = np.stack([series.values for _, series in members])
    found = weekends(values, Slots(per_day=per_day, phase=phase, horizon=first.wall.horizon), usual)
    groups = defaultdict(list)
    for (name, series), slots in zip(members, found.tolist(), strict=True):
        groups[slots].append((name, series.resting(slots * series.step)))
    return groups.values()


def _prepared(name: str | None, demand: Demand, asked: Request) -> Prepared:
    try:
        check_step(demand.step)
        slots = math.ceil(asked.horizon / demand.step)
        recent = _known(demand)
        occasions = known_occasions(demand, asked.horizon, asked.events, asked.country, asked.timezone)
        values = _without(recent, occasions)
        wall = wall_clock(recent.start, recent.step, len(recent), slots, asked.timezone)
        notes = _notes(recent)
        notes += _of_occasions(occasions, recent.end)
        return Prepared(
            values=wall.hang(values), wall=wall, start=recent.end, step=recent.step, notes=notes, occasions=occasions
        )
    except ForecastingError as error:
        if name is None:
            raise
        raise error.about(name) from error


def panel(members: list[Prepared], asked: Request) -> Panel:
    """Put series of one group into a matrix."""
    return Panel(
        values=np.stack([series.values for series in members]),
        start=members[0].wall.start - members[0].rests_late,
        step=members[0].step,
        horizon=members[0].wall.horizon,
        quantiles=asked.quantiles,
    )


def read_back(
    names: list[Name], members: list[Prepared], outlook: Outlook, asked: Request
) -> Iterator[tuple[Name, Forecast]]:
    """Turn the rows of an outlook into forecasts."""
    tidy = np.maximum.accumulate(np.maximum(outlook.values.astype(np.float64), 0.0), axis=1)
    for row, (name, series) in enumerate(zip(names, members, strict=True)):
        level, reason = _never_changed(series.values), outlook.reasons[row]
        if level is not None:
            tidy[row] = level  # To the last digit: a hair above what an instance serves would ask for one more.
            reason = f"it never changed in {format_duration(len(series.values) * series.step)} of history"
        values = _with_occasions(series.wall.take_down(tidy[row]), series, asked.quantiles)
        yield (
            name,
            Forecast(
                start=series.start,
                step=series.step,
                quantiles=asked.quantiles,
                values=values,
                engine=outlook.engines[row],
                reason=f"{reason}{series.notes}",
            ),
        )


def unusable(demand: Demand) -> str | None:
    """Tell why a demand could not be forecast, or None if it can: so that one of many need not spoil the rest."""
    try:
        check_step(demand.step)
        _known(demand)
    except ForecastingError as error:
        return str(error)
    return None


def check_step(step: timedelta) -> None:
    """Refuse a demand whose slots do not make up days."""
    if not LEAST_STEP <= step <= DAY / 4 or DAY % step:
        given = format_duration(step)
        msg = f"step {given} does not divide a day into equal slots of 1 second to 6 hours: resample, e.g. to 5 minutes"
        raise InvalidDemand(msg)


def _known(demand: Demand) -> Demand:
    """Keep the memory, from the first slot that anybody measured on."""
    recent = demand.tail(MEMORY)
    known = np.flatnonzero(~np.isnan(recent.values))
    if len(known) < LEAST_KNOWN:
        msg = (
            f"{len(known)} observed values in the last {len(recent)} slots of {format_duration(demand.step)}: "
            f"at least {LEAST_KNOWN} are needed, collect more history"
        )
        raise NotEnoughHistory(msg)
    return recent.between(recent.start + int(known[0]) * recent.step, recent.end)


def _without(demand: Demand, occasions: Sequence[Occasion]) -> Values:
    """Give the history as it would have been on usual days."""
    values = taken_out(demand, [occasion.event for occasion in occasions])
    if np.isnan(values).all():
        msg = "events cover the whole history: shorten them or give them a factor"
        raise NotEnoughHistory(msg)
    return values


def _never_changed(values: Values) -> float | None:
    """Give the only value that was ever measured, or None where there were several."""
    least, most = np.fmin.reduce(values), np.fmax.reduce(values)
    return float(least) if least == most else None


def _with_occasions(values: Values, series: Prepared, quantiles: Sequence[float]) -> Values:
    for occasion in series.occasions:
        during = values[:, occasion.slots(series.start, series.step, values.shape[1])]
        during *= occasion.factor or 1.0
        np.maximum(during, occasion.at_least(quantiles)[:, None], out=during)
    return values


def _notes(demand: Demand) -> str:
    missing = np.isnan(demand.values)
    if not missing.any():
        return ""
    notes = [f"; {missing.mean():.1%} of its slots were missing and filled from other days"]
    silent = int(np.argmin(missing[::-1]))
    if silent * demand.step >= timedelta(hours=1):
        notes.append(f"; nothing was measured in the last {silent * demand.step / timedelta(hours=1):.1f} hours")
    return "".join(notes)


def _of_occasions(occasions: Sequence[Occasion], now: datetime) -> str:
    """Say what is expected of the occasions ahead, and of which nothing is known."""
    ahead = [each for each in occasions if each.event.end > now]
    told = [f"; {each.event.name} {_expected(each)}" for each in ahead if each.learnt or each.factor is None]
    return "".join(told)


def _expected(occasion: Occasion) -> str:
    if occasion.came.size:
        return f"taken for {occasion.came.mean():,.4g}, as before: many times the usual of that time"
    if occasion.learnt:
        return f"taken {occasion.factor:.2g}-fold, as before"
    return "taken for a usual day: none was seen before"
