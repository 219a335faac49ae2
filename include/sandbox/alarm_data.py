"""What an alarm looks at: the values of its metric, or of its expression, in the last complete periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.metric_queries import QueryRun
from sandbox.metrics import Metric, Points, store_of
from sandbox.time_range import Range
from sandbox.world import WORLD

if TYPE_CHECKING:
    from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDataQuery

EXTRA_PERIODS = 2
"""AWS looks back a little further than the evaluation periods, to bridge missing data."""


def period_of(alarm: Alarm) -> int:
    """Return the seconds of one period."""
    periods = [query.metric_stat.period for query in alarm.metric_data_queries if query.metric_stat]
    return int(alarm.period or min((int(period) for period in periods), default=60))


def window(alarm: Alarm, points: Points) -> list[float | None]:
    """Lay values out over the evaluation range, with None where there are none."""
    period = period_of(alarm)
    count = int(alarm.evaluation_periods or 1) + EXTRA_PERIODS
    end = WORLD.now().timestamp() // period * period
    known = dict(zip(points.times.tolist(), points.values.tolist(), strict=True))
    return [known.get(end - place * period) for place in range(count, 0, -1)]


def recent(backend: CloudWatchBackend, alarm: Alarm) -> Points:
    """Return the values of the evaluation range, oldest first; a period without data is absent."""
    period = period_of(alarm)
    end = WORLD.now().timestamp() // period * period
    start = end - (int(alarm.evaluation_periods or 1) + EXTRA_PERIODS) * period
    if alarm.metric_data_queries:
        return _of_expression(backend, alarm, Range(start, end))
    named = [{"Name": str(each.name), "Value": str(each.value)} for each in alarm.dimensions]
    series = store_of(backend).find(Metric.of(alarm.namespace, alarm.metric_name, named))
    if series is None:
        return Points.none()
    return series.aggregate(start, end, period, alarm.statistic or alarm.extended_statistic or "Average")


def _of_expression(backend: CloudWatchBackend, alarm: Alarm, span: Range) -> Points:
    queries = [_query(query) for query in alarm.metric_data_queries]
    wanted = alarm.threshold_metric_id or next(query["Id"] for query in queries if query["ReturnData"])
    return QueryRun(queries, span, store_of(backend)).points(wanted)


def _query(query: MetricDataQuery) -> dict[str, Any]:
    """Return a query as GetMetricData takes it."""
    returned = query.return_data not in (False, "false", "False")
    shown: dict[str, Any] = {"Id": query.id, "ReturnData": returned, "Period": query.period}
    if query.metric_stat is None:
        return {**shown, "Expression": query.expression}
    metric = query.metric_stat.metric
    named = [{"Name": each.name, "Value": each.value} for each in metric.dimensions]
    source = {"Namespace": metric.namespace, "MetricName": metric.metric_name, "Dimensions": named}
    stat = {"Metric": source, "Period": query.metric_stat.period, "Stat": query.metric_stat.stat}
    return {**shown, "MetricStat": stat}
