"""What became of an operation whose task died: decided by looking at the fleet, never by guessing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from predictive_scaling.errors import FleetBusy, GroupNotFound
from predictive_scaling.findings import findings_of
from predictive_scaling.fleets import Observed
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.raised import end_unfollowed, end_with_the_group
from predictive_scaling.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.findings import Findings
    from predictive_scaling.fleets import Fleet
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Operation, TaskRun
    from predictive_scaling.workplace import Turn

_NOTHING: Final = Observed(min_size=0, max_size=0, desired=0, in_service=0)
"""What is left of a group that is gone: an instance that was let go is gone with it, an action removed too."""


def settle(name: str, fleet: Fleet, ledger: Ledger, turn: Turn) -> Observed:
    """Look at the fleet; what dead tasks left open is ended by what the look shows. Nothing is written to the group."""
    at = Workplace(name=name, fleet=fleet, ledger=ledger, turn=turn)
    held = ledger.open_operation(name)
    if held and not may_settle(held, turn):
        raise FleetBusy(held.hold)
    try:
        observed = fleet.observe()
    except GroupNotFound as gone:
        if held:
            _end(held, _NOTHING, at, error=str(gone))
        end_with_the_group(at)
        raise
    if held:
        _end(held, observed, at)
    end_unfollowed(at, observed)
    return observed


def _end(held: Operation, observed: Observed, at: Workplace, error: str = "") -> None:
    end_by(held, lambda intent: findings_of(intent, observed, at.turn.now), at, error)


def end_by(held: Operation, look: Callable[[Event], Findings], at: Workplace, error: str = "") -> None:
    """Give each intent without a certain outcome the one that a look shows, and let go what the operation holds."""
    intents = unanswered(at.ledger.events(operation_id=held.id, limit=1000))
    outcomes = [outcome_of(intent, look(intent), at.turn.by) for intent in intents]
    outcomes = outcomes or [_all_answered(held, at)]
    if error:
        outcomes = [replace(each, error=error if each.error else None) for each in outcomes]
    at.ledger.record(*outcomes[:-1])
    at.ledger.close(held, outcomes[-1])


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


def outcome_of(intent: Event, findings: Findings, by: TaskRun) -> Event:
    """Say whether an intent took effect, by what can be seen of the fleet."""
    outcome = Event(
        fleet=intent.fleet,
        kind=EventKind.APPLIED,
        operation_id=intent.operation_id,
        call=intent.call,
        forecast_id=intent.forecast_id,
        plan_id=intent.plan_id,
        group_id=intent.group_id,
        by=by,
        before=intent.before,
        after=dict(findings.found),
        reason=(
            f"looked at the {findings.where} after {intent.by} ended without an answer: {len(findings.made)} of "
            f"{len(findings.asked)} changes of `{intent.call}` are in place"
        ),
    )
    return outcome.failed(findings.error, made=findings.made) if findings.error else outcome


def _all_answered(held: Operation, at: Workplace) -> Event:
    """A task died between its last answer and closing its operation."""
    reason = f"{held.by} ended before it closed this operation; every call of it had been answered"
    return Event(fleet=at.name, kind=EventKind.APPLIED, plan_id=held.plan_id, by=at.turn.by, reason=reason)
