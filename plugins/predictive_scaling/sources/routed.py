"""All sources behind one: every fleet is read by the source its metric names, every source asked once a connection."""

from __future__ import annotations

import logging
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from predictive_scaling.errors import unforeseen
from predictive_scaling.sources import Latest, Reading
from predictive_scaling.sources.side_by_side import PATIENCE, SideBySide
from predictive_scaling.sources.soundness import unsound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

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


class _Place(NamedTuple):
    """What is asked in one go: a source, by one connection, in one region."""

    source: str
    connection: str
    region: str | None


class RoutedSource:
    """Keeps the contract of `Source` through others; one that fails or hangs as a whole costs only its own fleets."""

    def __init__(self, sources: Mapping[str, Source], *, patience: timedelta = PATIENCE) -> None:
        self._sources = sources
        self._reading: SideBySide[_Place, Reading] = SideBySide(patience)
        self._asking: SideBySide[_Place, Latest] = SideBySide(patience)

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Ask all sources at the same time, each for all fleets of one connection."""
        groups = _together(requests, lambda request: request.fleet)
        questions = {place: partial(self._read, place.source, group, until) for place, group in groups.items()}
        answers = [
            each.answer.result()
            if each.answer.done() and each.at == until
            else Reading(problems=_late(place, [request.fleet for request in groups[place]], each.at))
            for place, each in self._reading.ask(questions, now=until).items()
        ]
        return Reading(
            points={fleet: points for answer in answers for fleet, points in answer.points.items()},
            problems={fleet: problem for answer in answers for fleet, problem in answer.problems.items()},
        )

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Ask all sources at the same time, each for all fleets of one connection.

        A value no load can have is a problem, and so is a source that has not answered in time.
        """
        groups = _together(fleets, lambda fleet: fleet)
        questions = {place: partial(self._latest, place.source, group, now) for place, group in groups.items()}
        answers = [
            _believed(each.answer.result())
            if each.answer.done()
            else Latest(problems=_late(place, groups[place], each.at))
            for place, each in self._asking.ask(questions, now=now).items()
        ]
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


def _together(things: Sequence[T], fleet_of: Callable[[T], FleetSpec]) -> dict[_Place, list[T]]:
    """Group by the source and what it is reached by: the metric's own connection, or the fleet's to its account."""
    groups: dict[_Place, list[T]] = defaultdict(list)
    for thing in things:
        fleet = fleet_of(thing)
        own = fleet.metric.reached_by
        groups[_Place(fleet.metric.source, own or fleet.connection, None if own else fleet.region)].append(thing)
    return groups


def _late(place: _Place, fleets: Sequence[FleetSpec], asked_at: datetime) -> dict[str, str]:
    problem = (
        f"source {place.source} has not answered since {asked_at:%H:%M:%S} UTC: check what connection "
        f"{place.connection!r} leads to; it counts again once it answers"
    )
    return {fleet.name: problem for fleet in fleets}


def _failed(name: str, fleets: Sequence[FleetSpec], error: Exception) -> dict[str, str]:
    _log.error("source %s failed for %d fleets", name, len(fleets), exc_info=error)
    problem = f"source {name} failed: {unforeseen(error)}"
    return {fleet.name: problem for fleet in fleets}


def _believed(answer: Latest) -> Latest:
    """Move what no load can be from the values to the problems."""
    wrong = {fleet: unsound(seen.whole) for fleet, seen in answer.seen.items()}
    problems = {fleet: f"the newest value is {what}: missing, not zero" for fleet, what in wrong.items() if what}
    return Latest(
        seen={fleet: seen for fleet, seen in answer.seen.items() if not wrong[fleet]},
        problems={**answer.problems, **problems},
    )
