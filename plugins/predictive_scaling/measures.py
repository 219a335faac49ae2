"""What a fleet's turn is worth measuring, sent where Airflow sends its own metrics: StatsD, DataDog or OpenTelemetry.

A backend that knows tags gets `predictive_scaling.plan_age` with the tag `fleet`. Plain StatsD knows none, and one
fleet would write over the other: there the fleet is part of the name, `predictive_scaling.web-shop.plan_age`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from predictive_scaling.status import Status

PREFIX: Final = "predictive_scaling"
_MADE_AT: Final = "%Y%m%dT%H%MZ"
"""How the id of a forecast ends."""


class Kind(StrEnum):
    """What a value is to whoever draws it."""

    GAUGE = "gauge"  # so it is now
    COUNTER = "counter"  # so many more


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One value of one fleet."""

    name: str
    kind: Kind
    value: float
    fleet: str

    def named(self, *, tagged: bool) -> str:
        """Give the whole name, for a backend that knows tags or one that knows none."""
        return ".".join((PREFIX, *(() if tagged else (self.fleet,)), self.name))


def measures_of(status: Status) -> Iterator[Measure]:
    """Yield what is known after a turn; after one that failed, the failure alone, for the rest is of before."""
    if status.problem is not None:
        yield Measure(name="failed_turns", kind=Kind.COUNTER, value=1, fleet=status.fleet)
        return
    spent = status.spent(status.seen_at)
    gauges = {
        "forecast_error": status.wape,
        "plan_age": _plan_age(status),
        "planned": status.planned,
        "desired": status.desired,
        "in_service": status.in_service,
        "cost_per_hour": _cost(status),
        "cost_today": spent.day if spent else None,
        "cost_month": spent.month if spent else None,
    }
    for name, value in gauges.items():
        if value is not None:
            yield Measure(name=name, kind=Kind.GAUGE, value=float(value), fleet=status.fleet)
    yield Measure(name="decisions", kind=Kind.COUNTER, value=status.written, fleet=status.fleet)


def emit(measures: Iterable[Measure]) -> None:
    """Send them to the backend that Airflow is configured for; without one nothing is sent."""
    from airflow.sdk.configuration import conf
    from airflow.sdk.observability import stats

    tagged = any(
        conf.getboolean("metrics", option, fallback=False)
        for option in ("otel_on", "statsd_datadog_enabled", "statsd_influxdb_enabled")
    )
    for measure in measures:
        name, tags = measure.named(tagged=tagged), {"fleet": measure.fleet} if tagged else None
        match measure.kind:
            case Kind.GAUGE:
                stats.gauge(name, measure.value, tags=tags)
            case Kind.COUNTER:
                stats.incr(name, int(measure.value), tags=tags)


def _plan_age(status: Status) -> float | None:
    """Give the seconds since the forecast was made that the plan rests on."""
    if status.forecast_id is None:
        return None
    made = datetime.strptime(status.forecast_id.rpartition("@")[2], _MADE_AT).replace(tzinfo=UTC)
    return (status.at - made).total_seconds()


def _cost(status: Status) -> float | None:
    if status.in_service is None or not status.price_per_hour:
        return None
    return status.in_service * status.price_per_hour
