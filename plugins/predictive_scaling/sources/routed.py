"""All sources behind one: every fleet is read by the source its metric names, every source asked once a connection."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeVar

from predictive_scaling.sources import Latest, Reading
from predictive_scaling.sources.soundness import unsound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Request, Source

_log: Final = logging.getLogger(__name__)
T = TypeVar("T")


def shipped_sources() -> dict[str, Source]:
    """Give the sources a fleet file can name."""
    from predictive_scaling.sources.airflow_tasks import AirflowSource
    from predictive_scaling.sources.cloudwatch import CloudWatchSource
    from predictive_scaling.sources.object_file import FileSource
    from predictive_scaling.sources.prometheus import PrometheusSource
    from predictive_scaling.sources.sql import SqlSource
    from predictive_scaling.sources.sqs import SqsSource

    return {
        "airflow": AirflowSource(),
        "cloudwatch": CloudWatchSource(),
        "file": FileSource(),
        "prometheus": PrometheusSource(),
        "sql": SqlSource(),
        "sqs": SqsSource(),
    }


class RoutedSource:
    """Keeps the contract of `Source` through others; one that fails as a whole costs only its own fleets."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Ask each source for all fleets of one connection together."""
        groups = _together(requests, lambda request: request.fleet)
        answers = [self._read(name, group, until) for name, group in groups]
        return Reading(
            points={fleet: points for answer in answers for fleet, points in answer.points.items()},
            problems={fleet: problem for answer in answers for fleet, problem in answer.problems.items()},
        )

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Ask each source for all fleets of one connection together; a value no load can have is a problem."""
        groups = _together(fleets, lambda fleet: fleet)
        answers = [_believed(self._latest(name, group, now)) for name, group in groups]
        return Latest(
            seen={fleet: seen for answer in answers for fleet, seen in answer.seen.items()},
            problems={fleet: problem for answer in answers for fleet, problem in answer.problems.items()},
        )

    def _read(self, name: str, requests: Sequence[Request], until: datetime) -> Reading:
        try:
            return self._sources[name].read(requests, until=until)
        except Exception as error:  # noqa: BLE001 - whatever a source trips over must not reach other fleets
            return Reading(problems=_failed(name, [request.fleet for request in requests], error))

    def _latest(self, name: str, fleets: Sequence[FleetSpec], now: datetime) -> Latest:
        try:
            return self._sources[name].latest(fleets, now=now)
        except Exception as error:  # noqa: BLE001 - as above
            return Latest(problems=_failed(name, fleets, error))


def _together(things: Sequence[T], fleet_of: Callable[[T], FleetSpec]) -> list[tuple[str, list[T]]]:
    """Group by the source and the connection it is reached by."""
    groups: dict[tuple[str, str], list[T]] = defaultdict(list)
    for thing in things:
        fleet = fleet_of(thing)
        groups[fleet.metric.source, fleet.metric.reached_by or fleet.connection].append(thing)
    return [(source, group) for (source, _), group in groups.items()]


def _failed(name: str, fleets: Sequence[FleetSpec], error: Exception) -> dict[str, str]:
    _log.error("source %s failed for %d fleets", name, len(fleets), exc_info=error)
    problem = f"source {name} failed: {type(error).__name__}: {' '.join(str(error).split())}"
    return {fleet.name: f"{problem}; the traceback is above in this log" for fleet in fleets}


def _believed(answer: Latest) -> Latest:
    """Move what no load can be from the values to the problems."""
    wrong = {fleet: unsound(seen.value) for fleet, seen in answer.seen.items()}
    problems = {fleet: f"the newest value is {what}: missing, not zero" for fleet, what in wrong.items() if what}
    return Latest(
        seen={fleet: seen for fleet, seen in answer.seen.items() if not wrong[fleet]},
        problems={**answer.problems, **problems},
    )
