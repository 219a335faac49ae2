"""What became of an operation whose task died: decided by looking at the fleet, never by guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from predictive_scaling.errors import FleetBusy
from predictive_scaling.findings import findings_of
from predictive_scaling.ledger.records import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Operation, TaskRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Who acts on a fleet, when, and after how long an operation counts as abandoned."""

    by: TaskRun
    now: datetime
    patience: timedelta


def settle(name: str, fleet: Fleet, ledger: Ledger, turn: Turn) -> Observed:
    """Look at the fleet; an operation that a dead task left open is ended by what the look shows."""
    held = ledger.open_operation(name)
    if held and not may_settle(held, turn):
        raise FleetBusy(held.hold)
    observed = fleet.observe()
    if held:
        intents = unanswered(ledger.events(operation_id=held.id, limit=1000))
        outcomes = [outcome_of(intent, observed, turn) for intent in intents] or [_all_answered(held, turn.by)]
        ledger.record(*outcomes[:-1])
        ledger.close(held, outcomes[-1])
    return observed


def may_settle(operation: Operation, turn: Turn) -> bool:
    """Whether the operation's own task can no longer be at work on it."""
    if operation.by.is_earlier_try_of(turn.by):
        return True
    return operation.opened_at is not None and turn.now - operation.opened_at >= turn.patience


def unanswered(events: Sequence[Event]) -> list[Event]:
    """Give the intents without a certain outcome since the operation was last opened, oldest first."""
    open_calls: dict[str | None, Event] = {}
    for event in sorted(events, key=lambda event: event.id or 0):
        if event.kind is EventKind.INTENT:
            open_calls[event.call] = event
        elif event.kind is not EventKind.UNKNOWN:
            open_calls.pop(event.call, None)
    return list(open_calls.values())


def outcome_of(intent: Event, observed: Observed, turn: Turn) -> Event:
    """Say whether an intent took effect, by what can be seen of the fleet."""
    findings = findings_of(intent, observed, turn.now)
    return Event(
        fleet=intent.fleet,
        kind=EventKind.FAILED if findings.lacking else EventKind.APPLIED,
        operation_id=intent.operation_id,
        call=intent.call,
        forecast_id=intent.forecast_id,
        plan_id=intent.plan_id,
        by=turn.by,
        before=intent.before,
        after=dict(findings.found),
        reason=(
            f"looked at the group after {intent.by} ended without an answer: {findings.in_place} of "
            f"{len(findings.asked)} changes of `{intent.call}` are in place"
        ),
        error=findings.error,
    )


def _all_answered(held: Operation, by: TaskRun) -> Event:
    """A task died between its last answer and closing its operation."""
    reason = f"{held.by} ended before it closed this operation; every call of it had been answered"
    return Event(fleet=held.fleet, kind=EventKind.APPLIED, plan_id=held.plan_id, by=by, reason=reason)
