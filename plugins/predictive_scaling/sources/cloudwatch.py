"""CloudWatch as a source: many fleets' histories in few GetMetricData calls.

Limits kept: 500 queries a call, and calls cut so that an answer fits a page of 100,800 points. A value of a period
that has not closed is never asked for, because it would still change.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.aws_client import client, reading
from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.sources import Reading, Request
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from predictive_scaling.metric import Metric

QUERIES_PER_CALL: Final = 500
POINTS_PER_PAGE: Final = 100_800
QUERIES_PER_FLEET: Final = 3
"""A per-instance metric takes three: the mean, the instances in service, and their product."""
LATE: Final = timedelta(seconds=60)
"""CloudWatch is still adding to a period this long after it closed."""


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
                    points |= _answer(cloudwatch, call)
            except CloudUnavailable as error:
                problems |= {request.fleet.name: str(error) for request in fleets if request.fleet.name not in points}
        return Reading(points=points, problems=problems)


def calls(requests: Sequence[Request], *, until: datetime) -> Iterator[Call]:
    """Cut the requests into calls; pure."""
    same_window = sorted(requests, key=lambda request: (request.fleet.metric.period, request.since))
    for (period, since), together in groupby(
        same_window, key=lambda request: (request.fleet.metric.period, request.since)
    ):
        start, end = _floor(since, period), _floor(until - LATE, period)
        if start >= end:
            continue
        fitting = max(1, min(QUERIES_PER_CALL // QUERIES_PER_FLEET, POINTS_PER_PAGE // ((end - start) // period)))
        fleets = list(together)
        for at in range(0, len(fleets), fitting):
            yield Call(requests=tuple(fleets[at : at + fitting]), start=start, end=end)


def queries(metric: Metric, group: str, number: int) -> list[dict[str, Any]]:
    """Give the queries for one fleet's total load; the one that returns data is `load<number>`."""
    if not metric.per_instance:
        return [_stat(f"load{number}", metric)]
    in_service = replace(
        metric,
        namespace="AWS/AutoScaling",
        name="GroupInServiceInstances",
        dimensions={"AutoScalingGroupName": group},
        statistic="Average",
    )
    mean, count = _stat(f"mean{number}", metric), _stat(f"count{number}", in_service)
    product = {"Id": f"load{number}", "Expression": f"mean{number} * count{number}", "ReturnData": True}
    return [{**mean, "ReturnData": False}, {**count, "ReturnData": False}, product]


def _stat(identity: str, metric: Metric) -> dict[str, Any]:
    measured = {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(metric.dimensions.items())],
    }
    stat = {"Metric": measured, "Period": int(metric.period.total_seconds()), "Stat": metric.statistic}
    return {"Id": identity, "MetricStat": stat, "ReturnData": True}


def _answer(cloudwatch: Any, call: Call) -> dict[str, Points]:
    """Make one call, follow its pages, and give each fleet's points; a fleet without data has none."""
    asked = [
        query
        for number, request in enumerate(call.requests)
        for query in queries(request.fleet.metric, request.fleet.group, number)
    ]
    found: dict[str, list[tuple[datetime, float]]] = defaultdict(list)
    with reading(f"reading {len(call.requests)} metrics"):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked, StartTime=call.start, EndTime=call.end, ScanBy="TimestampAscending"
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                found[result["Id"]] += zip(result["Timestamps"], result["Values"], strict=True)
    return {
        request.fleet.name: _scaled(found[f"load{number}"], request.fleet.metric)
        for number, request in enumerate(call.requests)
    }


def _scaled(pairs: list[tuple[datetime, float]], metric: Metric) -> Points:
    raw = Points.of(pairs)
    return Points(raw.times, raw.values * metric.scale)


def _by_account(requests: Sequence[Request]) -> dict[tuple[str, str | None], list[Request]]:
    accounts: dict[tuple[str, str | None], list[Request]] = defaultdict(list)
    for request in requests:
        accounts[request.fleet.connection, request.fleet.region].append(request)
    return accounts


def _floor(instant: datetime, period: timedelta) -> datetime:
    seconds = int(period.total_seconds())
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)
