"""Any database Airflow has a connection to as a source: orders, bookings, a warehouse's queue.

The query is asked for the time between :since and :until, both UTC and whole periods, in a transaction that is never
committed. Its rows are put together as they come: a warehouse has more of them than a worker has memory.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from predictive_scaling.database_address import address_of
from predictive_scaling.metric import SqlMetric
from predictive_scaling.sources import Latest, Reading, SourceUnavailable, Unreachable, metric_of
from predictive_scaling.sources.http_answers import existing
from predictive_scaling.sources.in_turn import in_turn
from predictive_scaling.sources.periods import floor, newest_of, one_a_period

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Request
    from predictive_scaling.storage import Points

_COLUMNS: Final = 2
_AT_ONCE: Final = 10_000
"""Rows that are held at a time, by drivers that can."""
_SESSION: Final = {
    "postgresql": (
        "SET LOCAL timezone = 'UTC'",
        "SELECT set_config('statement_timeout', '2min', true) WHERE current_setting('statement_timeout') = '0'",
    )
}
"""Times without a zone are compared in the session's; and one query without end would cost the others theirs.

Who gave the connection, its role or its database a time of its own knows how long a first pull takes there.
"""


class SqlSource:
    """Keeps the contract of `Source` through SQLAlchemy, on the engine Airflow's hook gives."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Ask query after query, each database through one engine."""
        since = {request.fleet.name: request.since for request in requests}

        def ask(engine: sa.Engine, fleet: FleetSpec) -> Points:
            return _rows(engine, metric_of(fleet, SqlMetric), since[fleet.name], until)

        points, problems = in_turn([request.fleet for request in requests], reach=_engine, ask=ask)
        return Reading(points=points, problems=problems)

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Give the value of the newest closed period."""
        return newest_of(self, fleets, now=now)


def _rows(engine: sa.Engine, metric: SqlMetric, since: datetime, until: datetime) -> Points:
    start, end = floor(since, metric.period), floor(until, metric.period)
    try:
        with engine.connect() as connection:
            for setting in _SESSION.get(engine.dialect.name, ()):
                connection.execute(sa.text(setting))
            streamed = connection.execution_options(yield_per=_AT_ONCE)
            with streamed.execute(sa.text(metric.query), _between(engine, start, end)) as rows:
                return one_a_period(_pairs(rows), metric, since=start, until=end)
    except SQLAlchemyError as error:
        msg = f"{metric.described} failed: {_first_line(error)}: {metric.mend}"
        raise SourceUnavailable(msg) from error
    except SourceUnavailable as error:
        msg = f"{metric.described}: {error}"
        raise SourceUnavailable(msg) from error


def _pairs(rows: sa.CursorResult[Any]) -> Iterator[Any]:
    """Give times and values as they come."""
    if len(columns := list(rows.keys())) != _COLUMNS:
        msg = f"gave {len(columns)} columns ({', '.join(columns)}): give a time and a value"
        raise SourceUnavailable(msg)
    yield from rows


def _between(engine: sa.Engine, start: datetime, end: datetime) -> dict[str, Any]:
    """Give the query's bounds; SQLite has no times, and compares text."""
    if engine.dialect.name == "sqlite":
        return {"since": f"{start:%Y-%m-%d %H:%M:%S}", "until": f"{end:%Y-%m-%d %H:%M:%S}"}
    return {"since": start.astimezone(UTC), "until": end.astimezone(UTC)}


def _engine(conn_id: str) -> sa.Engine:
    """Give the engine of a DbApiHook, or of the address in the extra `sqlalchemy_url` of any connection."""
    connection = existing(conn_id)
    try:
        engine: sa.Engine = (
            sa.create_engine(address_of(address), poolclass=NullPool)
            if (address := connection.extra_dejson.get("sqlalchemy_url"))
            else connection.get_hook().get_sqlalchemy_engine(engine_kwargs={"poolclass": NullPool})
        )
        engine.connect().close()
    except Exception as error:
        msg = (
            f"connection {conn_id!r} gives no database ({_first_line(error)}): check that it is up, and that the "
            f"connection is of a database's type, or has the address in its extra `sqlalchemy_url`"
        )
        raise Unreachable(msg) from error
    return engine


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
