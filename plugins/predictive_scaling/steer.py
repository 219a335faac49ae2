"""One fleet's turn: look at the group, draw the plan from the newest forecast, put it in place, tell the story."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from forecasting import Plan, Step
from forecasting.override import overridden
from predictive_scaling.apply import Applied, Order, apply_plan
from predictive_scaling.approving import Agreed
from predictive_scaling.concerns import concerns
from predictive_scaling.drawing import View, planned_for
from predictive_scaling.errors import CloudUnavailable, FleetBusy, InvalidFleet, NoHistory, OutcomeUnknown, WriteRefused
from predictive_scaling.lead_time import lead_time
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.overriding import bounding, in_force, usual_max
from predictive_scaling.ownership import Claim as Ours
from predictive_scaling.ownership import Held, hold, last_written
from predictive_scaling.permission import May, Permission, permission, stopped
from predictive_scaling.schedule import ACTIONS_PER_GROUP, NOTICE, Naming, ScheduledAction, counted
from predictive_scaling.settle import Turn, settle
from predictive_scaling.track_record import quantile_to_ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from forecasting import Forecast, Policy
    from forecasting.accuracy import Accuracy
    from forecasting.approval import Question
    from forecasting.gate import Stage
    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.concerns import Concern
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.ledger.gates import Gate
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.storage import Storage

RECENT: Final = 200
"""Events of a fleet among which its last writes are looked for."""
RESERVED: Final = 2
"""Slots of AWS's limit kept free: one to catch up with what should hold already, one for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most that is expected, at the fleet's quantile, and when."""

    demand: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """What was seen, decided and done about one fleet."""

    fleet: str
    observed: Observed
    seen: str
    plan: Plan
    applied: Applied
    now: datetime
    forecast_id: str | None
    policy: Policy
    demand: float | None
    accuracy: Accuracy | None
    stage: Stage | None
    peak: Peak | None
    notes: tuple[str, ...] = field(default=())
    questions: tuple[Question, ...] = field(default=())  # that wait for a person
    concerns: tuple[Concern, ...] = field(default=())

    def story(self) -> list[str]:
        """Tell it to the person who reads the task log at night."""
        coming = [step for step in self.plan.steps if step.at > self.now]
        held = self.plan.step_at(self.now)
        catch_up = [action for action in self.applied.changes.put if self._is_catch_up(action)]
        lines = [
            f"saw {self.seen}",
            *self.notes,
            self._decision([step.capacity for step in self.plan.steps]),
            self._deed(),
            *(f"  now, at {action.start:%H:%M} UTC -> {action.min_size}: {held.reason}" for action in catch_up),
            *(f"  {step.at:%a %H:%M} UTC -> {step.capacity}: {step.reason}" for step in coming[:3]),
        ]
        if len(coming) > 3:  # noqa: PLR2004 - three lines are shown above
            lines.append(f"  and {len(coming) - 3} more, the last at {coming[-1].at:%a %H:%M} UTC")
        return [f"{self.fleet}: {line}" for line in lines]

    def _is_catch_up(self, action: ScheduledAction) -> bool:
        """Whether the action brings what should hold already, before the first step that is still to come."""
        coming = next((step.at for step in self.plan.steps if step.at > self.now + NOTICE), None)
        return action.start is not None and (coming is None or action.start < coming)

    def _deed(self) -> str:
        changes = self.applied.changes
        if not changes:
            return f"wrote nothing: {self.applied.reason}"
        counts = f"{counted(changes.put, 'new action')}, {counted(changes.delete, 'removal')}, {len(changes.keep)} kept"
        return f"{'wrote' if self.applied.written else 'wrote nothing of'} {counts}; {self.applied.reason}"

    def _decision(self, capacities: list[int]) -> str:
        return (
            f"decided {len(capacities)} steps between {min(capacities)} and {max(capacities)} instances "
            f"(plan {self.plan.plan_id}, forecast {self.forecast_id})"
        )


def steer(spec: FleetSpec, around: Circumstances, *, now: datetime) -> Steered:
    """Take one fleet from its newest forecast to scheduled actions."""
    fleet = around.reach(spec)
    turn = Turn(by=around.by, now=now, patience=around.patience)
    observed = settle(spec.name, fleet, around.ledger, turn)
    overrides = in_force(spec.name, observed, around.desk, now=now)
    gate, accuracies = around.gates.of(spec.name), around.storage.accuracies(spec)
    usual = usual_max(overrides)
    policy, notes = _policy(spec, observed.max_size if usual is None else usual, gate, accuracies)
    may = stopped(permission(spec, gate.standing if gate else None, dry_run=around.dry_run), overrides, now)
    naming = Naming(around.prefix, spec.name)
    bound = overrides or [action for action in observed.actions if naming.is_ours(action)]
    forecast_id, forecast, may = _foreseen(spec, around.storage, may, needed=not bound)
    slots = _free_slots(observed, naming, reserved=around.cost_gate.more_steps(spec.name) + 2 * len(overrides))
    planned = Agreed(plan=_at_rest(policy, overrides, may, now))
    if forecast:
        view = View(spec=spec, policy=policy, observed=observed, overrides=overrides, may=may, forecast=forecast)
        planned = planned_for(view, slots, around, now)
    order = Order(
        fleet=spec.name,
        plan=planned.plan,
        forecast_id=forecast_id,
        naming=naming,
        turn=turn,
        write=may.may is May.PLAN,
        why_not=may.reason,
    )
    order = _without_plan(order, may, observed, overrides, policy) or order
    order, held = _claimed(order, observed, spec, may, around)
    applied = apply_plan(order, held.observed, fleet, around.ledger)
    demand = forecast.value_at(now, policy.quantile) if forecast else None
    return Steered(
        fleet=spec.name,
        observed=held.observed,
        seen=_seen(spec, observed, policy.quantile, demand),
        plan=order.plan,
        applied=applied,
        now=now,
        forecast_id=forecast_id,
        policy=policy,
        demand=demand,
        accuracy=next(reversed(accuracies.values()), None),
        stage=gate.standing.stage if gate else None,
        peak=_peak(forecast, policy.quantile) if forecast else None,
        notes=(*notes, *planned.notes, *held.notes),
        questions=planned.questions,
        concerns=concerns(held, overrides, planned.verdicts, accuracies, now=now),
    )


def _claimed(
    order: Order, observed: Observed, spec: FleetSpec, may: Permission, around: Circumstances
) -> tuple[Order, Held]:
    """Hold the group before it is written to; what another deployment holds is not written to."""
    if not order.write:
        return order, Held(observed=observed, permitted=may)
    now = order.turn.now
    written = last_written(around.ledger.events(fleet=spec.name, limit=RECENT), now)
    ours = Ours(deployment=around.deployment, naming=order.naming, how=spec.ownership, written=written)
    held = hold(around.reach(spec), observed, ours, may, now=now)
    if held.permitted.may is May.NOTHING:
        order = replace(order, write=False, why_not=held.permitted.reason)
    return order, held


def _foreseen(
    spec: FleetSpec, storage: Storage, may: Permission, *, needed: bool
) -> tuple[str | None, Forecast | None, Permission]:
    """Give the newest forecast; without one a person's word still holds, and what was scheduled can be taken back."""
    try:
        return *storage.newest_forecast(spec), may
    except NoHistory as error:
        if needed:
            raise
        return None, None, Permission(min(may.may, May.OVERRIDE), str(error))


def _seen(spec: FleetSpec, observed: Observed, quantile: float, demand: float | None) -> str:
    expects = "" if demand is None else f"; p{quantile * 100:g} of {spec.metric.unit} now {demand:,.0f}"
    return (
        f"group {spec.group} at {observed.desired} desired, {observed.in_service} in service, bounds "
        f"{observed.min_size}..{observed.max_size}, {len(observed.actions)} scheduled actions{expects}"
    )


def _policy(
    spec: FleetSpec, group_max: int, gate: Gate | None, accuracies: Mapping[str, Accuracy]
) -> tuple[Policy, tuple[str, ...]]:
    """Give the fleet's policy as it holds this hour: within the group, as quick as it boots, as sure as it has been."""
    policy, bound = _within_group(spec, group_max)
    lead, learnt = lead_time(policy.lead_time, gate)
    level, asks = quantile_to_ask(policy.quantile, accuracies)
    return replace(policy, lead_time=lead, quantile=level), (*bound, *learnt, *asks)


def _at_rest(policy: Policy, overrides: Sequence[Override], may: Permission, now: datetime) -> Plan:
    """Draw the plan of a fleet whose forecast is not followed."""
    usual = usual_max(overrides)
    if usual is None and policy.breach_max is not None:
        usual = policy.max_size
    reason = f"no forecast is followed, floor at min_size {policy.min_size}: {may.reason}"
    return Plan((Step(now, policy.min_size, reason, most=usual),))


def _without_plan(
    order: Order, may: Permission, observed: Observed, overrides: Sequence[Override], policy: Policy
) -> Order | None:
    """Where the forecast may not be followed, what was scheduled goes, and what a person decided is laid over rest."""
    ours = any(order.naming.is_ours(action) for action in observed.actions)
    heeded = bounding(overrides) if may.may is May.OVERRIDE else ()
    if may.may in {May.NOTHING, May.PLAN} or not (ours or heeded):
        return None
    rest = _at_rest(policy, overrides, may, order.turn.now)
    return replace(order, plan=overridden(rest, heeded, usual_max=usual_max(overrides)), write=True, why_not="")


def _peak(forecast: Forecast, quantile: float) -> Peak:
    values = forecast.at(quantile)
    slot = int(values.argmax())
    return Peak(demand=float(values[slot]), at=forecast.start + slot * forecast.step)


def _within_group(spec: FleetSpec, group_max: int) -> tuple[Policy, tuple[str, ...]]:
    """The group's own maximum is somebody's decision too: plan within it, and say when it binds."""
    policy = spec.policy
    if policy.min_size > group_max:
        msg = (
            f"fleet {spec.name}: min {policy.min_size} is above the maximum {group_max} of group {spec.group}: "
            "lower min in the fleet file or raise the group's MaxSize"
        )
        raise InvalidFleet(msg)
    if policy.max_size <= group_max or policy.breach_max is not None:
        return policy, ()
    note = f"the group's own maximum {group_max} binds before max {policy.max_size} of the fleet file"
    return replace(policy, max_size=group_max), (note,)


def _free_slots(observed: Observed, naming: Naming, *, reserved: int) -> int:
    """Count what is left of AWS's limit; an override may cut a step twice, and a budget a few times."""
    foreign = sum(not naming.is_ours(action) for action in observed.actions)
    return max(2, ACTIONS_PER_GROUP - foreign - RESERVED - reserved)


def refusal(spec: FleetSpec, error: Exception, by: TaskRun) -> Event:
    """Tell the ledger why a fleet was left as it is."""
    kind = EventKind.HELD if may_pass(error) else EventKind.REFUSED
    return Event(fleet=spec.name, kind=kind, by=by, reason="the fleet was left as it is", error=str(error))


def may_pass(error: Exception) -> bool:
    """Whether the same attempt, made later, may succeed without a person's help."""
    return isinstance(error, FleetBusy | CloudUnavailable | OutcomeUnknown | WriteRefused)
