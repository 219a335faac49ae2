"""GetMetricData: up to 500 queries, of metrics or of expressions, answered in pages of 100,800 points."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from sandbox.cloudwatch import speaks_json
from sandbox.errors import InvalidParameterValue, ValidationError
from sandbox.expressions import Expression
from sandbox.metrics import Metric, MetricStore, Points, store_of
from sandbox.patches import replaces
from sandbox.time_range import Range, check_period

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
PAGES_KEPT = 200
_QUERY_ID = re.compile(r"[a-z][A-Za-z0-9_]*")


class QueryRun:
    """The queries of one GetMetricData call, evaluated once each, in whatever order they need each other."""

    def __init__(self, queries: list[dict[str, Any]], span: Range, store: MetricStore) -> None:
        self._queries = {query["Id"]: query for query in queries}
        self._span = span
        self._store = store
        self._done: dict[str, Points] = {}
        self._open: set[str] = set()
        periods = [int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query]
        self._metrics = [query["Id"] for query in queries if "MetricStat" in query]
        self._period = min(periods, default=300)

    def points(self, name: str) -> Points:
        """Return the result of one query."""
        if name not in self._done:
            if name not in self._queries or name in self._open:
                why = "refers to itself" if name in self._open else "does not exist"
                message = f"The expression names the query id '{name}', which {why}."
                raise ValidationError(message)
            self._open.add(name)
            query = self._queries[name]
            self._done[name] = self._metric(query) if "MetricStat" in query else self._expression(query)
            self._open.discard(name)
        return self._done[name]

    def _metric(self, query: Mapping[str, Any]) -> Points:
        wanted = query["MetricStat"]
        period = int(wanted["Period"])
        check_period(period)
        metric = wanted["Metric"]
        series = self._store.find(Metric.of(metric["Namespace"], metric["MetricName"], metric.get("Dimensions")))
        span = self._span.kept(period)
        if series is None or span.start >= span.end or wanted.get("Unit", series.unit) != series.unit:
            return Points.none()
        return series.aggregate(span.start, span.end, period, wanted["Stat"])

    def _expression(self, query: Mapping[str, Any]) -> Points:
        period = int(query.get("Period") or self._period)
        first = self._span.start - self._span.start % period
        grid = np.arange(first, self._span.end, period, dtype=float)
        text = query["Expression"]
        return Expression(text, lookup=self.points, metrics=self._metrics, grid=grid, period=period).points()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The points that one query returns, in the order asked for, not yet cut into pages."""

    name: str
    label: str
    points: Points


Pages = OrderedDict[str, tuple[list[Result], int]]
"""By token: the results of a call, and where the next page begins. A token can be used again, as on AWS."""


@replaces(CloudWatchResponse)
def get_metric_data(self: CloudWatchResponse) -> ActionResult | str:
    """Answer queries in pages of at most 100,800 datapoints."""
    request = self._get_params()
    limit = min(int(request.get("MaxDatapoints") or MAX_DATAPOINTS), MAX_DATAPOINTS)
    token = request.get("NextToken")
    pages = _pages(self)
    if token:
        if token not in pages:
            message = f"The NextToken '{token}' is invalid."
            raise InvalidParameterValue(message)
        results, position = pages[token]
    else:
        results, position = _run_queries(self, request), 0
    shown, following = _cut(results, position, limit)
    answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": []}
    if following is not None:
        answer["NextToken"] = str(uuid4())
        pages[answer["NextToken"]] = (results, following)
        while len(pages) > PAGES_KEPT:
            pages.popitem(last=False)
    return json.dumps(answer) if speaks_json(self) else ActionResult(_with_instants(answer))


def _with_instants(answer: dict[str, Any]) -> dict[str, Any]:
    """Turn the times of an answer into what moto's serialisers of the other protocols expect."""
    for result in answer["MetricDataResults"]:
        result["Timestamps"] = [datetime.fromtimestamp(time, UTC) for time in result["Timestamps"]]
    return answer


def _pages(self: CloudWatchResponse) -> OrderedDict[str, tuple[list[Result], int]]:
    pages: OrderedDict[str, tuple[list[Result], int]] = vars(self.cloudwatch_backend).setdefault(
        "_pages", OrderedDict()
    )
    return pages


def _run_queries(self: CloudWatchResponse, request: Mapping[str, Any]) -> list[Result]:
    queries = request.get("MetricDataQueries", [])
    span = Range.of(request["StartTime"], request["EndTime"], ValidationError)
    _check_queries(queries)
    run = QueryRun(queries, span, store_of(self.cloudwatch_backend))
    descending = (request.get("ScanBy") or "TimestampDescending") == "TimestampDescending"
    results = []
    for query in queries:
        points = run.points(query["Id"])
        if query.get("ReturnData", True):
            ordered = Points(points.times[::-1], points.values[::-1]) if descending else points
            results.append(Result(name=query["Id"], label=_label(query), points=ordered))
    return results


def _check_queries(queries: list[dict[str, Any]]) -> None:
    if len(queries) > MAX_QUERIES:
        message = f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        raise ValidationError(message)
    seen = set()
    for number, query in enumerate(queries, start=1):
        if ("MetricStat" in query) == ("Expression" in query):
            which = f"The parameter MetricDataQueries.member.{number}"
            message = f"{which} needs either MetricStat or Expression, not both."
            raise ValidationError(message)
        if not _QUERY_ID.fullmatch(query["Id"]):
            message = f"The value {query['Id']} for parameter MetricDataQueries.member.{number}.Id is not matching "
            raise ValidationError(message + "the expected pattern ^[a-z][a-zA-Z0-9_]*$.")
        if query["Id"] in seen:
            message = f"The values for parameter id in MetricDataQueries are not unique: {query['Id']}."
            raise ValidationError(message)
        seen.add(query["Id"])


def _label(query: Mapping[str, Any]) -> str:
    name = query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
    return str(query.get("Label") or name)


def _cut(results: list[Result], position: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return the page that begins at a position in all results laid end to end, and where the next one begins."""
    shown: list[dict[str, Any]] = []
    offset = 0
    end = position + limit
    for result in results:
        size = len(result.points.times)
        first, last = max(position - offset, 0), min(end - offset, size)
        finished_before = position > 0 and offset + size <= position
        offset += size
        if finished_before:
            continue
        first, last = min(first, size), max(last, 0)
        shown.append(_shown(result, first, last, complete=last == size))
    return shown, (end if end < offset else None)


def _shown(result: Result, first: int, last: int, *, complete: bool) -> dict[str, Any]:
    times, values = result.points.times[first:last].tolist(), result.points.values[first:last].tolist()
    return {
        "Id": result.name,
        "Label": result.label,
        "Timestamps": times,
        "Values": values,
        "StatusCode": "Complete" if complete else "PartialData",
    }
