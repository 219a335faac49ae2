"""One fleet's turn: look at the group, draw the plan from the newest forecast, put it in place, tell the story."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from forecasting import Plan, Step
from forecasting.override import overridden
from predictive_scaling.apply import Order, apply_plan
from predictive_scaling.approving import Agreed
from predictive_scaling.concerns import concerns
from predictive_scaling.drawing import View, planned_for
from predictive_scaling.errors import (
    CloudUnavailable,
    FleetBusy,
    InvalidFleet,
    InvalidSetting,
    NoHistory,
    OutcomeUnknown,
    Unforeseen,
    WriteRefused,
)
from predictive_scaling.lead_time import lead_time
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.overriding import bounding, in_force, usual_max
from predictive_scaling.ownership import Claim as Ours
from predictive_scaling.ownership import Held, hold, last_written
from predictive_scaling.permission import May, Permission, permission, stopped
from predictive_scaling.schedule import ACTIONS_PER_GROUP, Naming
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
    from predictive_scaling.ledger.gates import Gate
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.storage import Storage

RECENT: Final = 200
"""Events of a fleet among which its last writes are looked for."""
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
    overrides: tuple[Override, ...]
    gate: Gate | None
    accuracies: dict[str, Accuracy]
    policy: Policy
    notes: tuple[str, ...]
    may: Permission
    forecast_id: str | None
    forecasts: tuple[Forecast, ...]  # of each load, or none

    @property
    def forecast(self) -> Forecast | None:
        """The forecast of its first load."""
        return next(iter(self.forecasts), None)

    @property
    def has_actions(self) -> bool:
        """Whether there is something that we scheduled."""
        return any(self.naming.is_ours(action) for action in self.observed.actions)


def steer(spec: FleetSpec, around: Circumstances, *, now: datetime) -> Steered:
    """Take one fleet from its newest forecast to scheduled actions."""
    look = _look(spec, around, now)
    planned = _planned(look, around)
    order, held = _claimed(_order(look, planned), look, around)
    applied = apply_plan(order, held.observed, look.fleet, around.ledger)
    demand = look.forecast.value_at(now, look.policy.quantile) if look.forecast else None
    return Steered(
        fleet=spec.name,
        observed=held.observed,
        seen=_seen(look, demand),
        plan=order.plan,
        applied=applied,
        now=now,
        forecast_id=look.forecast_id,
        policy=look.policy,
        demand=demand,
        accuracy=next(reversed(look.accuracies.values()), None),
        stage=look.gate.standing.stage if look.gate else None,
        peak=_peak(look.forecast, look.policy.quantile) if look.forecast else None,
        notes=(*look.notes, *planned.notes, *held.notes),
        questions=planned.questions,
        concerns=concerns(held, look.overrides, planned.verdicts, look.accuracies, now=now),
    )


def _look(spec: FleetSpec, around: Circumstances, now: datetime) -> Look:
    """Settle what an earlier turn left open, and look at everything a decision rests on."""
    fleet = around.reach(spec)
    turn = Turn(by=around.by, now=now, patience=around.patience)
    observed = settle(spec.name, fleet, around.ledger, turn)
    overrides = in_force(spec.name, observed, around.desk, now=now)
    kept, accuracies = around.gates.of(spec.name), around.storage.accuracies(spec)
    gate = kept and kept.on(spec.measured_by)
    usual = usual_max(overrides)
    policy, notes = _policy(spec, observed.max_size if usual is None else usual, gate, accuracies)
    may = stopped(permission(spec, gate.standing if gate else None, dry_run=around.dry_run), overrides, now)
    naming = Naming(around.prefix, spec.name)
    bound = bool(overrides) or any(naming.is_ours(action) for action in observed.actions)
    forecast_id, forecasts, may = _foreseen(spec, around.storage, may, needed=not bound)
    return Look(
        spec=spec,
        fleet=fleet,
        turn=turn,
        naming=naming,
        observed=observed,
        overrides=overrides,
        gate=gate,
        accuracies=accuracies,
        policy=policy,
        notes=notes,
        may=may,
        forecast_id=forecast_id,
        forecasts=forecasts,
    )


def _planned(look: Look, around: Circumstances) -> Agreed:
    """Draw the plan; a fleet without a forecast rests."""
    if not look.forecasts:
        return Agreed(plan=_at_rest(look))
    view = View(
        spec=look.spec,
        policy=look.policy,
        observed=look.observed,
        overrides=look.overrides,
        may=look.may,
        forecasts=look.forecasts,
    )
    try:
        reserved = around.cost_gate.more_steps(look.spec.name) + 2 * len(look.overrides)
        return planned_for(view, _free_slots(look, reserved=reserved), around, look.turn.now)
    except InvalidSetting as error:  # a budget that cannot be read keeps plans back, and nobody from taking one back
        if look.may.may is May.PLAN:
            raise
        return Agreed(plan=_at_rest(look), notes=(str(error),))


def _order(look: Look, planned: Agreed) -> Order:
    """Say what is to be in place: the plan, or, where it may not be followed, rest and what a person decided."""
    order = Order(
        fleet=look.spec.name,
        plan=planned.plan,
        forecast_id=look.forecast_id,
        naming=look.naming,
        turn=look.turn,
        write=look.may.may is May.PLAN,
        why_not=look.may.reason,
    )
    laid = bounding(look.overrides)
    heeded = laid if look.may.may is May.OVERRIDE else ()
    if look.may.may in {May.NOTHING, May.PLAN} or not (look.has_actions or laid):
        return order
    rest = overridden(_at_rest(look), heeded, usual_max=usual_max(look.overrides))
    return replace(order, plan=rest, write=True, why_not="")


def _claimed(order: Order, look: Look, around: Circumstances) -> tuple[Order, Held]:
    """Hold the group before it is written to; what another deployment holds is not written to."""
    spec, now = look.spec, look.turn.now
    if not order.write:
        return order, Held(observed=look.observed, permitted=look.may)
    written = last_written(around.ledger.events(fleet=spec.name, limit=RECENT), now)
    ours = Ours(deployment=around.deployment, naming=order.naming, how=spec.ownership, written=written)
    held = hold(look.fleet, look.observed, ours, look.may, now=now)
    if held.permitted.may is May.NOTHING:
        order = replace(order, write=False, why_not=held.permitted.reason)
    return order, held


def _foreseen(
    spec: FleetSpec, storage: Storage, may: Permission, *, needed: bool
) -> tuple[str | None, tuple[Forecast, ...], Permission]:
    """Give each load's newest forecast, and the id of the first.

    Where one has none a person's word still holds, and what was scheduled can be taken back.
    """
    try:
        ids, forecasts = zip(*map(storage.newest_forecast, spec.loads), strict=True)
    except NoHistory as error:
        if needed:
            raise
        return None, (), Permission(min(may.may, May.OVERRIDE), str(error))
    return ids[0], forecasts, may


def _seen(look: Look, demand: float | None) -> str:
    spec, observed = look.spec, look.observed
    expects = "" if demand is None else f"; p{look.policy.quantile * 100:g} of {spec.metric.unit} now {demand:,.0f}"
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


def _at_rest(look: Look) -> Plan:
    """Draw the plan of a fleet whose forecast is not followed."""
    policy, usual = look.policy, usual_max(look.overrides)
    if usual is None and policy.breach_max is not None:
        usual = policy.max_size
    reason = f"no forecast is followed, floor at min_size {policy.min_size}: {look.may.reason}"
    return Plan((Step(look.turn.now, policy.min_size, reason, most=usual),))


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
    return isinstance(error, FleetBusy | CloudUnavailable | OutcomeUnknown | WriteRefused | Unforeseen)
