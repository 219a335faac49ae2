"""A source that is told what it measured: for tests, and for trying a fleet file without any metric."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from predictive_scaling.sources import Latest, Reading, Request
from predictive_scaling.sources.periods import floor, newest_of
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySource:
    """Keeps the contract of `Source` from values in memory, by the fleet's name."""

    points: Mapping[str, Points] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Give the values of closed periods."""
        names = {request.fleet.name for request in requests}
        return Reading(
            points={
                request.fleet.name: self._closed(request, until)
                for request in requests
                if request.fleet.name in self.points and request.fleet.name not in self.problems
            },
            problems={name: problem for name, problem in self.problems.items() if name in names},
        )

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Give the value of the newest closed period."""
        return newest_of(self, fleets, now=now)

    def _closed(self, request: Request, until: datetime) -> Points:
        period = request.fleet.metric.period
        points = self.points[request.fleet.name].since(floor(request.since, period))
        closed = points.times < floor(until, period).timestamp()
        return Points(points.times[closed], points.values[closed])
