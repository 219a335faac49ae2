"""One fleet's turn: look at the group, draw the plan from the newest forecast, put it in place, tell the story."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from forecasting import Plan, Step
from forecasting.override import overridden
from predictive_scaling.apply import Order, apply_plan
from predictive_scaling.approving import Agreed
from predictive_scaling.basis import Basis, basis_of
from predictive_scaling.concerns import Concern, concerns
from predictive_scaling.drawing import View, planned_for
from predictive_scaling.errors import (
    CloudUnavailable,
    FleetBusy,
    InvalidFleet,
    InvalidSetting,
    LedgerUnreachable,
    NoHistory,
    OutcomeUnknown,
    Unforeseen,
    WriteRefused,
)
from predictive_scaling.fleet_spec import HORIZON
from predictive_scaling.former_group import formers, leave
from predictive_scaling.lead_time import lead_time
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.overriding import bounding, in_force, said_since, usual_max
from predictive_scaling.ownership import Claim as Ours
from predictive_scaling.ownership import Held, hold, last_written
from predictive_scaling.permission import May, Permission, permission, stopped
from predictive_scaling.schedule import ACTIONS_PER_GROUP, Naming, counted
from predictive_scaling.settle import settle
from predictive_scaling.steered import Peak, Steered
from predictive_scaling.track_record import quantile_to_ask
from predictive_scaling.workplace import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from forecasting import Forecast, Policy
    from forecasting.accuracy import Accuracy
    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.former_group import Left
    from predictive_scaling.ledger.gates import Gate
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.status import Status

RESERVED: Final = 2
"""Slots of AWS's limit kept free: one to catch up with what should hold already, one for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All that a fleet's turn rests on."""

    spec: FleetSpec
    fleet: Fleet
    turn: Turn
    naming: Naming
    observed: Observed
    words: tuple[Override, ...]  # all that people have decided
    overrides: tuple[Override, ...]  # those of them that the plan must heed
    gate: Gate | None
    basis: Basis
    policy: Policy
    notes: tuple[str, ...]
    may: Permission
    left: tuple[Left, ...]

    @property
    def forecast(self) -> Forecast | None:
        """The forecast of its first load."""
        return next(iter(self.basis.forecasts), None)

    @property
    def has_actions(self) -> bool:
        """Whether there is something that we scheduled."""
        return any(self.naming.is_ours(action) for action in self.observed.actions)


def steer(spec: FleetSpec, around: Circumstances, *, now: datetime, before: Status | None = None) -> Steered:
    """Take one fleet from its newest forecast to scheduled actions; its status before tells which groups it had."""
    look = _look(spec, around, now, before)
    planned = _planned(look, around)
    order, held = _claimed(_order(look, planned, around), look, around)
    applied = apply_plan(order, held.observed, look.fleet, around.ledger)
    demand = look.forecast.value_at(now, look.policy.quantile) if look.forecast else None
    return Steered(
        fleet=spec.name,
        observed=held.observed,
        seen=_seen(look, demand),
        plan=order.plan,
        applied=applied,
        now=now,
        forecast_id=look.basis.forecast_id,
        policy=look.policy,
        demand=demand,
        accuracy=next(reversed(look.basis.accuracies.values()), None),
        stage=look.gate.standing.stage if look.gate else None,
        peak=_peak(look.forecast, look.policy.quantile) if look.forecast else None,
        notes=(*look.notes, *planned.notes, *held.notes, *(each.told for each in look.left)),
        questions=planned.questions,
        concerns=(
            *concerns(held, look.overrides, planned.verdicts, look.basis.accuracies, now=now),
            *(Concern("no plan", note) for note in look.basis.untold),
            *(each.concern for each in look.left),
        ),
        former=tuple(each.group_id for each in look.left),
    )


def _look(spec: FleetSpec, around: Circumstances, now: datetime, before: Status | None) -> Look:
    """Settle what an earlier turn left open, and look at everything a decision rests on."""
    fleet = around.reach(spec)
    turn = Turn(by=around.by, now=now, patience=around.patience)
    observed = settle(spec.name, fleet, around.ledger, turn)
    known = around.overrides.open(spec.name)
    left = leave(spec, observed, formers(observed, known, before), around, turn)
    overrides = in_force(spec, observed, known, around.desk, now=now)
    kept = around.gates.of(spec.name)
    gate = kept and kept.on(spec.measured_by)
    may = stopped(permission(spec, gate.standing if gate else None, dry_run=around.dry_run), overrides, now)
    naming = Naming(around.prefix, spec.name)
    bound = bool(overrides) or any(naming.is_ours(action) for action in observed.actions)
    basis, may = basis_of(spec, around, may, overrides, now)
    if basis.missing and not bound:
        raise NoHistory(basis.missing)
    usual = usual_max(overrides, spec.policy)
    floor = observed.min_size if bound and may.back else None
    within, notes = _within_group(spec, observed.max_size if usual is None else usual, floor)
    policy, learnt = _as_of_now(within, gate, basis.accuracies)
    return Look(
        spec=spec,
        fleet=fleet,
        turn=turn,
        naming=naming,
        observed=observed,
        words=tuple(known),
        overrides=overrides,
        gate=gate,
        basis=basis,
        policy=policy,
        notes=(*notes, *learnt),
        may=may,
        left=left,
    )


def _planned(look: Look, around: Circumstances) -> Agreed:
    """Draw the plan; a fleet without a forecast rests."""
    if not look.basis.forecasts:
        return Agreed(plan=_at_rest(look), notes=look.basis.untold)
    view = View(
        spec=look.spec,
        policy=look.policy,
        observed=look.observed,
        overrides=look.overrides,
        may=look.may,
        forecasts=look.basis.forecasts,
    )
    try:
        reserved = around.cost_gate.more_steps(look.spec.name) + 2 * len(look.overrides)
        return planned_for(view, _free_slots(look, reserved=reserved), around, look.turn.now)
    except InvalidSetting as error:  # a budget that cannot be read keeps plans back, and nobody from taking one back
        if look.may.may is May.PLAN:
            raise
        return Agreed(plan=_at_rest(look), notes=(str(error),))


def _order(look: Look, planned: Agreed, around: Circumstances) -> Order:
    """Say what is to be in place: the plan, or, where it may not be followed, rest and what a person decided."""
    order = Order(
        fleet=look.spec.name,
        plan=planned.plan,
        forecast_id=look.basis.forecast_id,
        naming=look.naming,
        turn=look.turn,
        group_id=look.observed.group_id,
        write=look.may.may is May.PLAN,
        why_not=look.may.reason,
        said_since=partial(_said_since, look, around),
    )
    laid = bounding(look.overrides)
    heeded = laid if look.may.may is May.OVERRIDE else ()
    if look.may.may in {May.NOTHING, May.PLAN} or not (look.has_actions or laid):
        return order
    rest = overridden(_at_rest(look), heeded, usual_max=usual_max(look.overrides, look.policy))
    return replace(order, plan=rest, write=True, why_not="", gives_back=not look.may.back)


def _said_since(look: Look, around: Circumstances) -> tuple[Override, ...]:
    """Give what people have decided since this turn began; who ended a stop left nothing of it."""
    words = around.overrides.open(look.spec.name)
    still = {each.id for each in words}
    gone = (each for each in look.overrides if each.id not in still)
    return (*said_since(look.words, words, look.turn.now), *gone)


def _claimed(order: Order, look: Look, around: Circumstances) -> tuple[Order, Held]:
    """Hold the group before it is written to; what another deployment holds is not written to."""
    spec, now = look.spec, look.turn.now
    if not order.write:
        return order, Held(observed=look.observed, permitted=look.may)
    told = around.ledger.bounds_written(spec.name, look.observed.group_id, within=HORIZON)
    ours = Ours(deployment=around.deployment, naming=order.naming, how=spec.ownership, written=last_written(told, now))
    held = hold(look.fleet, look.observed, ours, look.may, now=now)
    if held.permitted.may is May.NOTHING:
        order = replace(order, write=False, why_not=held.permitted.reason)
    return order, held


def _seen(look: Look, demand: float | None) -> str:
    spec, observed = look.spec, look.observed
    expects = "" if demand is None else f"; p{look.policy.quantile * 100:g} of {spec.metric.unit} now {demand:,.0f}"
    return (
        f"group {spec.group} at {observed.desired} desired, {observed.in_service} in service, bounds "
        f"{observed.min_size}..{observed.max_size}, {counted(observed.actions, 'scheduled action')}{expects}"
    )


def _as_of_now(policy: Policy, gate: Gate | None, accuracies: Mapping[str, Accuracy]) -> tuple[Policy, tuple[str, ...]]:
    """Give a policy as it holds this hour: as quick as the fleet boots, as sure as its forecasts have been."""
    lead, learnt = lead_time(policy.lead_time, gate)
    level, asks = quantile_to_ask(policy.quantile, accuracies)
    return replace(policy, lead_time=lead, quantile=level), (*learnt, *asks)


def _at_rest(look: Look) -> Plan:
    """Draw the plan of a fleet whose forecast is not followed."""
    if look.basis.followed:
        return _as_scheduled(look)
    policy, usual = look.policy, usual_max(look.overrides, look.policy)
    if usual is None and policy.breach_max is not None:
        usual = policy.max_size
    reason = f"no forecast is followed, floor at min_size {policy.min_size}: {look.may.reason}"
    return Plan((Step(look.turn.now, policy.min_size, reason, most=usual),))


def _as_scheduled(look: Look) -> Plan:
    """Draw the plan that AWS has of us already: it goes on until another can be drawn."""
    now, reason = look.turn.now, "as it was scheduled"
    ours = [each for each in look.observed.actions if look.naming.is_ours(each)]
    steps = sorted(
        (
            Step(each.start, each.min_size, reason, most=each.max_size)
            for each in ours
            if each.start is not None and each.min_size is not None
        ),
        key=lambda step: step.at,
    )
    held = next((step for step in reversed(steps) if step.at <= now), Step(now, look.observed.min_size, reason))
    return Plan((replace(held, at=now), *(step for step in steps if step.at > now)))


def _peak(forecast: Forecast, quantile: float) -> Peak:
    values = forecast.at(quantile)
    slot = int(values.argmax())
    return Peak(demand=float(values[slot]), at=forecast.start + slot * forecast.step)


def _within_group(spec: FleetSpec, group_max: int, floor: int | None) -> tuple[Policy, tuple[str, ...]]:
    """The group's own maximum is somebody's decision too: plan within it, and say when it binds.

    Where no more is to be done than to take back, a `min` it rules out leaves the group at the floor it has.
    """
    policy = spec.policy
    if policy.min_size > group_max:
        msg = (
            f"fleet {spec.name}: min {policy.min_size} is above the maximum {group_max} of group {spec.group}: "
            "lower min in the fleet file or raise the group's MaxSize"
        )
        if floor is None:
            raise InvalidFleet(msg)
        return replace(policy, min_size=floor, max_size=max(floor, group_max)), (msg,)
    if policy.max_size <= group_max or policy.breach_max is not None:
        return policy, ()
    note = f"the group's own maximum {group_max} binds before max {policy.max_size} of the fleet file"
    return replace(policy, max_size=group_max), (note,)


def _free_slots(look: Look, *, reserved: int) -> int:
    """Count what is left of AWS's limit; an override may cut a step twice, and a budget a few times."""
    foreign = sum(not look.naming.is_ours(action) for action in look.observed.actions)
    return max(2, ACTIONS_PER_GROUP - foreign - RESERVED - reserved)


def refusal(spec: FleetSpec, error: Exception, by: TaskRun) -> Event:
    """Tell the ledger why a fleet was left as it is."""
    kind = EventKind.HELD if may_pass(error) else EventKind.REFUSED
    return Event(fleet=spec.name, kind=kind, by=by, reason="the fleet was left as it is", error=str(error))


def may_pass(error: Exception) -> bool:
    """Whether the same attempt, made later, may succeed without a person's help."""
    passing = FleetBusy | CloudUnavailable | LedgerUnreachable | OutcomeUnknown | WriteRefused | Unforeseen
    return isinstance(error, passing)
