"""What the ledger remembers: operations, which lock a fleet, and events, which tell its story."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


SCHEDULES: Final = ("put ", "delete ")
"""How the calls begin that change what is scheduled."""


class EventKind(StrEnum):
    """What an event says happened."""

    INTENT = "intent"
    APPLIED = "applied"
    FAILED = "failed"
    UNKNOWN = "unknown"
    OBSERVED = "observed"
    HELD = "held"
    REFUSED = "refused"
    MOVED = "moved"
    LEARNED = "learned"
    OVERRIDDEN = "overridden"
    RETURNED = "returned"
    BUDGETED = "budgeted"
    ASKED = "asked"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CREATED = "created"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """The Airflow task, and the person or timetable, on whose behalf something is done."""

    actor: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None

    @property
    def task(self) -> tuple[str | None, str | None, str | None, int | None]:
        """What tells a task instance from all others, whatever its try."""
        return self.dag_id, self.run_id, self.task_id, self.map_index

    @property
    def is_retry(self) -> bool:
        """Whether the task has been tried before."""
        return (self.try_number or 1) > 1

    def is_earlier_try_of(self, other: TaskRun) -> bool:
        """Whether this is the same task instance on an earlier try, which Airflow has ended before the later one."""
        return bool(self.task == other.task and self.dag_id and (self.try_number or 0) < (other.try_number or 0))

    def __str__(self) -> str:
        if not self.dag_id:
            return self.actor
        return f"{self.dag_id}.{self.task_id} run {self.run_id} try {self.try_number} for {self.actor}"


def utc_now() -> datetime:
    """Give the instant a ledger stamps its rows with, unless it is given another clock."""
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One change of one fleet, open from its first intent until its outcome is known."""

    fleet: str
    kind: str
    key: str
    by: TaskRun
    plan_id: str | None = None
    id: str = field(default_factory=_new_id)
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: EventKind | None = None

    @property
    def is_open(self) -> bool:
        """Whether the operation still holds its fleet."""
        return self.closed_at is None

    @property
    def hold(self) -> str:
        """Who holds the fleet, and how it will be let go."""
        since = f"{self.opened_at:%Y-%m-%d %H:%M:%S} UTC" if self.opened_at else "an unknown time"
        return (
            f"fleet {self.fleet}: operation {self.id} ({self.kind}) has been open since {since}, opened by {self.by}; "
            "its own retry settles it, or the next run once it is old enough"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a fleet's story; written once, never changed."""

    fleet: str
    kind: EventKind
    reason: str
    by: TaskRun
    operation_id: str | None = None
    call: str | None = None
    forecast_id: str | None = None
    plan_id: str | None = None
    group_id: str | None = None  # the group it is about; unknown where it was written before this was kept
    aws_request_id: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    error: str | None = None
    at: datetime | None = None
    id: int | None = None

    @property
    def changed(self) -> frozenset[str]:
        """The names of what it changes or has changed."""
        return frozenset({*(self.before or {}), *(self.after or {})})

    def failed(self, error: str, *, made: Collection[str] = ()) -> Self:
        """Give it as a failure that tells, of all it was to change, only what was changed in spite of it."""
        before = {name: value for name, value in (self.before or {}).items() if name in made}
        after = {name: value for name, value in (self.after or {}).items() if name in made}
        return replace(self, kind=EventKind.FAILED, error=error, before=before or None, after=after or None)

    def unsent(self, error: str) -> Self:
        """Give it as a call that was not made, and why."""
        return replace(self, reason=f"`{self.call}` was not sent").failed(error)

    def refused_in_part(self, refused: Mapping[str, str]) -> Self:
        """Give the outcome of a call of which AWS refused these changes, each with its reason, and made the others."""
        told = "; ".join(f"{name}: {why}" for name, why in refused.items())
        error = f"fleet {self.fleet}: AWS refused part of `{self.call}`: {told}"
        return self.failed(error, made=self.changed.difference(refused))

    @property
    def has_changed(self) -> bool:
        """Whether this outcome of a call tells of changes that were made: all that were asked for, or some of them."""
        return self.kind is EventKind.APPLIED or (self.kind is EventKind.FAILED and bool(self.changed))

    @property
    def sets_bounds(self) -> bool:
        """Whether this outcome of a call tells of changes to a group's bounds, now or by actions that are to come."""
        scheduled = (self.call or "").startswith(SCHEDULES)
        return self.has_changed and bool(self.call) and (scheduled or not {"min", "max"}.isdisjoint(self.after or {}))
