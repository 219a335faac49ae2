"""Events found by what a person asks for, a page at a time, among as many as there are.

A page goes on from the last id seen, so it stays right while new events come in, and costs the same however far back
it lies. Lists leave out what was before and after: a page of them would be megabytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from predictive_scaling.ledger.ids import first_id, last_id
from predictive_scaling.ledger.store import event_of, operation_of
from predictive_scaling.ledger.tables import scaling_event, scaling_operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from predictive_scaling.ledger.records import Event, EventKind, Operation

_HEAVY: Final = ("before", "after")
_BRIEF: Final = [sa.null().label(column.name) if column.name in _HEAVY else column for column in scaling_event.columns]
CHAIN: Final = 500
"""No operation has more events: a plan of 125 steps is three calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for; what is None is not asked for."""

    fleet: str | None = None
    kind: EventKind | None = None
    actor: str | None = None
    call: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield the conditions in SQL."""
        for column in ("fleet", "kind", "actor", "call"):
            value = getattr(self, column)
            if value is not None:
                yield scaling_event.c[column] == str(value)
        if self.since is not None:
            yield scaling_event.c.at >= self.since
            yield scaling_event.c.id >= first_id(since=self.since)
        if self.until is not None:
            yield scaling_event.c.at < self.until
            yield scaling_event.c.id <= last_id(until=self.until)
        if self.before is not None:
            yield scaling_event.c.id < self.before


class EventSearch:
    """Looks through `scaling_event`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(self, wanted: Wanted, *, limit: int) -> Sequence[Event]:
        """Give the newest that are wanted, newest first, in brief."""
        with self._engine.connect() as connection:
            rows = connection.execute(query(wanted, limit=limit)).mappings()
            return tuple(event_of(row) for row in rows)

    def chain(self, operation_id: str) -> Sequence[Event]:
        """Give the events of an operation in the order they happened, in brief."""
        mine = scaling_event.c.operation_id == operation_id
        with self._engine.connect() as connection:
            rows = connection.execute(_brief().where(mine).order_by(scaling_event.c.id).limit(CHAIN)).mappings()
            return tuple(event_of(row) for row in rows)

    def operation(self, operation_id: str) -> Operation | None:
        """Give an operation."""
        wanted = sa.select(scaling_operation).where(scaling_operation.c.id == operation_id)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).mappings().one_or_none()
        return operation_of(row) if row else None


def query(wanted: Wanted, *, limit: int) -> sa.Select[Any]:
    """Write the search in SQL."""
    return _brief().where(*wanted.conditions()).order_by(scaling_event.c.id.desc()).limit(limit)


def _brief() -> sa.Select[Any]:
    return sa.select(*_BRIEF)
