"""Autoscalers made through the API, in the table `scaling_autoscaler` and, for tests, in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from predictive_scaling.ledger.connection import engine_of_connection, in_utc
from predictive_scaling.ledger.records import EventKind, utc_now
from predictive_scaling.ledger.store import tell
from predictive_scaling.ledger.tables import scaling_autoscaler, scaling_event

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAutoscaler:
    """An autoscaler as it was asked for, by whom and when."""

    name: str
    asked: Mapping[str, Any]
    actor: str
    created_at: datetime
    key: str | None = None  # by which the asker can ask again without making two
    version: int = 1

    @property
    def moves(self) -> str:
        """Name the group that it moves, and where that is."""
        return json.dumps([self.asked.get("connection", "aws_default"), self.asked.get("region"), self.asked["group"]])


class Autoscalers(Protocol):
    """Keeps autoscalers; one is added, and removed again, and never changed."""

    def all(self) -> Sequence[StoredAutoscaler]:
        """Give every autoscaler, by name."""

    def of(self, name: str) -> StoredAutoscaler | None:
        """Give one by its name."""

    def asked_with(self, key: str) -> StoredAutoscaler | None:
        """Give the one that was asked for with this key."""

    def add(self, autoscaler: StoredAutoscaler, *told: Event) -> bool:
        """Keep a new one and remember the events, all or none; none when there is one of its name, key or group."""

    def remove(self, autoscaler: StoredAutoscaler, *told: Event) -> bool:
        """Forget this one and remember the events, all or none; none when it is gone, though one be made anew."""


class SqlAutoscalers:
    """Keeps the contract of `Autoscalers` in SQL."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def from_connection(cls) -> SqlAutoscalers:
        """Reach the table as a task does."""
        return cls(engine_of_connection())

    def all(self) -> Sequence[StoredAutoscaler]:
        """Give every autoscaler, by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(scaling_autoscaler).order_by(scaling_autoscaler.c.name)).mappings()
            return tuple(_stored(row) for row in rows)

    def of(self, name: str) -> StoredAutoscaler | None:
        """Give one by its name."""
        return self._one(scaling_autoscaler.c.name == name)

    def asked_with(self, key: str) -> StoredAutoscaler | None:
        """Give the one that was asked for with this key."""
        return self._one(scaling_autoscaler.c.idempotency_key == key)

    def add(self, autoscaler: StoredAutoscaler, *told: Event) -> bool:
        """Keep a new one."""
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(scaling_autoscaler), _row(autoscaler))
                tell(connection, told, at=self._clock())
        except IntegrityError:
            return False
        return True

    def remove(self, autoscaler: StoredAutoscaler, *told: Event) -> bool:
        """Forget this one."""
        table = scaling_autoscaler.c
        this = (table.name == autoscaler.name, table.created_at == autoscaler.created_at)
        with self._engine.begin() as connection:
            if not connection.execute(sa.delete(scaling_autoscaler).where(*this)).rowcount:
                return False
            tell(connection, told, at=self._clock())
        return True

    def _one(self, condition: sa.ColumnElement[bool]) -> StoredAutoscaler | None:
        query = sa.select(scaling_autoscaler).where(condition).order_by(scaling_autoscaler.c.name).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _stored(row) if row else None


class MemoryAutoscalers:
    """Keeps the contract of `Autoscalers` for as long as the process lives."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, StoredAutoscaler] = {}
        self._adding = Lock()

    def all(self) -> Sequence[StoredAutoscaler]:
        """Give every autoscaler, by name."""
        return tuple(self._known[name] for name in sorted(self._known))

    def of(self, name: str) -> StoredAutoscaler | None:
        """Give one by its name."""
        return self._known.get(name)

    def asked_with(self, key: str) -> StoredAutoscaler | None:
        """Give the one that was asked for with this key."""
        return next((each for each in self.all() if each.key == key), None)

    def add(self, autoscaler: StoredAutoscaler, *told: Event) -> bool:
        """Keep a new one."""
        with self._adding:
            if any(_same(autoscaler, each) for each in self.all()):
                return False
            self._known[autoscaler.name] = autoscaler
        self._ledger.record(*told)
        return True

    def remove(self, autoscaler: StoredAutoscaler, *told: Event) -> bool:
        """Forget this one."""
        with self._adding:
            known = self._known.get(autoscaler.name)
            if known is None or known.created_at != autoscaler.created_at:
                return False
            del self._known[autoscaler.name]
        self._ledger.record(*told)
        return True


def _same(one: StoredAutoscaler, other: StoredAutoscaler) -> bool:
    return one.name == other.name or one.moves == other.moves or (one.key is not None and one.key == other.key)


def _row(autoscaler: StoredAutoscaler) -> dict[str, Any]:
    return {
        "name": autoscaler.name,
        "body": {"asked": dict(autoscaler.asked), "key": autoscaler.key},
        "idempotency_key": autoscaler.key,
        "moves": autoscaler.moves,
        "version": autoscaler.version,
        "actor": autoscaler.actor,
        "created_at": autoscaler.created_at,
        "updated_at": autoscaler.created_at,
    }


def _stored(row: Mapping[Any, Any]) -> StoredAutoscaler:
    created = in_utc(row["created_at"])
    assert created is not None
    return StoredAutoscaler(
        name=row["name"],
        asked=row["body"]["asked"],
        key=row["body"]["key"],
        actor=row["actor"],
        created_at=created,
        version=row["version"],
    )


def resized(engine: sa.Engine, names: Collection[str]) -> Mapping[str, tuple[int, int]]:
    """Count how often the group of each was made larger, and smaller, since it was made; who is left out, never."""
    event, made = scaling_event.c, scaling_autoscaler.c
    before, after = (column["desired"].as_integer() for column in (event.before, event.after))
    mine = (event.fleet == made.name, event.kind == EventKind.APPLIED.value, event.at >= made.created_at)
    ups, downs = (sa.func.count(sa.case((moved, 1))) for moved in (after > before, after < before))
    query = sa.select(made.name, ups, downs).where(made.name.in_(names), *mine).group_by(made.name)
    with engine.connect() as connection:
        return {name: (up, down) for name, up, down in connection.execute(query)}
