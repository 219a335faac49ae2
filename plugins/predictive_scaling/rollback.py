"""Put back what one operation changed: each operation restores exactly what it moved, and nothing beside it.

The state before is in the operation's intents. What the group shows now must be what the operation left, or what was
before it; anything else is somebody else's change, and is left alone unless the person insists.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.calls import calls_for
from predictive_scaling.change import change, would
from predictive_scaling.errors import ChangedSince, NotAllowed, NothingToRestore
from predictive_scaling.findings import verb_of
from predictive_scaling.fleets import Observed, ScheduledAction, Sizes
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.raised import restore_unfollowed
from predictive_scaling.schedule import NOTICE, Changes, counted
from predictive_scaling.settle import settle
from predictive_scaling.sizing import resize_move
from predictive_scaling.workplace import Move, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from predictive_scaling.calls import Call
    from predictive_scaling.ledger import Ledger

KIND: Final = "rollback"
_BOUNDED: Final = ("min", "max", "desired")
_SIZES: Final = (*_BOUNDED, "on_demand")
BURST: Final = "burst"
"""The name of what a split of traffic changes: the percent that go to the burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Two states of the things one operation changed: before it, and as it left them. None: not there."""

    operation_id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    story: str
    group_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a rollback did, and what it could not."""

    operation_id: str
    written: bool
    lines: tuple[str, ...] = field(default=())


def find_event(ledger: Ledger, *, event_id: int | None = None, operation_id: str | None = None) -> Event:
    """Give the event that is named, or the newest one of the operation that is."""
    if operation_id:
        found = next(iter(ledger.events(operation_id=operation_id, limit=1)), None)
    else:
        found = ledger.event(event_id or 0)
    if found is None:
        name = f"operation {operation_id!r}" if operation_id else f"event {event_id}"
        msg = f"there is no {name} in the ledger: `predictive-scaling ledger --json` lists the ids"
        raise NothingToRestore(msg)
    return found


def undo_of(event: Event, ledger: Ledger) -> Undo:
    """Read from the ledger what the event's operation changed."""
    if event.operation_id is None:
        msg = f"event {event.id} ({event.kind}: {event.reason}) belongs to no operation: it changed nothing"
        raise NothingToRestore(msg)
    events = sorted(ledger.events(operation_id=event.operation_id, limit=1000), key=lambda each: each.id or 0)
    made = {each.call: each for each in events if each.has_changed}
    intents = [each for each in events if each.kind is EventKind.INTENT and each.call in made]
    if not intents:
        msg = f"operation {event.operation_id} changed nothing that could be put back: none of its calls was applied"
        raise NothingToRestore(msg)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for intent in intents:
        was, became = _states(intent, made[intent.call])
        before = {**was, **before}
        after.update(became)
    first = intents[0]
    return Undo(
        operation_id=event.operation_id, before=before, after=after, story=first.reason, group_id=first.group_id
    )


def moved_traffic(event: Event, ledger: Ledger) -> bool:
    """Whether the event's operation moved traffic, and not the group."""
    events = ledger.events(operation_id=event.operation_id, limit=1000) if event.operation_id else ()
    return any(BURST in (each.before or {}) for each in events)


def roll_back(event: Event, at: Workplace, reason: str, *, force: bool = False, why_not: str = "") -> Restored:
    """Restore the state before the event's operation, or say why not; what is as it was is not written again.

    What the operation changed is known only once a look has ended what a dead task left open of it.
    """
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    undo = undo_of(event, at.ledger)
    _refuse_elsewhere(undo, observed, at.name)
    if not why_not:
        observed = restore_unfollowed(at, observed)
    present = _present(undo, observed)
    foreign = [name for name, value in present.items() if _moved_since(undo, name, value, at.turn.now)]
    lines = [f"rolling back operation {undo.operation_id}: {undo.story}"]
    if foreign and not force:
        told = "; ".join(
            f"{name} is {present[name]}, was left at {undo.after[name]}, and was {undo.before[name]} before"
            for name in foreign
        )
        msg = f"fleet {at.name}: changed by somebody else since: {told}; tick `force` to put it back all the same"
        raise ChangedSince(msg)
    moves, notes = _moves(undo, observed, f"roll back: {reason}", at.turn.now)
    lines += notes
    if not moves:
        return Restored(operation_id=undo.operation_id, written=False, lines=(*lines, "all is as it was before"))
    _refuse_beyond_a_word(moves, observed, at)
    if why_not:
        would(moves, why_not, at)
        lines += [f"would {move.call}; {why_not}" for move in moves]
        return Restored(operation_id=undo.operation_id, written=False, lines=tuple(lines))
    done = change(KIND, moves, at)
    lines += [outcome.reason for outcome in done.outcomes]
    return Restored(operation_id=done.operation_id, written=True, lines=tuple(lines))


def _refuse_elsewhere(undo: Undo, observed: Observed, fleet: str) -> None:
    """What was before on one group says nothing of another."""
    if observed.is_other_than(undo.group_id):
        msg = (
            f"fleet {fleet}: operation {undo.operation_id} changed group {undo.group_id}, and the fleet steers "
            f"{observed.group_id} by now: put it back there by hand, or name that group in the fleet file again"
        )
        raise NotAllowed(msg)


def _refuse_beyond_a_word(moves: Sequence[Move], observed: Observed, at: Workplace) -> None:
    """What a person has laid over the plan bounds what an older state may bring back, at any time it holds."""
    for when, name, size in _brought(moves, at.turn.now):
        rule = at.rules(observed, when)
        if rule and rule.bound(size) != size:
            msg = (
                f"fleet {at.name}: {name} {size} of {when:%a %H:%M} UTC would go beyond {rule}: "
                "end it with resume_fleet first"
            )
            raise NotAllowed(msg)


def _brought(moves: Iterable[Move], now: datetime) -> Iterator[tuple[datetime, str, int]]:
    """Yield the sizes that the moves bring, and when."""
    for move in moves:
        sizes = (
            [(now, move.after)]
            if verb_of(move.call) == "resize"
            else [(_starts(action), action) for action in move.after.values()]
        )
        for when, given in sizes:
            yield from ((when, name, given[name]) for name in _BOUNDED if given.get(name) is not None)


def _moved_since(undo: Undo, name: str, present: Any, now: datetime) -> bool:
    """Whether somebody else changed it; an action whose time has come was carried out, and went by itself."""
    left = undo.after[name]
    if present is None and isinstance(left, dict) and _starts(left) <= now:
        return False
    return present not in (undo.before[name], left)


def _states(intent: Event, outcome: Event) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both states of what one intent changed, by the name of the size or action; a failure changed a part of it."""
    before, after = intent.before or {}, intent.after or {}
    names = intent.changed if outcome.kind is EventKind.APPLIED else intent.changed & outcome.changed
    if verb_of(intent.call) in {"resize", "retire"}:
        names = names & after.keys() & frozenset(_SIZES)
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _present(undo: Undo, observed: Observed) -> dict[str, Any]:
    """What is there now of the things the operation changed."""
    sizes = observed.sizes.as_json()
    actions = {action.name: action.as_json() for action in observed.actions}
    return {name: sizes.get(name) if name in _SIZES else actions.get(name) for name in undo.before}


def _moves(undo: Undo, observed: Observed, reason: str, now: datetime) -> tuple[list[Move], list[str]]:
    present = _present(undo, observed)
    wanted = {name: value for name, value in undo.before.items() if present[name] != value}
    sizes, notes = _sizes_back({name: wanted[name] for name in _SIZES if name in wanted}, observed)
    moves = [resize_move("back to what it was", reason, observed, sizes)] if sizes else []
    actions = {name: value for name, value in wanted.items() if name not in _SIZES}
    passed = [name for name, value in actions.items() if value and _starts(value) <= now + NOTICE]
    if passed:
        notes.append(
            f"{counted(passed, 'action')} not put back, for their time has passed: {', '.join(sorted(passed))}"
        )
    back = tuple(_action(name, value) for name, value in sorted(actions.items()) if value and name not in passed)
    away = sorted(name for name, value in actions.items() if value is None)
    gone = tuple(_action(name, present[name]) for name in away)
    calls = calls_for(Changes(put=back, delete=gone), observed.actions)
    moves += [replace(_move(call, reason, present), group_id=observed.group_id) for call in calls]
    if actions:
        notes.append("the next run of apply_plans draws the plan again: pause the fleet to keep it so")
    return moves, notes


def _sizes_back(wanted: Mapping[str, int], observed: Observed) -> tuple[Sizes, list[str]]:
    """Desired goes back as near as the bounds, once they are back, allow."""
    if "desired" not in wanted:
        return Sizes.from_json(wanted), []
    bounds = {**observed.sizes.as_json(), **wanted}
    desired = min(max(wanted["desired"], bounds["min"]), bounds["max"])
    note = f"desired goes to {desired}, not {wanted['desired']}: the bounds are {bounds['min']}..{bounds['max']} now"
    notes = [note] if desired != wanted["desired"] else []
    kept = {
        name: size for name, size in {**wanted, "desired": desired}.items() if observed.sizes.as_json()[name] != size
    }
    return Sizes.from_json(kept), notes


def _move(call: Call, reason: str, present: Mapping[str, Any]) -> Move:
    return Move(
        call=call.name,
        reason=f"{reason}: {call.verb} {counted(call.actions, 'action')}",
        before={action.name: present[action.name] for action in call.actions if present[action.name]},
        after={action.name: action.as_json() for action in call.actions} if call.verb == "put" else {},
        send=call.made_on,
    )


def _starts(action: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(action["start"])


def _action(name: str, fields: Mapping[str, Any]) -> ScheduledAction:
    sizes = Sizes.from_json({key: fields[key] for key in _SIZES if key in fields})
    return ScheduledAction(
        name=name, start=_starts(fields), min_size=sizes.min_size, max_size=sizes.max_size, desired=sizes.desired
    )
