"""CloudWatch dashboards drawn from the fleet files: demand, forecast, capacity and cost of every fleet.

Forecast and plan are no metrics of CloudWatch: they stand as a line of text and as marks in the graphs, as of the
fleet's last turn, and cost nothing. What is there already is compared first, so a second run writes nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.aws_client import reading, writing
from predictive_scaling.burst import baseline_cpu
from predictive_scaling.errors import WriteRefused
from predictive_scaling.metric import IN_SERVICE, OF_GROUPS, SIZES
from predictive_scaling.sources import SourceUnavailable
from predictive_scaling.sources.cloudwatch import queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from forecasting import Plan
    from predictive_scaling.burst import Burst
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.status import Status

FLEETS_A_DASHBOARD: Final = 70
"""Four widgets a fleet, and three more for its burst; CloudWatch takes 500 on a dashboard."""
MARKS: Final = 5
"""So many coming steps of a plan are marked."""
_THIRD, _HEIGHT, _HEAD = 8, 6, 2
_MINUTES: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A fleet with what is known of it."""

    spec: FleetSpec
    region: str
    status: Status | None = None
    plan: Plan | None = None
    price: float | None = None  # of a unit for an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardChange:
    """What is to be done about one dashboard."""

    name: str
    verb: str  # create, update, keep or delete
    body: str = ""

    def __str__(self) -> str:
        return f"{self.verb} dashboard {self.name}"


def bodies(name: str, fleets: Sequence[Shown], *, now: datetime) -> dict[str, str]:
    """Draw as few dashboards as hold the fleets, by name; the first has the bare name."""
    parts = [fleets[at : at + FLEETS_A_DASHBOARD] for at in range(0, len(fleets), FLEETS_A_DASHBOARD)]
    names = [name, *(f"{name}-{number}" for number in range(2, len(parts) + 1))]
    return {each: json.dumps({"widgets": _widgets(part, now)}) for each, part in zip(names, parts, strict=False)}


def changes(cloudwatch: Any, name: str, wanted: Mapping[str, str]) -> list[DashboardChange]:
    """Compare what is wanted with what is there; ours are the name itself and the name with a number."""
    with reading(f"reading dashboards {name}"):
        pages = cloudwatch.get_paginator("list_dashboards").paginate(DashboardNamePrefix=name)
        there = [row["DashboardName"] for page in pages for row in page["DashboardEntries"]]
        ours = [each for each in there if re.fullmatch(rf"{re.escape(name)}(-\d+)?", each)]
        known = {each: cloudwatch.get_dashboard(DashboardName=each)["DashboardBody"] for each in ours}
    drawn = [DashboardChange(name=each, verb=_verb(known.get(each), body), body=body) for each, body in wanted.items()]
    return [*drawn, *(DashboardChange(name=each, verb="delete") for each in sorted(known.keys() - wanted.keys()))]


def apply_changes(cloudwatch: Any, planned: Sequence[DashboardChange]) -> None:
    """Make the changes; CloudWatch's objections to a body count as a refusal."""
    for change in planned:
        if change.verb == "delete":
            with writing(str(change)):
                cloudwatch.delete_dashboards(DashboardNames=[change.name])
        elif change.verb != "keep":
            with writing(str(change)):
                answer = cloudwatch.put_dashboard(DashboardName=change.name, DashboardBody=change.body)
            if objections := answer.get("DashboardValidationMessages"):
                msg = f"{change}: CloudWatch took it with objections: {objections}"
                raise WriteRefused(msg)


def _verb(known: str | None, body: str) -> str:
    if known is None:
        return "create"
    return "keep" if json.loads(known) == json.loads(body) else "update"


def _widgets(part: Sequence[Shown], now: datetime) -> list[dict[str, Any]]:
    heights = (_HEAD + (2 if shown.spec.burst else 1) * _HEIGHT for shown in part)
    tops = accumulate(heights, initial=0)
    return [widget for shown, top in zip(part, tops, strict=False) for widget in _row(shown, top, now)]


def _row(shown: Shown, top: int, now: datetime) -> Iterator[dict[str, Any]]:
    yield _widget("text", 0, top, 3 * _THIRD, {"markdown": _words(shown, now)})
    for column, properties in enumerate((_demand(shown, now), _capacity(shown, now), _cost(shown))):
        kind = "text" if "markdown" in properties else "metric"
        yield _widget(kind, column * _THIRD, top + _HEAD, _THIRD, properties)
    for column, properties in enumerate(_split(shown, shown.spec.burst) if shown.spec.burst else ()):
        yield _widget("metric", column * _THIRD, top + _HEAD + _HEIGHT, _THIRD, properties)


def _widget(kind: str, x: int, y: int, width: int, properties: dict[str, Any]) -> dict[str, Any]:
    height = _HEAD if width > _THIRD else _HEIGHT
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


def _words(shown: Shown, now: datetime) -> str:
    """Forecast and plan in a line, as of the last turn."""
    spec, status = shown.spec, shown.status
    if status is None:
        return f"## {spec.name}\ngroup {spec.group}, mode {spec.mode}; it has had no turn yet"
    told = [f"group {spec.group}, mode {spec.mode}"]
    if status.peak_at and status.peak_demand is not None:
        quantile = f"p{status.quantile * 100:g} " if status.quantile else ""
        told.append(f"forecast peak {quantile}{status.peak_demand:,.0f} {status.unit} at {status.peak_at:%a %H:%M} UTC")
    coming = [f"{step.capacity} from {step.at:%a %H:%M}" for step in _coming(shown, now)]
    told.append(f"plan {', '.join([str(status.planned), *coming])} UTC" if coming else f"plan {status.planned}")
    return f"## {spec.name}\n{'; '.join(told)}{f'; **{status.problem}**' if status.problem else ''}"


def _demand(shown: Shown, now: datetime) -> dict[str, Any]:
    metric = shown.spec.metric
    try:
        series = [_series(query, metric.name) for query in queries(metric, shown.spec.group, 0)]
    except SourceUnavailable:
        return {"markdown": f"Demand is {metric.unit}, which is not measured in CloudWatch."}
    seconds = int(metric.period.total_seconds())
    return _graph(shown, f"{shown.spec.name}: demand and forecast", series, period=seconds) | _marks(
        shown, now, _levels(shown, metric.scale)
    )


def _series(query: Mapping[str, Any], label: str) -> list[Any]:
    """Write a query of GetMetricData as dashboards write it; what only helps another one along is not drawn."""
    drawn = {"id": query["Id"]} | ({} if query["ReturnData"] else {"visible": False})
    if "Expression" in query:
        return [{"expression": query["Expression"], "label": label, **drawn}]
    stat = query["MetricStat"]
    dimensions = [part for each in stat["Metric"]["Dimensions"] for part in (each["Name"], each["Value"])]
    return [stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], *dimensions, {"stat": stat["Stat"], **drawn}]


def _levels(shown: Shown, scale: float) -> list[dict[str, Any]]:
    """The forecast's values in the graph's own unit: counts are kept per minute and drawn per period."""
    status = shown.status
    if status is None:
        return []
    found = {"expected now": status.demand, "forecast peak": status.peak_demand}
    return [{"label": label, "value": round(value / scale, 3)} for label, value in found.items() if value is not None]


def _capacity(shown: Shown, now: datetime) -> dict[str, Any]:
    series: list[list[Any]] = [[*_group_metric(shown, name)] for name in SIZES]
    return _graph(shown, f"{shown.spec.name}: capacity and plan", series) | _marks(shown, now, [])


def _cost(shown: Shown) -> dict[str, Any]:
    if shown.price is None:
        return {"markdown": f"The price of {shown.spec.name} is not known: write `price_per_hour` in its fleet file."}
    per_instance = shown.price * shown.spec.policy.units
    series: list[list[Any]] = [
        [*_group_metric(shown, IN_SERVICE), {"id": "n", "visible": False}],
        [{"expression": f"n*{per_instance:.10g}", "label": "dollars an hour", "id": "cost"}],
    ]
    return _graph(shown, f"{shown.spec.name}: cost an hour", series)


def _split(shown: Shown, burst: Burst) -> Iterator[dict[str, Any]]:
    """The baseline's CPU under its ceiling, the calls of the burst, and its share of the traffic."""
    name, cpu = shown.spec.name, baseline_cpu(shown.spec.group, _MINUTES)
    seconds = int(_MINUTES.total_seconds())
    dimensions = [part for pair in cpu.dimensions.items() for part in pair]
    ceiling = [{"label": "ceiling", "value": round(100 * burst.terms.ceiling, 6)}]
    drawn = _graph(shown, f"{name}: baseline CPU", [[cpu.namespace, cpu.name, *dimensions]], period=seconds)
    yield drawn | {"annotations": {"horizontal": ceiling}}
    calls, kept = ([*burst.requests_to(each)] for each in (burst.serverless, burst.baseline))
    yield _graph(shown, f"{name}: burst invocations", [[*calls, {"stat": "Sum"}]], period=seconds)
    share = "100*FILL(b,0)/(FILL(a,0)+FILL(b,0))"
    series: list[list[Any]] = [
        [*kept, {"stat": "Sum", "id": "a", "visible": False}],
        [*calls, {"stat": "Sum", "id": "b", "visible": False}],
        [{"expression": share, "label": "percent to the burst", "id": "share"}],
    ]
    yield _graph(shown, f"{name}: share of traffic", series, period=seconds)


def _group_metric(shown: Shown, name: str) -> list[str]:
    return [OF_GROUPS, name, "AutoScalingGroupName", shown.spec.group]


def _graph(shown: Shown, title: str, series: list[list[Any]], *, period: int = 60) -> dict[str, Any]:
    view = {"view": "timeSeries", "stat": "Average", "period": period, "yAxis": {"left": {"min": 0}}}
    return {"title": title, "region": shown.region, "metrics": series, **view}


def _marks(shown: Shown, now: datetime, levels: list[dict[str, Any]]) -> dict[str, Any]:
    steps = [{"label": f"{step.capacity} instances", "value": f"{step.at:%FT%TZ}"} for step in _coming(shown, now)]
    found = {"horizontal": levels, "vertical": steps}
    marks = {kind: each for kind, each in found.items() if each}
    return {"annotations": marks} if marks else {}


def _coming(shown: Shown, now: datetime) -> list[Any]:
    return [step for step in shown.plan.steps if step.at > now][:MARKS] if shown.plan else []
