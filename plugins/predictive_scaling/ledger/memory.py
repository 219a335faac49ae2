"""A ledger in memory, for tests and for trying the product without a database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from predictive_scaling.errors import FleetBusy
from predictive_scaling.ledger.records import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from predictive_scaling.ledger.records import Event, EventKind, Operation, TaskRun


class MemoryLedger:
    """Keeps the contract of `Ledger` for as long as the process lives."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._operations: dict[str, Operation] = {}
        self._events: list[Event] = []

    def check(self) -> None:
        """Find nothing missing, ever."""

    def open(self, operation: Operation, intent: Event) -> Operation:
        """Take the fleet."""
        if holder := self.open_operation(operation.fleet):
            raise FleetBusy(holder.hold)
        same = next((known for known in self._operations.values() if known.key == operation.key), operation)
        opened = replace(same, opened_at=self._clock(), closed_at=None, outcome=None, by=operation.by)
        self._operations[opened.id] = opened
        self.record(replace(intent, operation_id=opened.id))
        return opened

    def record(self, *events: Event) -> None:
        """Remember the events."""
        for event in events:
            self._events.append(replace(event, id=len(self._events) + 1, at=self._clock()))

    def close(self, operation: Operation, outcome: Event) -> None:
        """Let the fleet go."""
        self._operations[operation.id] = replace(operation, closed_at=self._clock(), outcome=outcome.kind)
        self.record(replace(outcome, operation_id=operation.id))

    def open_operation(self, fleet: str) -> Operation | None:
        """Give the operation that holds the fleet."""
        return next((held for held in self._operations.values() if held.fleet == fleet and held.is_open), None)

    def event(self, number: int) -> Event | None:
        """Give one event by its number."""
        return next((event for event in self._events if event.id == number), None)

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
        found = (
            event
            for event in reversed(self._events)
            if fleet in {None, event.fleet}
            and operation_id in {None, event.operation_id}
            and kind in {None, event.kind}
            and (by is None or event.by.task == by.task)
        )
        return tuple(found)[:limit]

    def bounds_written(self, fleet: str, group_id: str | None, *, within: timedelta) -> Sequence[Event]:
        """Give the outcomes of what set the bounds of a fleet's group, newest first."""
        mine = (each for each in reversed(self._events) if each.fleet == fleet and each.group_id in {None, group_id})
        found = [each for each in mine if each.sets_bounds]
        return tuple(each for each in found if each.at and found[0].at and found[0].at - each.at <= within)
