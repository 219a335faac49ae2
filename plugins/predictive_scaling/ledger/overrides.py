"""What people decided for fleets, in the table `scaling_override` and, for tests, in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa

from forecasting.override import Override, OverrideKind
from predictive_scaling.ledger.connection import engine_of_connection, in_utc
from predictive_scaling.ledger.records import utc_now
from predictive_scaling.ledger.store import tell
from predictive_scaling.ledger.tables import scaling_override

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event

EVERY_FLEET: Final = "*"
"""The fleet of an override that concerns all of them."""
_OWN: Final = ("id", "fleet", "reason", "actor", "min_size", "max_size", "max_before", "group_id")
_INSTANTS: Final = ("starts_at", "ends_at", "created_at", "ended_at")


class Overrides(Protocol):
    """Keeps overrides; one is made, perhaps ended early, returned from, and never changed otherwise."""

    def add(self, override: Override, *told: Event) -> None:
        """Keep a new one and remember the events, all or none."""

    def open(self, *fleets: str) -> Sequence[Override]:
        """Give those of these fleets, and of every fleet, that have not been returned from, the oldest first."""

    def of(self, number: str) -> Override | None:
        """Give one by its id, whatever has become of it."""

    def end(self, override: Override, *told: Event, by: str, at: datetime) -> bool:
        """End one before its time and remember the events, all or none; none when it has been ended."""

    def returned(self, override: Override, *told: Event, at: datetime) -> bool:
        """Remember that the fleet was seen to be back from it, and the events, all or none; none a second time."""


class SqlOverrides:
    """Keeps the contract of `Overrides` in SQL."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def from_connection(cls) -> SqlOverrides:
        """Reach the table as a task does."""
        return cls(engine_of_connection())

    def add(self, override: Override, *told: Event) -> None:
        """Keep a new one."""
        row = {name: getattr(override, name) for name in (*_OWN, *_INSTANTS)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(scaling_override), {**row, "kind": override.kind.value})
            tell(connection, told, at=self._clock())

    def open(self, *fleets: str) -> Sequence[Override]:
        """Give those that have not been returned from, the oldest first."""
        table = scaling_override.c
        query = sa.select(scaling_override).where(table.fleet.in_([*fleets, EVERY_FLEET]), table.returned_at.is_(None))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(table.created_at, table.id)).mappings()
            return tuple(_override(row) for row in rows)

    def of(self, number: str) -> Override | None:
        """Give one by its id."""
        query = sa.select(scaling_override).where(scaling_override.c.id == number)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return _override(row) if row else None

    def end(self, override: Override, *told: Event, by: str, at: datetime) -> bool:
        """End one."""
        return self._once(override, scaling_override.c.ended_at, told, ended_at=at, ended_by=by)

    def returned(self, override: Override, *told: Event, at: datetime) -> bool:
        """Remember that the fleet was seen to be back from it."""
        return self._once(override, scaling_override.c.returned_at, told, returned_at=at)

    def _once(self, override: Override, unset: sa.Column[Any], told: Sequence[Event], **values: Any) -> bool:
        """Set what was never set."""
        setting = sa.update(scaling_override).where(scaling_override.c.id == override.id, unset.is_(None))
        with self._engine.begin() as connection:
            if not connection.execute(setting.values(values)).rowcount:
                return False
            tell(connection, told, at=self._clock())
        return True


class MemoryOverrides:
    """Keeps the contract of `Overrides` for as long as the process lives."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Override] = {}
        self._back: set[str] = set()

    def add(self, override: Override, *told: Event) -> None:
        """Keep a new one."""
        self._known[override.id] = override
        self._ledger.record(*told)

    def open(self, *fleets: str) -> Sequence[Override]:
        """Give those that have not been returned from, the oldest first."""
        there = (each for each in self._known.values() if each.id not in self._back)
        found = (each for each in there if each.fleet in {*fleets, EVERY_FLEET})
        return tuple(sorted(found, key=lambda each: (each.created_at, each.id)))

    def of(self, number: str) -> Override | None:
        """Give one by its id."""
        return self._known.get(number)

    def end(self, override: Override, *told: Event, by: str, at: datetime) -> bool:  # noqa: ARG002 - the table keeps who
        """End one."""
        known = self._known[override.id]
        if known.ended_at:
            return False
        self._known[override.id] = replace(known, ended_at=at)
        self._ledger.record(*told)
        return True

    def returned(self, override: Override, *told: Event, at: datetime) -> bool:  # noqa: ARG002 - the table keeps when
        """Remember that the fleet was seen to be back from it."""
        if override.id in self._back:
            return False
        self._back.add(override.id)
        self._ledger.record(*told)
        return True


def _override(row: Mapping[Any, Any]) -> Override:
    fields: dict[str, Any] = {name: row[name] for name in _OWN}
    fields |= {name: in_utc(row[name]) for name in _INSTANTS}
    return Override(kind=OverrideKind(row["kind"]), **fields)
