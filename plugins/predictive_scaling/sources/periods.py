"""Cutting time into a metric's periods, and what was measured into one value a period."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.metric import RATES
from predictive_scaling.sources import Latest, Request, Seen, SourceUnavailable
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.metric import FileMetric, SqlMetric
    from predictive_scaling.sources import Source

LOOK_BACK: Final = 4
"""Periods in which the newest value is looked for."""


def floor(instant: datetime, period: timedelta) -> datetime:
    """Give the start of the period an instant lies in; periods are cut from 1970 on, in UTC."""
    seconds = int(period.total_seconds())
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)


def one_a_period(
    rows: Iterable[tuple[Any, Any]], metric: SqlMetric | FileMetric, *, since: datetime, until: datetime
) -> Points:
    """Put the rows of each closed period together: counts are added up and kept per minute, others averaged."""
    start, end = floor(since, metric.period), floor(until, metric.period)
    totals: dict[datetime, float] = defaultdict(float)
    counts: Counter[datetime] = Counter()
    for time, value in rows:
        slot = floor(an_instant(time), metric.period)
        if value is not None and start <= slot < end:
            totals[slot] += a_number(value)
            counts[slot] += 1
    is_total = metric.statistic in RATES
    return Points.of(
        (slot, total * metric.scale if is_total else total / counts[slot]) for slot, total in totals.items()
    )


def an_instant(given: Any) -> datetime:
    """Read a time as databases and files give it; one without an offset is UTC."""
    try:
        match given:
            case datetime():
                instant = given
            case date():
                instant = datetime(given.year, given.month, given.day, tzinfo=UTC)
            case str():
                instant = datetime.fromisoformat(given)
            case _:
                instant = datetime.fromtimestamp(float(given), UTC)
    except (TypeError, ValueError, OverflowError) as error:
        msg = f"time {given!r} is none: give a timestamp, ISO text or seconds since 1970"
        raise SourceUnavailable(msg) from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def a_number(given: Any) -> float:
    """Read a value; text that is no number is refused."""
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        msg = f"value {given!r} is no number: give one, or NULL for missing"
        raise SourceUnavailable(msg) from error


def newest_of(source: Source, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
    """Give the newest value by reading the last few periods, for a source that knows of nothing newer."""
    requests = [Request(fleet=fleet, since=now - LOOK_BACK * fleet.metric.period) for fleet in fleets]
    answer = source.read(requests, until=now)
    periods = {fleet.name: fleet.metric.period for fleet in fleets}
    seen = {name: _last(points, periods[name]) for name, points in answer.points.items() if len(points)}
    return Latest(seen=seen, problems=answer.problems)


def _last(points: Points, period: timedelta) -> Seen:
    """A period's value is known, and so as old as, the period's end."""
    return Seen(value=float(points.values[-1]), at=datetime.fromtimestamp(int(points.times[-1]), UTC) + period)
