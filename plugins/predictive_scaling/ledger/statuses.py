"""The last status of each fleet and the last look at it, in two tables and, for tests, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from predictive_scaling.ledger.connection import engine_of_connection, put_row
from predictive_scaling.ledger.tables import scaling_look, scaling_status
from predictive_scaling.look import Look
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INSERTS: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
Plans = tuple["Mapping[str, Any] | None", "Mapping[str, Any] | None"]


class SqlStatuses:
    """Keeps the contract of `Statuses` in SQL."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def from_connection(cls) -> SqlStatuses:
        """Reach the table as a task does."""
        return cls(engine_of_connection())

    def save(self, status: Status, plan: Mapping[str, Any] | None = None) -> None:
        """Keep the status, and the plan when there is one."""
        row = {"fleet": status.fleet, "at": status.at, "summary": status.as_json()}
        if plan is not None:
            row |= dict(zip(("plan", "previous_plan"), turned(self.plans(status.fleet), plan), strict=True))
        put_row(self._engine, scaling_status, row)

    def all(self) -> Sequence[Status]:
        """Give every fleet's status, by name."""
        query = sa.select(scaling_status.c.summary).order_by(scaling_status.c.fleet)
        with self._engine.connect() as connection:
            return tuple(Status.from_json(row) for row in connection.execute(query).scalars())

    def of(self, fleet: str) -> Status | None:
        """Give one fleet's status."""
        query = sa.select(scaling_status.c.summary).where(scaling_status.c.fleet == fleet)
        with self._engine.connect() as connection:
            row = connection.execute(query).scalar()
        return Status.from_json(row) if row else None

    def plans(self, fleet: str) -> Plans:
        """Give the plan that holds and the one before it."""
        query = sa.select(scaling_status.c.plan, scaling_status.c.previous_plan).where(scaling_status.c.fleet == fleet)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return (row[0], row[1]) if row else (None, None)

    def keep_looks(self, looks: Sequence[Look]) -> None:
        """Keep looks, in one statement however many they are."""
        if not looks:
            return
        rows = [{"fleet": look.fleet, "at": look.at, "seen": look.as_json()} for look in looks]
        put: Any = _INSERTS[self._engine.dialect.name](scaling_look)
        put = put.on_conflict_do_update(
            index_elements=[scaling_look.c.fleet],
            set_={"at": put.excluded.at, "seen": put.excluded.seen},
            where=scaling_look.c.at < put.excluded.at,
        )
        with self._engine.begin() as connection:
            connection.execute(put, rows)

    def looks(self) -> Mapping[str, Look]:
        """Give the last look at every fleet that is watched."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(scaling_look.c.seen)).scalars()
            return {look.fleet: look for look in map(Look.from_json, rows)}

    def look(self, fleet: str) -> Look | None:
        """Give the last look at one fleet."""
        query = sa.select(scaling_look.c.seen).where(scaling_look.c.fleet == fleet)
        with self._engine.connect() as connection:
            row = connection.execute(query).scalar()
        return Look.from_json(row) if row else None


class MemoryStatuses:
    """Keeps the contract of `Statuses` for as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Status, Plans]] = {}
        self._looks: dict[str, Look] = {}

    def save(self, status: Status, plan: Mapping[str, Any] | None = None) -> None:
        """Keep the status, and the plan when there is one."""
        known = self.plans(status.fleet)
        self._known[status.fleet] = status, known if plan is None else turned(known, plan)

    def all(self) -> Sequence[Status]:
        """Give every fleet's status, by name."""
        return tuple(self._known[fleet][0] for fleet in sorted(self._known))

    def of(self, fleet: str) -> Status | None:
        """Give one fleet's status."""
        return self._known[fleet][0] if fleet in self._known else None

    def plans(self, fleet: str) -> Plans:
        """Give the plan that holds and the one before it."""
        return self._known[fleet][1] if fleet in self._known else (None, None)

    def keep_looks(self, looks: Sequence[Look]) -> None:
        """Keep looks."""
        for look in looks:
            known = self._looks.get(look.fleet)
            if known is None or known.at < look.at:
                self._looks[look.fleet] = look

    def looks(self) -> Mapping[str, Look]:
        """Give the last look at every fleet that is watched."""
        return dict(self._looks)

    def look(self, fleet: str) -> Look | None:
        """Give the last look at one fleet."""
        return self._looks.get(fleet)


def turned(known: Plans, plan: Mapping[str, Any]) -> Plans:
    """Put a plan before the known one; the same plan again moves nothing."""
    holding, previous = known
    if holding is not None and holding.get("plan_id") == plan.get("plan_id"):
        return plan, previous
    return plan, holding
