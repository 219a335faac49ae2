"""The ledger: a durable memory of every step, inside the Airflow metadata database.

`Ledger` is the contract; `ledger.store.SqlLedger` keeps it in SQL and `ledger.memory.MemoryLedger` in a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from predictive_scaling.ledger.records import Event, EventKind, Operation, TaskRun


class Ledger(Protocol):
    """Remembers. Whatever a method has returned from survives the death of the process."""

    def check(self) -> None:
        """Raise LedgerUnavailable, or for a while LedgerUnreachable, unless all below will work; changes nothing."""

    def open(self, operation: Operation, intent: Event) -> Operation:
        """Take the fleet and remember the first intent, both or neither.

        The operation of the same key, if it is closed, is opened again. Raises FleetBusy when the fleet is held.
        """

    def record(self, *events: Event) -> None:
        """Remember the events, all or none."""

    def close(self, operation: Operation, outcome: Event) -> None:
        """Let the fleet go and remember how it ended, both or neither."""

    def open_operation(self, fleet: str) -> Operation | None:
        """Give the operation that holds the fleet."""

    def event(self, number: int) -> Event | None:
        """Give one event by its number."""

    def events(
        self,
        *,
        fleet: str | None = None,
        operation_id: str | None = None,
        kind: EventKind | None = None,
        by: TaskRun | None = None,
        limit: int = 100,
    ) -> Sequence[Event]:
        """Give the newest events, newest first; `by` a task instance, those of all its tries."""

    def bounds_written(self, fleet: str, group_id: str | None, *, within: timedelta) -> Sequence[Event]:
        """Give the outcomes of what set the bounds of a fleet's group, newest first: the last one, and so long before.

        Those that tell of no group may be about this one.
        """
