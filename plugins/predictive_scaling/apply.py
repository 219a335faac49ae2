"""Bring a group's schedule to a plan: compare, remember the intent, write, remember the outcome, look again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from predictive_scaling.calls import calls_for
from predictive_scaling.errors import CloudUnavailable, FleetBusy, GroupNotFound, WriteRefused
from predictive_scaling.ledger.records import Event, EventKind, Operation
from predictive_scaling.raised import restore_unfollowed
from predictive_scaling.schedule import Changes, Naming, changes_between, counted, wanted_actions
from predictive_scaling.workplace import Workplace
from predictive_scaling.write import write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forecasting import Plan
    from forecasting.override import Override
    from predictive_scaling.calls import Call
    from predictive_scaling.fleets import Fleet, Observed, ScheduledAction
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.workplace import Turn

KIND: Final = "apply_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A plan to be put in place for one fleet, by whom, and whether writing is allowed."""

    fleet: str
    plan: Plan
    forecast_id: str | None
    naming: Naming
    turn: Turn
    write: bool
    group_id: str | None = None
    why_not: str = ""
    gives_back: bool = True  # what did not come of a raise that nobody follows any more
    said_since: Callable[[], Sequence[Override]] = tuple  # what people have decided while the plan was drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was done about an order."""

    changes: Changes
    written: bool
    reason: str


def apply_plan(order: Order, observed: Observed, fleet: Fleet, ledger: Ledger) -> Applied:
    """Put the plan in place on a fleet just observed; raise after recording when that fails."""
    if order.write and order.gives_back:
        at = Workplace(name=order.fleet, fleet=fleet, ledger=ledger, turn=order.turn)
        observed = restore_unfollowed(at, observed)
    changes = changes_of(order, observed)
    if not changes:
        why_not = f"; {order.why_not}" if order.why_not else ""
        return Applied(changes=changes, written=False, reason=f"{counted(changes.keep, 'action')} in place{why_not}")
    if not order.write:
        ledger.record(_observed_event(order, changes))
        return Applied(changes=changes, written=False, reason=order.why_not)
    _Writer(order=order, fleet=fleet, ledger=ledger).write(changes, observed)
    return Applied(changes=changes, written=True, reason="written, read back and verified")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Makes one fleet's changes, call by call, each between its intent and its outcome."""

    order: Order
    fleet: Fleet
    ledger: Ledger

    def write(self, changes: Changes, observed: Observed) -> None:
        """Make the calls, then read back."""
        present = {action.name: action for action in observed.actions}
        first, *others = calls_for(changes, observed.actions)
        intent = _intent(self.order, first, present)
        operation = self.ledger.open(_operation(self.order, changes, observed), intent)
        self._look_again(observed, intent, operation)
        outcome = self._made(first, intent, operation)
        for call in others:
            intent = _intent(self.order, call, present)
            self.ledger.record(outcome, replace(intent, operation_id=operation.id))
            outcome = self._made(call, intent, operation)
        self._verify(operation, outcome)

    def _look_again(self, observed: Observed, intent: Event, operation: Operation) -> None:
        """Close the operation if the plan can no longer be written as it was drawn."""
        try:
            self._refuse_if_changed(observed)
        except (FleetBusy, CloudUnavailable, GroupNotFound) as error:
            self.ledger.close(operation, intent.unsent(str(error)))
            raise

    def _refuse_if_changed(self, observed: Observed) -> None:
        """The fleet is ours only now: what somebody said or changed since the look, a stop not least, is not undone."""
        if said := self.order.said_since():
            what = "; ".join(map(str, said))
            msg = f"fleet {self.order.fleet}: decided while its plan was drawn: {what}; the retry draws it anew"
            raise FleetBusy(msg)
        if _steered(self.order, self.fleet.observe()) != _steered(self.order, observed):
            msg = f"fleet {self.order.fleet}: the group was changed while its plan was drawn; the retry draws it anew"
            raise FleetBusy(msg)

    def _made(self, call: Call, intent: Event, operation: Operation) -> Event:
        return write(partial(call.made_on, self.fleet), intent, operation, self.ledger)

    def _verify(self, operation: Operation, outcome: Event) -> None:
        """Read back; only what can be seen in the group counts as applied."""
        left = changes_of(self.order, self.fleet.observe())
        if not left:
            self.ledger.close(operation, replace(outcome, reason=f"{outcome.reason}; read back and verified"))
            return
        names = [action.name for action in (*left.put, *left.delete)]
        error = f"fleet {self.order.fleet}: read back, and these actions are not as written: {', '.join(names)}"
        self.ledger.close(operation, outcome.failed(error, made=outcome.changed.difference(names)))
        raise WriteRefused(error)


def changes_of(order: Order, observed: Observed) -> Changes:
    """Give what is left to be done until a group is as its order says."""
    present, now = observed.actions, order.turn.now
    wanted = wanted_actions(order.plan, order.naming, observed, now=now)
    return changes_between(present, wanted, order.naming, now=now)


def _steered(order: Order, observed: Observed) -> tuple[object, ...]:
    """What a plan moves: the bounds, and our actions."""
    ours = sorted(str(action) for action in observed.actions if order.naming.is_ours(action))
    return observed.min_size, observed.max_size, ours


def _operation(order: Order, changes: Changes, observed: Observed) -> Operation:
    """The key names exactly this change by exactly this task, so that two copies of a task cannot both make it."""
    ours = [action for action in observed.actions if order.naming.is_ours(action)]
    content = [_json(ours), _json(changes.put), _json(changes.delete)]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    by = order.turn.by
    key = "/".join(str(part) for part in (KIND, order.fleet, by.dag_id, by.run_id, by.task_id, by.map_index, digest))
    return Operation(fleet=order.fleet, kind=KIND, key=key, plan_id=order.plan.plan_id, by=by)


def _intent(order: Order, call: Call, present: dict[str, ScheduledAction]) -> Event:
    before = _json([present[action.name] for action in call.actions if action.name in present])
    after = _json(call.actions) if call.verb == "put" else {}
    verb = "schedule" if call.verb == "put" else "remove"
    reason = f"{verb} {counted(call.actions, 'action')}: {_first_reason(order, call)}"
    return replace(_event(order, EventKind.INTENT, reason), call=call.name, before=before, after=after)


def _first_reason(order: Order, call: Call) -> str:
    if call.verb == "delete":
        return "the plan no longer asks for them as they are"
    first = min(call.actions, key=lambda action: str(action.start))
    step = next((step for step in reversed(order.plan.steps) if first.start and step.at <= first.start), None)
    return step.reason if step else "the plan asks for them"


def _observed_event(order: Order, changes: Changes) -> Event:
    """What would have been done, in brief: an hourly event must stay small."""
    capacities = [step.capacity for step in order.plan.steps]
    reason = (
        f"would schedule {counted(changes.put, 'action')} and remove {len(changes.delete)}, "
        f"for {counted(capacities, 'step')} between {min(capacities)} and {max(capacities)} instances; {order.why_not}"
    )
    return _event(order, EventKind.OBSERVED, reason)


def _event(order: Order, kind: EventKind, reason: str) -> Event:
    return Event(
        fleet=order.fleet,
        kind=kind,
        reason=reason,
        by=order.turn.by,
        forecast_id=order.forecast_id,
        plan_id=order.plan.plan_id,
        group_id=order.group_id,
    )


def _json(actions: Sequence[ScheduledAction]) -> dict[str, dict[str, object]]:
    return {action.name: action.as_json() for action in actions}
