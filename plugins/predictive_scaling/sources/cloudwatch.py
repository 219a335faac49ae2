"""CloudWatch as a source: many fleets' histories in few GetMetricData calls.

Limits kept: 500 queries a call, and calls cut so that an answer fits a page of 100,800 points. A value of a period
that has not closed is never asked for, because it would still change; nor is one older than CloudWatch keeps.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from predictive_scaling.aws_client import client, reading
from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.metric import IN_SERVICE, OF_GROUPS, ArrivalsMetric, Metric, MetricMath, QueueMetric
from predictive_scaling.sources import Latest, Reading, Request, SourceUnavailable
from predictive_scaling.sources.periods import floor, newest_of
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.metric import Measure

QUERIES_PER_CALL: Final = 500
POINTS_PER_PAGE: Final = 100_800
LATE: Final = timedelta(seconds=60)
"""CloudWatch is still adding to a period this long after it closed."""
KEPT: Final = ((timedelta(minutes=5), timedelta(days=15)), (timedelta(hours=1), timedelta(days=63)))
"""Values of a period shorter than this are kept so long. Asked from before that, CloudWatch may give none at all."""
LONGEST_KEPT: Final = timedelta(days=455)
UNDERWAY: Final = timedelta(hours=1)
"""A start is judged when CloudWatch reads it: by then the oldest value may be gone."""
_COMPLETE: Final = "Complete"
_MISUNDERSTOOD: Final = frozenset({"ValidationError", "InvalidParameterValue", "InvalidParameterCombination"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One GetMetricData call: fleets of one account whose histories start together."""

    requests: tuple[Request, ...]
    start: datetime
    end: datetime


class CloudWatchSource:
    """Keeps the contract of `Source` through GetMetricData."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Read account by account, so that an account out of reach costs only its own fleets."""
        points: dict[str, Points] = {}
        problems: dict[str, str] = {}
        for (connection, region), fleets in _by_account(requests).items():
            try:
                cloudwatch = client("cloudwatch", connection=connection, region=region)
                for call in calls(fleets, until=until):
                    answer = _answers(cloudwatch, call)
                    points |= answer.points
                    problems |= answer.problems
            except CloudUnavailable as error:
                problems |= {request.fleet.name: str(error) for request in fleets if request.fleet.name not in points}
        return Reading(points=points, problems=problems)

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Give the value of the newest closed period: CloudWatch knows of nothing newer."""
        return newest_of(self, fleets, now=now)


def calls(requests: Sequence[Request], *, until: datetime) -> Iterator[Call]:
    """Cut the requests into calls; pure."""
    same_window = sorted(requests, key=lambda request: (request.fleet.metric.period, request.since))
    for (period, since), together in groupby(
        same_window, key=lambda request: (request.fleet.metric.period, request.since)
    ):
        start, end = floor(max(since, until - kept(period)), period), floor(until - LATE, period)
        if start >= end:
            continue
        for fleets in _fitting(together, periods=(end - start) // period):
            yield Call(requests=fleets, start=start, end=end)


def kept(period: timedelta) -> timedelta:
    """Tell how far back values of a period can be asked for."""
    return next((time for limit, time in KEPT if period < limit), LONGEST_KEPT) - UNDERWAY


def _fitting(requests: Iterator[Request], *, periods: int) -> Iterator[tuple[Request, ...]]:
    """Cut requests of one window into parts whose queries fit a call and whose points fit a page."""
    part: list[Request] = []
    asked = 0
    for request in requests:
        more = len(queries(request.fleet.metric, request.fleet.group, 0))
        if part and (asked + more > QUERIES_PER_CALL or (len(part) + 1) * periods > POINTS_PER_PAGE):
            yield tuple(part)
            part, asked = [], 0
        part.append(request)
        asked += more
    if part:
        yield tuple(part)


def queries(metric: Measure, group: str, number: int) -> list[dict[str, Any]]:
    """Give the queries for one fleet's total load; the one that returns data is `load<number>`."""
    match metric:
        case Metric(per_instance=True):
            return _expression("mean * count", {"mean": metric, "count": _in_service(metric, group)}, number)
        case Metric():
            return [_stat(f"load{number}", metric)]
        case MetricMath():
            return _expression(metric.expression, metric.metrics, number)
        case QueueMetric():
            parts = _queue_parts(metric)
            return _expression(" + ".join(parts), parts, number)
        case ArrivalsMetric():
            return [_stat(f"load{number}", _of_queue(metric, "NumberOfMessagesSent", "Sum"))]
    msg = f"CloudWatch cannot measure {metric.described}"
    raise SourceUnavailable(msg)


def _expression(text: str, parts: Mapping[str, Metric], number: int) -> list[dict[str, Any]]:
    """Ask for an expression; the names in it are numbered, because those of one call must differ."""
    numbered = re.sub(rf"\b({'|'.join(map(re.escape, parts))})\b", rf"\g<1>_{number}", text)
    asked = [{**_stat(f"{name}_{number}", metric), "ReturnData": False} for name, metric in parts.items()]
    return [*asked, {"Id": f"load{number}", "Expression": numbered, "ReturnData": True}]


def _in_service(metric: Metric, group: str) -> Metric:
    """What a value per instance is multiplied by."""
    return replace(
        metric,
        namespace=OF_GROUPS,
        name=IN_SERVICE,
        dimensions={"AutoScalingGroupName": group},
        statistic="Average",
    )


def _queue_parts(metric: QueueMetric) -> dict[str, Metric]:
    """A queue's messages by where they are."""
    names = {"waiting": "ApproximateNumberOfMessagesVisible", "working": "ApproximateNumberOfMessagesNotVisible"}
    return {
        part: _of_queue(metric, name, "Average")
        for part, name in names.items()
        if metric.in_flight or part == "waiting"
    }


def _of_queue(metric: QueueMetric | ArrivalsMetric, name: str, statistic: str) -> Metric:
    return Metric(
        namespace="AWS/SQS",
        name=name,
        dimensions={"QueueName": metric.queue},
        statistic=statistic,
        period=metric.period,
    )


def _stat(identity: str, metric: Metric) -> dict[str, Any]:
    measured = {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(metric.dimensions.items())],
    }
    stat = {"Metric": measured, "Period": int(metric.period.total_seconds()), "Stat": metric.statistic}
    return {"Id": identity, "MetricStat": stat, "ReturnData": True}


def _answers(cloudwatch: Any, call: Call) -> Reading:
    """Make one call; one that holds a query CloudWatch does not understand is halved until only that query is left."""
    try:
        return _answer(cloudwatch, call)
    except CloudUnavailable as error:
        if not _is_misunderstood(error):
            raise
        if len(call.requests) == 1:
            return Reading(problems={call.requests[0].fleet.name: str(error)})
    middle = len(call.requests) // 2
    halves = (call.requests[:middle], call.requests[middle:])
    first, second = (_answers(cloudwatch, replace(call, requests=half)) for half in halves)
    return Reading(points={**first.points, **second.points}, problems={**first.problems, **second.problems})


def _is_misunderstood(error: CloudUnavailable) -> bool:
    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _MISUNDERSTOOD


def _answer(cloudwatch: Any, call: Call) -> Reading:
    """Make one call and follow its pages; a fleet without data has no points, one read in part has a problem."""
    asked = [
        query
        for number, request in enumerate(call.requests)
        for query in queries(request.fleet.metric, request.fleet.group, number)
    ]
    found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    states: dict[str, str] = {}  # what is partial on one page may be complete with the next
    with reading(f"reading {len(call.requests)} metrics"):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=call.start, EndTime=call.end, ScanBy="TimestampAscending"
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                found[result["Id"]] += zip(result["Timestamps"], result["Values"], strict=True)
                states[result["Id"]] = result.get("StatusCode", _COMPLETE)
    loads = {f"load{number}": request.fleet for number, request in enumerate(call.requests)}
    partial = {each: states[each] for each in loads if states.get(each, _COMPLETE) != _COMPLETE}
    return Reading(
        points={fleet.name: _scaled(found[each], fleet.metric) for each, fleet in loads.items() if each not in partial},
        problems={
            loads[each].name: f"{loads[each].metric.described}: CloudWatch answered {state}: not all of it is known"
            for each, state in partial.items()
        },
    )


def _scaled(pairs: list[tuple[datetime, float]], metric: Measure) -> Points:
    raw = Points.of(pairs)
    return Points(raw.times, raw.values * metric.scale)


def _by_account(requests: Sequence[Request]) -> dict[tuple[str, str | None], list[Request]]:
    accounts: dict[tuple[str, str | None], list[Request]] = defaultdict(list)
    for request in requests:
        accounts[request.fleet.connection, request.fleet.region].append(request)
    return accounts
