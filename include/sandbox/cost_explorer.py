"""Cost Explorer from the sandbox's own history: the hours that instances ran, times their price."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.ce.responses import CostExplorerResponse
from moto.ec2.models import ec2_backends

from sandbox.errors import ValidationException
from sandbox.patches import replaces
from sandbox.prices import price
from sandbox.usage import SPOT, Use, usage_of
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOUR = timedelta(hours=1)
COMPUTE = "Amazon Elastic Compute Cloud - Compute"
COSTS = ("UnblendedCost", "BlendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost")
QUANTITIES = ("UsageQuantity", "NormalizedUsageAmount")
KEYS: dict[str, Callable[[Use], str]] = {
    "SERVICE": lambda _use: COMPUTE,
    "INSTANCE_TYPE": lambda use: use.pool.instance_type,
    "PURCHASE_TYPE": lambda use: "Spot Instances" if use.pool.purchase == SPOT else "On Demand Instances",
    "USAGE_TYPE": lambda use: f"{'SpotUsage' if use.pool.purchase == SPOT else 'BoxUsage'}:{use.pool.instance_type}",
    "REGION": lambda use: use.pool.zone[:-1],
    "AZ": lambda use: use.pool.zone,
}

_moto_get = CostExplorerResponse.get_cost_and_usage


@dataclass(frozen=True, slots=True)
class Span:
    """A period of the answer: an hour, a day or a month, cut to what was asked for."""

    start: datetime
    end: datetime

    def hours(self, use: Use) -> float:
        """Return for how many hours of the period an instance ran."""
        until = min(self.end, use.ended or WORLD.now())
        return max((until - max(self.start, use.started)) / HOUR, 0.0)


@replaces(CostExplorerResponse)
def get_cost_and_usage(self: CostExplorerResponse) -> str:
    """Sum up costs and hours by period and by group; results put in by moto's own API come first."""
    if self.ce_backend.cost_usage_results_queue or self.body in self.ce_backend.cost_usage_results:
        preset: str = _moto_get(self)
        return preset
    request = json.loads(self.body)
    groups = [_group_key(each) for each in request.get("GroupBy") or ()]
    uses = [use for use in _uses(self.current_account) if _passes(use, request.get("Filter"))]
    hourly = request.get("Granularity") == "HOURLY"
    results = [_result(span, uses, groups, request, hourly=hourly) for span in _spans(request)]
    definitions = request.get("GroupBy") or []
    return json.dumps({"GroupDefinitions": definitions, "ResultsByTime": results, "DimensionValueAttributes": []})


def _uses(account: str) -> Iterator[Use]:
    for backend in list(ec2_backends[account].values()):
        yield from usage_of(backend).all()


def _group_key(group: Mapping[str, str]) -> str:
    if group.get("Type") != "DIMENSION" or group.get("Key") not in KEYS:
        message = f"GroupBy {dict(group)} is not known to the sandbox; use a DIMENSION of {', '.join(KEYS)}"
        raise ValidationException(message)
    return group["Key"]


def _passes(use: Use, wanted: Mapping[str, Any] | None) -> bool:
    if not wanted:
        return True
    if "And" in wanted:
        return all(_passes(use, each) for each in wanted["And"])
    dimension = wanted.get("Dimensions") or {}
    if dimension.get("Key") not in KEYS:
        message = f"Filter {dict(wanted)} is not known to the sandbox; use Dimensions of {', '.join(KEYS)}, or And"
        raise ValidationException(message)
    return KEYS[dimension["Key"]](use) in dimension.get("Values", ())


def _spans(request: Mapping[str, Any]) -> Iterator[Span]:
    start, end = (_instant(request["TimePeriod"][key]) for key in ("Start", "End"))
    if start >= end:
        message = "Start date (and hour) should be before end date (and hour)"
        raise ValidationException(message)
    while start < end:
        following = min(_next(start, request.get("Granularity", "MONTHLY")), end)
        yield Span(start, following)
        start = following


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=instant.tzinfo or UTC)


def _next(instant: datetime, granularity: str) -> datetime:
    match granularity:
        case "HOURLY":
            return instant + HOUR
        case "DAILY":
            return instant + timedelta(days=1)
        case _:
            return (instant.replace(day=1) + timedelta(days=32)).replace(day=1)


def _result(
    span: Span, uses: list[Use], groups: list[str], request: Mapping[str, Any], *, hourly: bool
) -> dict[str, Any]:
    sums: dict[tuple[str, ...], tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for use in uses:
        if hours := span.hours(use):
            key = tuple(KEYS[group](use) for group in groups)
            sums[key] = (sums[key][0] + hours, sums[key][1] + hours * price(use.pool))
    metrics = request.get("Metrics") or ["UnblendedCost"]
    form = "%Y-%m-%dT%H:%M:%SZ" if hourly else "%Y-%m-%d"
    return {
        "TimePeriod": {"Start": span.start.strftime(form), "End": span.end.strftime(form)},
        "Total": {} if groups else _metrics(metrics, *sums.get((), (0.0, 0.0))),
        "Groups": [{"Keys": list(key), "Metrics": _metrics(metrics, *sums[key])} for key in sorted(sums) if groups],
        "Estimated": span.end > WORLD.now(),
    }


def _metrics(names: list[str], hours: float, cost: float) -> dict[str, dict[str, str]]:
    found = {}
    for name in names:
        if name in COSTS:
            found[name] = {"Amount": f"{cost:.10f}", "Unit": "USD"}
        elif name in QUANTITIES:
            found[name] = {"Amount": f"{hours:.10f}", "Unit": "Hrs"}
        else:
            message = f"Metric {name} is not valid; use one of {', '.join((*COSTS, *QUANTITIES))}"
            raise ValidationException(message)
    return found
