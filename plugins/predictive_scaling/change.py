"""Change a fleet by hand, move by move, so that nothing is lost whenever the process dies.

The order is that of `write`: intent, call, outcome, for each move; then one look at the fleet, and only what can be
seen counts as applied. What a task leaves open is ended by `settle`. A group that another deployment holds is not
written to: every change by hand passes here, so here it is asked.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from predictive_scaling.errors import FleetBusy, WriteRefused
from predictive_scaling.findings import findings_of, verb_of
from predictive_scaling.ledger.records import Event, EventKind, Operation
from predictive_scaling.ownership import hold_by_hand
from predictive_scaling.write import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.findings import Findings
    from predictive_scaling.fleets import Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.workplace import Move, Workplace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a change: its operation, and the outcome of each move."""

    operation_id: str
    outcomes: tuple[Event, ...]


@dataclass(slots=True)
class Change:
    """The moves of one operation: made first, then seen to be in place."""

    at: Workplace
    operation: Operation
    intents: list[Event] = field(default_factory=list)
    outcomes: list[Event] = field(default_factory=list)

    def make(self, moves: Sequence[Move], unless: Callable[[], str] = str) -> Self:
        """Make them, in order; the operation stays open until somebody has looked."""
        self.intents = [_intent(self.at, move) for move in moves]
        self.operation = self.at.ledger.open(self.operation, self.intents[0])
        self._refuse(unless())
        for number, (move, intent) in enumerate(zip(moves, self.intents, strict=True)):
            if number:
                self.at.ledger.record(self.outcomes[-1], replace(intent, operation_id=self.operation.id))
            send = partial(move.send, self.at.fleet)
            self.outcomes.append(write(send, intent, self.operation, self.at.ledger))
        return self

    def _refuse(self, why: str) -> None:
        """Leave it, now that the fleet is ours alone, where there is something against it."""
        if why:
            self.at.ledger.close(self.operation, self.intents[0].unsent(why))
            raise FleetBusy(why)

    def seen(self, observed: Observed) -> Done:
        """End the operation by a look at the fleet; only what can be seen counts as applied."""
        return self.judged([findings_of(intent, observed, self.at.turn.now) for intent in _standing(self.intents)])

    def judged(self, found: Sequence[Findings]) -> Done:
        """End the operation by what a look has found of its intents."""
        last = self.outcomes.pop()
        errors = [findings.error for findings in found if findings.error]
        if errors:
            error = f"fleet {self.at.name}: read back, and {'; '.join(errors)}"
            self.at.ledger.close(self.operation, last.failed(error, made=found[-1].made))
            raise WriteRefused(error)
        verified = replace(last, reason=f"{last.reason}; read back and verified")
        self.at.ledger.close(self.operation, verified)
        self.outcomes.append(verified)
        return Done(operation_id=self.operation.id, outcomes=tuple(self.outcomes))


def change(kind: str, moves: Sequence[Move], at: Workplace) -> Done:
    """Make the moves as one operation, on a group that is ours, and look; raise after recording when that fails."""
    if at.claim and (noted := hold_by_hand(at.fleet, at.claim)):
        log.info("%s: %s", at.name, noted)
    return begun(kind, moves, at).seen(at.fleet.observe())


def begun(
    kind: str, moves: Sequence[Move], at: Workplace, *, lock: str = "", unless: Callable[[], str] = str
) -> Change:
    """Make the moves as one operation, and leave the look to the caller, who may look at many fleets at once.

    It holds the fleet, or what `lock` names in its place: a part of it that no change of its size touches. `unless`
    is asked once it does, and says what is against it by then.
    """
    by = at.turn.by
    content = [[move.call, dict(move.before), dict(move.after)] for move in moves]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    key = "/".join(str(part) for part in (kind, at.name, by.dag_id, by.run_id, by.task_id, by.map_index, digest))
    return Change(at, Operation(fleet=lock or at.name, kind=kind, key=key, by=by)).make(moves, unless)


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
    """Give what this task instance has already done to the fleet, oldest first, whatever its try, however long ago."""
    mine = ledger.events(fleet=fleet, kind=EventKind.INTENT, by=task, limit=1000)
    operations = {intent.operation_id for intent in mine}
    events = [event for each in operations for event in ledger.events(operation_id=each, limit=1000)]
    ended = sorted((event for event in events if event.kind is not EventKind.INTENT), key=lambda event: event.id or 0)
    ends = {(event.operation_id, event.call): event.kind for event in ended}
    return tuple(Told(intent=event, outcome=ends.get((event.operation_id, event.call))) for event in reversed(mine))


def _standing(intents: Sequence[Event]) -> list[Event]:
    """Leave out what a later move of the same change has moved on."""
    return [_without(_moved_on(each, intents[at + 1 :]), each) for at, each in enumerate(intents)]


def _moved_on(intent: Event, later: Sequence[Event]) -> frozenset[str]:
    """To let an instance go lowers the desired capacity; what was removed may be put anew."""
    match verb_of(intent.call):
        case "resize" if any(verb_of(each.call) == "retire" for each in later):
            return frozenset({"desired"})
        case "delete":
            return frozenset(name for each in later for name in each.after or {})
    return frozenset()


def _without(names: frozenset[str], intent: Event) -> Event:
    before = {name: value for name, value in (intent.before or {}).items() if name not in names}
    after = {name: value for name, value in (intent.after or {}).items() if name not in names}
    return replace(intent, before=before, after=after)


def _intent(at: Workplace, move: Move) -> Event:
    return Event(
        fleet=at.name,
        kind=EventKind.INTENT,
        reason=move.reason,
        by=at.turn.by,
        call=move.call,
        before=dict(move.before),
        after=dict(move.after),
        group_id=move.group_id,
    )
