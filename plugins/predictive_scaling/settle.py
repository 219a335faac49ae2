"""What became of an operation whose task died: decided by looking at the fleet, never by guessing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from predictive_scaling.errors import FleetBusy
from predictive_scaling.ledger.records import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Operation, TaskRun
    from predictive_scaling.schedule import ScheduledAction


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
    """Say whether an intent took effect, by the fleet's present actions."""
    present = {action.name: action for action in observed.actions}
    names = set(intent.before or {}) | set(intent.after or {})
    done = {name for name in names if _took_effect(name, intent, present.get(name), turn.now)}
    kind = EventKind.APPLIED if done == names else EventKind.FAILED
    return Event(
        fleet=intent.fleet,
        kind=kind,
        operation_id=intent.operation_id,
        call=intent.call,
        forecast_id=intent.forecast_id,
        plan_id=intent.plan_id,
        by=turn.by,
        before=intent.before,
        after={name: present[name].as_json() for name in sorted(names) if name in present},
        reason=(
            f"looked at the group after {intent.by} ended without an answer: {len(done)} of {len(names)} changes of "
            f"`{intent.call}` are in place"
        ),
        error=None if kind is EventKind.APPLIED else f"not in place: {', '.join(sorted(names - done))}",
    )


def _all_answered(held: Operation, by: TaskRun) -> Event:
    """A task died between its last answer and closing its operation."""
    reason = f"{held.by} ended before it closed this operation; every call of it had been answered"
    return Event(fleet=held.fleet, kind=EventKind.APPLIED, plan_id=held.plan_id, by=by, reason=reason)


def _took_effect(name: str, intent: Event, present: ScheduledAction | None, now: datetime) -> bool:
    wanted: dict[str, Any] | None = (intent.after or {}).get(name)
    if wanted is None:
        return present is None
    if present is not None:
        return present.as_json() == wanted
    return bool(wanted["start"] <= now.isoformat())
