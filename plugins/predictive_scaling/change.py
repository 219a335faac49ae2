"""Change a fleet by hand, move by move, so that nothing is lost whenever the process dies.

The order is that of `apply`: intent, call, outcome, for each move; then one look at the fleet, and only what can be
seen counts as applied. What a task leaves open is ended by `settle`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from predictive_scaling.errors import CloudUnavailable, OutcomeUnknown, WriteRefused
from predictive_scaling.findings import findings_of, verb_of
from predictive_scaling.ledger.records import Event, EventKind, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from predictive_scaling.fleets import Fleet, Receipt
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.settle import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One write, what it changes from and to, and why."""

    call: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    send: Callable[[Fleet], Receipt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """One fleet, its ledger, and whose turn it is."""

    name: str
    fleet: Fleet
    ledger: Ledger
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a change: its operation, and the outcome of each move."""

    operation_id: str
    outcomes: tuple[Event, ...]


@dataclass(slots=True)
class _Writer:
    """Makes the moves of one operation."""

    at: Workplace
    operation: Operation
    outcomes: list[Event] = field(default_factory=list)

    def make(self, moves: Sequence[Move]) -> Done:
        """Make them, in order, and look."""
        intents = [_event(self.at, EventKind.INTENT, move, move.reason) for move in moves]
        self.operation = self.at.ledger.open(self.operation, intents[0])
        for number, (move, intent) in enumerate(zip(moves, intents, strict=True)):
            if number:
                self.at.ledger.record(self.outcomes[-1], replace(intent, operation_id=self.operation.id))
            self.outcomes.append(self._send(move))
        self._verify(intents)
        return Done(operation_id=self.operation.id, outcomes=tuple(self.outcomes))

    def _send(self, move: Move) -> Event:
        """Make a move; a refused one ends the operation, an unanswered one leaves it open for a look."""
        try:
            receipt = move.send(self.at.fleet)
        except (WriteRefused, CloudUnavailable) as error:
            refused = _event(self.at, EventKind.FAILED, move, f"`{move.call}` was refused", error=str(error))
            self.at.ledger.close(self.operation, refused)
            raise
        except BaseException as error:
            self._remember_unknown(move, error)
            if isinstance(error, OutcomeUnknown) or not isinstance(error, Exception):
                raise
            msg = f"fleet {self.at.name}: `{move.call}` broke off: {error!r}; the retry looks at the group"
            raise OutcomeUnknown(msg) from error
        outcome = replace(
            _event(self.at, EventKind.APPLIED, move, f"`{move.call}` was accepted"),
            aws_request_id=receipt.request_id,
            operation_id=self.operation.id,
        )
        if receipt.refused:
            told = "; ".join(f"{name}: {why}" for name, why in receipt.refused.items())
            msg = f"fleet {self.at.name}: AWS refused part of `{move.call}`: {told}"
            self.at.ledger.close(self.operation, replace(outcome, kind=EventKind.FAILED, error=msg))
            raise WriteRefused(msg)
        return outcome

    def _remember_unknown(self, move: Move, error: BaseException) -> None:
        reason = f"`{move.call}` was sent and not answered"
        unknown = _event(self.at, EventKind.UNKNOWN, move, reason, error=str(error) or repr(error))
        self.at.ledger.record(replace(unknown, operation_id=self.operation.id))

    def _verify(self, intents: Sequence[Event]) -> None:
        """Look; only what can be seen counts as applied."""
        observed = self.at.fleet.observe()
        found = [findings_of(intent, observed, self.at.turn.now) for intent in _standing(intents)]
        last = self.outcomes.pop()
        errors = [findings.error for findings in found if findings.error]
        if errors:
            error = f"fleet {self.at.name}: read back, and {'; '.join(errors)}"
            self.at.ledger.close(self.operation, replace(last, kind=EventKind.FAILED, error=error))
            raise WriteRefused(error)
        seen = replace(last, reason=f"{last.reason}; read back and verified")
        self.at.ledger.close(self.operation, seen)
        self.outcomes.append(seen)


def change(kind: str, moves: Sequence[Move], at: Workplace) -> Done:
    """Make the moves as one operation; raise after recording when that fails."""
    by = at.turn.by
    content = [[move.call, dict(move.before), dict(move.after)] for move in moves]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    key = "/".join(str(part) for part in (kind, at.name, by.dag_id, by.run_id, by.task_id, by.map_index, digest))
    return _Writer(at, Operation(fleet=at.name, kind=kind, key=key, by=by)).make(moves)


def would(moves: Sequence[Move], why_not: str, at: Workplace) -> None:
    """Remember what would have been done, and why it was not."""
    told = "; ".join(f"{move.call}: {move.reason}" for move in moves)
    event = Event(fleet=at.name, kind=EventKind.OBSERVED, reason=f"would {told}; {why_not}", by=at.turn.by)
    at.ledger.record(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An intent of this very task, of an earlier try or before a wait, and how it ended so far."""

    intent: Event
    outcome: EventKind | None = None

    @property
    def applied(self) -> bool:
        """Whether it is known to have taken effect."""
        return self.outcome is EventKind.APPLIED


def told_by(task: TaskRun, ledger: Ledger, fleet: str) -> tuple[Told, ...]:
    """Give what this task instance has already done to the fleet, oldest first, whatever its try."""
    events = sorted(ledger.events(fleet=fleet, limit=1000), key=lambda event: event.id or 0)
    ends = {(event.operation_id, event.call): event.kind for event in events if event.kind is not EventKind.INTENT}
    mine = (event for event in events if event.kind is EventKind.INTENT and event.by.dag_id and _same(event.by, task))
    return tuple(Told(intent=event, outcome=ends.get((event.operation_id, event.call))) for event in mine)


def _standing(intents: Sequence[Event]) -> list[Event]:
    """Leave out the sizes that a later move of the same change has moved on: to let one go lowers desired again."""
    verbs = [verb_of(intent.call) for intent in intents]
    return [each for at, each in enumerate(intents) if verbs[at] != "resize" or "retire" not in verbs[at:]]


def _same(one: TaskRun, other: TaskRun) -> bool:
    return (one.dag_id, one.run_id, one.task_id, one.map_index) == (
        (other.dag_id, other.run_id, other.task_id, other.map_index)
    )


def _event(at: Workplace, kind: EventKind, move: Move, reason: str, error: str | None = None) -> Event:
    return Event(
        fleet=at.name,
        kind=kind,
        reason=reason,
        by=at.turn.by,
        call=move.call,
        before=dict(move.before),
        after=dict(move.after),
        error=error,
    )
