"""Bring the stored history of some fleets up to now.

What cannot be pulled leaves the old history and forecast as they are: a value that is missing, or not believed, is
never a reason to do with less.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from predictive_scaling.errors import NoHistory
from predictive_scaling.histories import unusable_store
from predictive_scaling.sources import Request
from predictive_scaling.sources.soundness import sound, standstill
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Source
    from predictive_scaling.storage import Storage

T = TypeVar("T")
OVERLAP: Final = 3
"""Periods read again at least, because a source may add to a period after it was first read."""
STALE: Final = timedelta(hours=1)
STALE_PERIODS: Final = 6
"""A newest value older than both is said: what it measured may have stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What came of pulling one fleet: new points, or a problem; and what else a person should know."""

    fleet: str
    added: int = 0
    newest: datetime | None = None
    age: timedelta = timedelta()
    problem: str | None = None
    remark: str | None = None

    def __str__(self) -> str:
        if self.problem:
            return f"{self.fleet}: NOT PULLED: {self.problem}"
        remark = f"; {self.remark}" if self.remark else ""
        old = f"{self.age // timedelta(minutes=1)} min old"
        return f"{self.fleet}: {self.added:,} new points, newest {self.newest:%Y-%m-%d %H:%M} UTC, {old}{remark}"


def pull(fleets: Sequence[FleetSpec], source: Source, storage: Storage, *, now: datetime) -> list[Pulled]:
    """Read what is new for every fleet and store it; one fleet's trouble stays its own."""
    newest = storage.each(lambda fleet: _kept(fleet, storage.last_measured), fleets)
    known = list(zip(fleets, newest, strict=True))
    requests = [
        Request(fleet=fleet, since=_since(fleet, before, now))
        for fleet, before in known
        if not isinstance(before, Pulled)
    ]
    answer = source.read(requests, until=now)

    def stored(fleet: FleetSpec, before: datetime | Pulled | None) -> Pulled:
        if isinstance(before, Pulled):
            return before
        if fleet.name in answer.problems:
            return _problem(fleet, answer.problems[fleet.name])
        points = answer.points.get(fleet.name, Points.of(()))
        return _kept(fleet, lambda fleet: _store(fleet, points, storage, before, now))

    return storage.each(lambda pair: stored(*pair), known)


def _kept(fleet: FleetSpec, work: Callable[[FleetSpec], T]) -> T | Pulled:
    """Work with what is stored of a fleet; what cannot be is its own problem, whatever a file or its store raises."""
    try:
        return work(fleet)
    except Exception as error:  # noqa: BLE001 - see above
        return _problem(fleet, unusable_store(fleet, error))


def _since(fleet: FleetSpec, newest: datetime | None, now: datetime) -> datetime:
    """The first pull reads the whole history; a later one starts a while before the newest stored point."""
    oldest, again = now - fleet.history, max(OVERLAP * fleet.metric.period, fleet.metric.settles)
    return oldest if newest is None else max(oldest, newest - again + timedelta(seconds=1))


def _store(fleet: FleetSpec, points: Points, storage: Storage, before: datetime | None, now: datetime) -> Pulled:
    """Store what is believed, and say what was not."""
    believed, left_out = sound(points)
    if left_out and not _later_than(before, believed):
        return _problem(fleet, f"{fleet.metric.described} gave {left_out}, and nothing else new: {fleet.metric.mend}")
    if len(believed) and (still := _standstill(fleet, believed, storage, now)):
        return _problem(fleet, still)
    added = storage.append(fleet, believed)
    newest = _newest(before, believed)
    if newest is None:
        return _problem(fleet, f"{fleet.metric.described} has no data: {fleet.metric.mend}")
    stale = _staleness(fleet, newest, now)
    if stale and fleet.metric.steady:
        return _problem(fleet, stale)
    remark = f"left out {left_out}" if left_out else stale
    return Pulled(fleet=fleet.name, added=added, newest=newest, age=now - newest, remark=remark)


def _newest(before: datetime | None, points: Points) -> datetime | None:
    """Give the time of the newest value there is now."""
    last = datetime.fromtimestamp(int(points.times[-1]), UTC) if len(points) else None
    return max((each for each in (before, last) if each), default=None)


def _later_than(before: datetime | None, points: Points) -> bool:
    """Tell whether there is more than what was read again on purpose."""
    return bool(len(points)) and (before is None or bool(points.times[-1] > before.timestamp()))


def _standstill(fleet: FleetSpec, points: Points, storage: Storage, now: datetime) -> str | None:
    """Look at the history, which is read from files, only when the newest values are equal."""
    moves = len(points) > 1 and points.values[-1] != points.values[-2]
    if moves or not points.values[-1]:
        return None
    return standstill(_known(fleet, storage, now).updated(points), fleet.metric)


def _known(fleet: FleetSpec, storage: Storage, now: datetime) -> Points:
    """Give the stored points, those that are missing left out."""
    try:
        demand = storage.demand(fleet, since=now - fleet.history)
    except NoHistory:
        return Points.of(())
    there = demand.values == demand.values
    start, step = int(demand.start.timestamp()), int(demand.step.total_seconds())
    return Points(there.nonzero()[0] * step + start, demand.values[there])


def _staleness(fleet: FleetSpec, newest: datetime, now: datetime) -> str | None:
    if now - newest < max(STALE, STALE_PERIODS * fleet.metric.period):
        return None
    return f"{fleet.metric.described} gave nothing since {newest:%Y-%m-%d %H:%M} UTC: {fleet.metric.mend}"


def _problem(fleet: FleetSpec, problem: str) -> Pulled:
    return Pulled(fleet=fleet.name, problem=problem)
