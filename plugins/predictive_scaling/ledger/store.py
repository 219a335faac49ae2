"""The ledger in SQL: each method is one short transaction."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from predictive_scaling.errors import FleetBusy, LedgerUnavailable
from predictive_scaling.ledger.connection import CONNECTION, engine_of_connection, first_line, in_utc
from predictive_scaling.ledger.ids import first_id
from predictive_scaling.ledger.records import SCHEDULES, Event, EventKind, Operation, TaskRun, utc_now
from predictive_scaling.ledger.tables import KEY_LENGTH, metadata, scaling_event, scaling_operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

_OF_TASK: Final = ("dag_id", "run_id", "task_id", "map_index")
_TASK_COLUMNS: Final = ("actor", *_OF_TASK, "try_number")


class SqlLedger:
    """Keeps the contract of `Ledger` in the tables `scaling_operation` and `scaling_event`."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def from_connection(cls, conn_id: str = CONNECTION) -> SqlLedger:
        """Reach the ledger as a task does, through the Airflow connection."""
        return cls(engine_of_connection(conn_id))

    @property
    def place(self) -> str:
        """Where it is kept, without secrets: the same for every worker of a deployment, another for another."""
        url = self._engine.url
        return f"{url.database}@{url.host}" if url.host else str(url.database)

    def check(self) -> None:
        """Raise LedgerUnavailable unless every table can be read, LedgerUnreachable where nothing answers."""
        for table in metadata.sorted_tables:
            try:
                with self._engine.connect() as connection:
                    connection.execute(sa.select(table).limit(1))
            except SQLAlchemyError as error:
                raise LedgerUnavailable(_unusable(table.name, self._engine.url, error)) from error

    def open(self, operation: Operation, intent: Event) -> Operation:
        """Take the fleet and remember the first intent, in one transaction."""
        opened = replace(operation, opened_at=self._clock(), closed_at=None, outcome=None)
        try:
            with self._engine.begin() as connection:
                opened = _insert_or_reopen(connection, opened)
                connection.execute(
                    sa.insert(scaling_event), event_row(replace(intent, operation_id=opened.id), self._clock())
                )
        except IntegrityError as error:
            holder = self.open_operation(operation.fleet)
            if holder is None:
                raise
            raise FleetBusy(holder.hold) from error
        return opened

    def record(self, *events: Event) -> None:
        """Remember the events in one transaction."""
        if events:
            with self._engine.begin() as connection:
                tell(connection, events, at=self._clock())

    def close(self, operation: Operation, outcome: Event) -> None:
        """Let the fleet go and remember how it ended, in one transaction."""
        closing = (
            sa.update(scaling_operation)
            .where(scaling_operation.c.id == operation.id, scaling_operation.c.state == "open")
            .values(state="closed", closed_at=self._clock(), outcome=outcome.kind.value)
        )
        with self._engine.begin() as connection:
            connection.execute(closing)
            connection.execute(
                sa.insert(scaling_event), event_row(replace(outcome, operation_id=operation.id), self._clock())
            )

    def open_operation(self, fleet: str) -> Operation | None:
        """Give the operation that holds the fleet."""
        query = sa.select(scaling_operation).where(
            scaling_operation.c.fleet == fleet, scaling_operation.c.state == "open"
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return operation_of(row) if row else None

    def event(self, number: int) -> Event | None:
        """Give one event by its number."""
        query = sa.select(scaling_event).where(scaling_event.c.id == number)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return event_of(row) if row else None

    def events(
        self,
        *,
        fleet: str | None = None,
        operation_id: str | None = None,
        kind: EventKind | None = None,
        by: TaskRun | None = None,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Give the newest events, newest first."""
        query = sa.select(scaling_event).order_by(scaling_event.c.id.desc()).limit(limit)
        if fleet is not None:
            query = query.where(scaling_event.c.fleet == fleet)
        if operation_id is not None:
            query = query.where(scaling_event.c.operation_id == operation_id)
        if kind is not None:
            query = query.where(scaling_event.c.kind == kind.value)
        if by is not None:
            query = query.where(*(scaling_event.c[name].is_not_distinct_from(getattr(by, name)) for name in _OF_TASK))
        with self._engine.connect() as connection:
            return tuple(event_of(row) for row in connection.execute(query).mappings())

    def bounds_written(self, fleet: str, group_id: str | None, *, within: timedelta) -> Sequence[Event]:
        """Give the outcomes of what set the bounds of a fleet's group, newest first."""
        query = _bounds_written(fleet, group_id)
        with self._engine.connect() as connection:
            newest = connection.execute(query.limit(1)).mappings().one_or_none()
            last = in_utc(newest["at"]) if newest else None
            if last is None:
                return ()
            since = last - within
            query = query.where(scaling_event.c.at >= since, scaling_event.c.id >= first_id(since=since))
            return tuple(event_of(row) for row in connection.execute(query).mappings())


def _key(operation: Operation) -> str:
    """Give the key as its column can hold it: a longer one, of a task whose names are long, by its digest."""
    return operation.key if len(operation.key) <= KEY_LENGTH else hashlib.sha256(operation.key.encode()).hexdigest()


def _insert_or_reopen(connection: sa.Connection, operation: Operation) -> Operation:
    same_key = scaling_operation.c.idempotency_key == _key(operation)
    known = connection.execute(sa.select(scaling_operation).where(same_key)).mappings().one_or_none()
    if known is None:
        connection.execute(sa.insert(scaling_operation), _operation_row(operation))
        return operation
    if known["state"] == "open":
        raise FleetBusy(operation_of(known).hold)
    again = {"state": "open", "opened_at": operation.opened_at, "closed_at": None, "outcome": None}
    connection.execute(sa.update(scaling_operation).where(same_key).values(**again, try_number=operation.by.try_number))
    return replace(operation, id=known["id"])


def _operation_row(operation: Operation) -> dict[str, Any]:
    row = {name: getattr(operation, name) for name in ("id", "fleet", "kind", "plan_id", "opened_at", "closed_at")}
    return {**row, "idempotency_key": _key(operation), "state": "open", **_task_row(operation.by)}


def _task_row(by: TaskRun) -> dict[str, Any]:
    return {name: getattr(by, name) for name in _TASK_COLUMNS}


def _task(row: Mapping[Any, Any]) -> TaskRun:
    return TaskRun(**{name: row[name] for name in _TASK_COLUMNS})


def operation_of(row: Mapping[Any, Any]) -> Operation:
    """Read a row of `scaling_operation`."""
    return Operation(
        id=row["id"],
        fleet=row["fleet"],
        kind=row["kind"],
        key=row["idempotency_key"],
        plan_id=row["plan_id"],
        by=_task(row),
        opened_at=in_utc(row["opened_at"]),
        closed_at=in_utc(row["closed_at"]),
        outcome=EventKind(row["outcome"]) if row["outcome"] else None,
    )


def event_row(event: Event, at: datetime) -> dict[str, Any]:
    """Give an event as a row of `scaling_event`, stamped with the time it is written."""
    own = ("fleet", "operation_id", "call", "forecast_id", "plan_id", "group_id", "aws_request_id")
    texts = {name: getattr(event, name) for name in own}
    story = {"before": event.before, "after": event.after, "reason": event.reason, "error": event.error}
    return {"at": at, "kind": event.kind.value, **texts, **story, **_task_row(event.by)}


def tell(connection: sa.Connection, events: Sequence[Event], *, at: datetime) -> None:
    """Remember events together with what else a transaction keeps."""
    if events:
        connection.execute(sa.insert(scaling_event), [event_row(event, at) for event in events])


def event_of(row: Mapping[Any, Any]) -> Event:
    """Read a row of `scaling_event`."""
    same = ("id", "fleet", "operation_id", "call", "forecast_id", "plan_id", "group_id", "aws_request_id")
    story = ("before", "after", "reason", "error")
    fields = {name: row[name] for name in (*same, *story)}
    return Event(kind=EventKind(row["kind"]), at=in_utc(row["at"]), by=_task(row), **fields)


def _bounds_written(fleet: str, group_id: str | None) -> sa.Select[Any]:
    """Write in SQL what `Event.sets_bounds` says."""
    column = scaling_event.c
    scheduled = sa.or_(*(column.call.startswith(each) for each in SCHEDULES))
    sized = sa.or_(*(column.after[name].as_string().is_not(None) for name in ("min", "max")))
    return (
        sa.select(scaling_event)
        .where(column.fleet == fleet, sa.or_(column.group_id.is_(None), column.group_id == group_id))
        .where(column.kind.in_([EventKind.APPLIED.value, EventKind.FAILED.value]))
        .where(sa.or_(column.before.is_not(None), column.after.is_not(None)))
        .where(sa.or_(scheduled, sa.and_(column.call.is_not(None), sized)))
        .order_by(column.id.desc())
    )


def _unusable(table: str, url: sa.URL, error: SQLAlchemyError) -> str:
    return (
        f"the ledger cannot be used: table {table} in {url.render_as_string(hide_password=True)} could not be read "
        f"({first_line(error)}); run `airflow db migrate`, check the connection {CONNECTION!r}, and on Postgres its "
        "rights (include/sql/ledger_role.sql)"
    )
