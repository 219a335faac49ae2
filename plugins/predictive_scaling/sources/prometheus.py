"""Prometheus as a source: range queries for the past, an instant query for now.

A query's value at an instant speaks of the time before it (`rate(…[5m])` of the last five minutes), so the value of a
period is the one at its end. Prometheus answers one query at a time; an answer has at most 11,000 points.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from predictive_scaling.metric import PrometheusMetric
from predictive_scaling.sources import Latest, Reading, Seen, SourceUnavailable, metric_of
from predictive_scaling.sources.http_answers import JsonServer
from predictive_scaling.sources.in_turn import in_turn
from predictive_scaling.sources.periods import floor
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Request

POINTS_PER_ANSWER: Final = 11_000
_RANGE: Final = "api/v1/query_range"
_INSTANT: Final = "api/v1/query"


class PrometheusSource:
    """Keeps the contract of `Source` through Prometheus' HTTP API."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Ask for each fleet's past."""
        since = {request.fleet.name: request.since for request in requests}

        def ask(server: JsonServer, fleet: FleetSpec) -> Points:
            return _history(server, metric_of(fleet, PrometheusMetric), since[fleet.name], until)

        points, problems = in_turn([request.fleet for request in requests], reach=JsonServer, ask=ask)
        return Reading(points=points, problems=problems)

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Ask for each fleet's value at this instant."""

        def ask(server: JsonServer, fleet: FleetSpec) -> tuple[Seen, str]:
            metric = metric_of(fleet, PrometheusMetric)
            found, lacking = _series(server, _INSTANT, {"query": metric.query, "time": now.timestamp()}, metric)
            ((time, value),) = found or _refuse_nothing(metric, lacking)
            return Seen(value=value, at=time, instances=_counted(server, metric, now)), lacking

        told, problems = in_turn(fleets, reach=JsonServer, ask=ask)
        partly = {name: lacking for name, (_, lacking) in told.items() if lacking}
        return Latest(seen={name: seen for name, (seen, _) in told.items()}, problems={**partly, **problems})


def _counted(server: JsonServer, metric: PrometheusMetric, now: datetime) -> int | None:
    """Count the instances the load was seen on, where there is a query of them."""
    if metric.instances is None:
        return None
    counting = replace(metric, query=metric.instances)
    found, _ = _series(server, _INSTANT, {"query": counting.query, "time": now.timestamp()}, counting)
    return int(found[0][1]) if found else 0


def _history(server: JsonServer, metric: PrometheusMetric, since: datetime, until: datetime) -> Points:
    """Ask for the value at the end of each closed period, in as many answers as it takes.

    The first of them may be empty: Prometheus keeps two weeks unless told otherwise, and a history may be longer.
    """
    pairs: list[tuple[datetime, float]] = []
    for first, last in _windows(floor(since, metric.period), floor(until, metric.period), metric.period):
        window = {"start": first.timestamp(), "end": last.timestamp(), "step": metric.period.total_seconds()}
        found, lacking = _series(server, _RANGE, {"query": metric.query, **window}, metric)
        if lacking:
            raise SourceUnavailable(lacking)
        pairs += [(time - metric.period, value) for time, value in found]
    return Points.of(pairs or _refuse_nothing(metric))


def _windows(start: datetime, end: datetime, period: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """Give the first and last instants of each answer; the first period ends one period after `start`."""
    first = start + period
    while first <= end:
        last = min(end, first + (POINTS_PER_ANSWER - 1) * period)
        yield first, last
        first = last + period


def _series(
    server: JsonServer, path: str, asked: dict[str, Any], metric: PrometheusMetric
) -> tuple[list[tuple[datetime, float]], str]:
    """Give the one series of an answer, empty where there is none, and what it lacks; several are for a person."""
    status, answer = server.get(path, asked)
    if answer.get("status") != "success":
        msg = f"Prometheus refused the query {metric.query}: {answer.get('error', f'it answered {status}: {answer}')}"
        raise SourceUnavailable(msg)
    found = answer["data"]["result"]
    if answer["data"]["resultType"] == "scalar":
        found = [{"value": found}]
    lacking = _lacking(answer, metric)
    if not found:
        return [], lacking
    if len(found) > 1:
        names = ", ".join(str(series["metric"]) for series in found[:2])
        msg = f"the query {metric.query} gave {len(found)} series ({names}, …): put them together, as with sum(…)"
        raise SourceUnavailable(msg)
    pairs = found[0].get("values") or [found[0]["value"]]
    return [(datetime.fromtimestamp(float(time), UTC), float(value)) for time, value in pairs], lacking


def _lacking(answer: Mapping[str, Any], metric: PrometheusMetric) -> str:
    """Say which store behind the server has not answered; what is odd in the query itself is warned of as PromQL."""
    silent = [each for each in answer.get("warnings") or () if not each.startswith("PromQL")]
    return f"the query {metric.query} was answered in part: {silent[0]}: check the stores behind it" if silent else ""


def _refuse_nothing(metric: PrometheusMetric, lacking: str = "") -> NoReturn:
    msg = lacking or f"the query {metric.query} gave no series: {metric.mend}"
    raise SourceUnavailable(msg)
