"""Bring the stored history of some fleets up to now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from predictive_scaling.sources import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Source
    from predictive_scaling.storage import Points, Storage

OVERLAP: Final = 3
"""Periods read again, because a source may add to a period after it was first read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What came of pulling one fleet: new points, or a problem."""

    fleet: str
    added: int = 0
    newest: datetime | None = None
    problem: str | None = None

    def __str__(self) -> str:
        if self.problem:
            return f"{self.fleet}: NOT PULLED: {self.problem}"
        return f"{self.fleet}: {self.added:,} new points, newest {self.newest:%Y-%m-%d %H:%M} UTC"


def pull(fleets: Sequence[FleetSpec], source: Source, storage: Storage, *, now: datetime) -> list[Pulled]:
    """Read what is new for every fleet and store it; one fleet's trouble stays its own."""
    requests = [Request(fleet=fleet, since=_since(fleet, storage, now)) for fleet in fleets]
    answer = source.read(requests, until=now)
    return [_store(fleet, answer.points.get(fleet.name), answer.problems.get(fleet.name), storage) for fleet in fleets]


def _since(fleet: FleetSpec, storage: Storage, now: datetime) -> datetime:
    """The first pull reads the whole history; a later one starts a little before the newest stored point."""
    oldest = now - fleet.history
    newest = storage.last_measured(fleet)
    return oldest if newest is None else max(oldest, newest - OVERLAP * fleet.metric.period + timedelta(seconds=1))


def _store(fleet: FleetSpec, points: Points | None, problem: str | None, storage: Storage) -> Pulled:
    if problem is None and points is not None and len(points):
        added = storage.append(fleet, points)
        return Pulled(fleet=fleet.name, added=added, newest=storage.last_measured(fleet))
    newest = storage.last_measured(fleet)
    if problem is None and newest is not None:
        return Pulled(fleet=fleet.name, newest=newest)
    return Pulled(fleet=fleet.name, problem=problem or _nothing_found(fleet))


def _nothing_found(fleet: FleetSpec) -> str:
    metric = fleet.metric
    dimensions = ", ".join(f"{key}={value}" for key, value in metric.dimensions.items()) or "no dimensions"
    hint = (
        f"the group {fleet.group} publishes GroupInServiceInstances (enable its group metrics collection), and that "
        if metric.per_instance
        else ""
    )
    return (
        f"{metric.namespace} {metric.name} ({dimensions}, {metric.statistic}) has no data: check that {hint}"
        "namespace, name and dimensions are exactly those CloudWatch shows"
    )
