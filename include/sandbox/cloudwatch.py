"""CloudWatch, one metric at a time: writing data, summing them up, listing what there is."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import moto.cloudwatch.models
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from sandbox.errors import InvalidParameterCombination, InvalidParameterValue
from sandbox.metrics import Metric, Series, epoch, store_of
from sandbox.patches import replaces
from sandbox.time_range import DAY, Range, check_period
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moto.core.request import Request

replaces(moto.cloudwatch.models, "utcnow")(WORLD.clock.now)

MAX_STATISTICS = 1_440
MAX_DATA = 1_000
MAX_DIMENSIONS = 30
LIST_PAGE = 500
SECONDS_AHEAD = 2 * 3600
LISTED_DAYS = 14
RECENT_SECONDS = 3 * 3600


def speaks_json(self: CloudWatchResponse) -> bool:
    """Tell whether the client uses AWS JSON (boto3 does) and not CBOR or the query protocol."""
    return "json" in str(self.headers.get("Content-Type", ""))


_moto_parse = CloudWatchResponse.parse_parameters


@replaces(CloudWatchResponse)
def parse_parameters(self: CloudWatchResponse, request: Request) -> None:
    """Read PutMetricData as the plain JSON that it is: moto's reader walks the API model for each of its values."""
    plain = b'"NaN"' not in request.data  # AWS JSON writes what is no number as a text
    if self._get_action() == "PutMetricData" and speaks_json(self) and plain:
        self.params = json.loads(request.data)
    else:
        _moto_parse(self, request)


@replaces(CloudWatchResponse)
def put_metric_data(self: CloudWatchResponse) -> ActionResult:
    """Store data; a call is refused as a whole if one datum is refused."""
    namespace, data = self._get_param("Namespace"), self._get_param("MetricData", [])
    if len(data) > MAX_DATA:
        message = f"The collection MetricData must not have a size greater than {MAX_DATA}."
        raise InvalidParameterValue(message)
    backend, now = self.cloudwatch_backend, WORLD.now().timestamp()
    for number, datum in enumerate(data, start=1):
        backend._validate_parameters_put_metric_data(datum, number)  # noqa: SLF001 - moto's own checks
        _check_datum(datum, number, now)
    store = store_of(backend)
    for datum in data:
        metric = Metric.of(namespace, datum["MetricName"], datum.get("Dimensions"))
        _write(store.open(metric, datum.get("Unit") or "None"), datum, now)
    return EmptyResult()


def _check_datum(datum: Mapping[str, Any], number: int, now: float) -> None:
    if len(datum.get("Dimensions") or ()) > MAX_DIMENSIONS:
        collection = f"The collection MetricData.member.{number}.Dimensions"
        message = f"{collection} must not have a size greater than {MAX_DIMENSIONS}."
        raise InvalidParameterValue(message)
    time = epoch(datum["Timestamp"]) if datum.get("Timestamp") else now
    where = f"The parameter MetricData.member.{number}.Timestamp must specify a time"
    if time < now - WORLD.settings.metric_past_days * DAY:
        message = f"{where} no more than {WORLD.settings.metric_past_days:g} days in the past."
        raise InvalidParameterValue(message)
    if time > now + SECONDS_AHEAD:
        message = f"{where} no more than two hours in the future."
        raise InvalidParameterValue(message)


def _write(series: Series, datum: Mapping[str, Any], now: float) -> None:
    time = epoch(datum["Timestamp"]) if datum.get("Timestamp") else now
    if datum.get("Values"):
        values = [float(value) for value in datum["Values"]]
        for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
            series.add_set(time, value * float(count), float(count), value, value)
    elif statistics := datum.get("StatisticValues"):
        figures = (float(statistics[name]) for name in ("Sum", "SampleCount", "Maximum", "Minimum"))
        series.add_set(time, *figures)
    else:
        series.add(time, float(datum.get("Value") or 0.0))


@replaces(CloudWatchResponse)
def get_metric_statistics(self: CloudWatchResponse) -> ActionResult:
    """Answer for one metric with up to 1,440 datapoints."""
    statistics = self._get_param("Statistics", [])
    percentiles = self._get_param("ExtendedStatistics", [])
    if not statistics and not percentiles:
        message = "Must specify either Statistics or ExtendedStatistics"
        raise InvalidParameterCombination(message)
    span = Range.of(self._get_param("StartTime"), self._get_param("EndTime"), InvalidParameterValue)
    period = self._get_int_param("Period")
    check_period(period)
    count = math.ceil((span.end - span.start) / period)
    if count > MAX_STATISTICS:
        message = (
            f"You have requested up to {count:,} datapoints, which exceeds the limit of {MAX_STATISTICS:,}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
        raise InvalidParameterCombination(message)
    metric = Metric.of(self._get_param("Namespace"), self._get_param("MetricName"), self._get_param("Dimensions", []))
    series = store_of(self.cloudwatch_backend).find(metric)
    unit = self._get_param("Unit")
    points: list[dict[str, Any]] = []
    seen = span.kept(period)
    if series is not None and unit in (None, series.unit) and seen.start < seen.end:
        points = _datapoints(series, seen, period, statistics, percentiles)
    return ActionResult({"Label": metric.name, "Datapoints": points})


def _datapoints(
    series: Series, span: Range, period: int, statistics: list[str], percentiles: list[str]
) -> list[dict[str, Any]]:
    columns = {name: series.aggregate(span.start, span.end, period, name) for name in [*statistics, *percentiles]}
    times = next(iter(columns.values())).times.tolist()
    points = []
    for row, time in enumerate(times):
        point: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(time, UTC), "Unit": series.unit}
        point.update({name: float(columns[name].values[row]) for name in statistics})
        if percentiles:
            point["ExtendedStatistics"] = {name: float(columns[name].values[row]) for name in percentiles}
        points.append(point)
    return points


@replaces(CloudWatchResponse)
def list_metrics(self: CloudWatchResponse) -> ActionResult:
    """List the metrics with data in the last two weeks, 500 a page."""
    token = self._get_param("NextToken")
    start = int(token) if token and token.isdigit() else 0
    if token and not token.isdigit():
        message = "Request parameter NextToken is invalid"
        raise InvalidParameterValue(message)
    oldest = WORLD.now().timestamp() - (RECENT_SECONDS if self._get_param("RecentlyActive") else LISTED_DAYS * DAY)
    wanted = {
        "namespace": self._get_param("Namespace"),
        "name": self._get_param("MetricName"),
        "dimensions": self._get_param("Dimensions", []),
    }
    found = [
        metric
        for metric, series in store_of(self.cloudwatch_backend).series.items()
        if _listed(metric, **wanted) and series.last_time >= oldest
    ]
    following = start + LIST_PAGE
    shown = [
        {
            "Namespace": metric.namespace,
            "MetricName": metric.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
        }
        for metric in found[start:following]
    ]
    return ActionResult({"Metrics": shown, "NextToken": str(following) if following < len(found) else None})


def _listed(metric: Metric, namespace: str | None, name: str | None, dimensions: list[dict[str, str]]) -> bool:
    if (namespace and namespace != metric.namespace) or (name and name != metric.name):
        return False
    has = dict(metric.dimensions)
    return all(d["Name"] in has and d.get("Value") in (None, "", has[d["Name"]]) for d in dimensions)
