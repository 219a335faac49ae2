"""One fleet's turn: look at the group, draw the plan from the newest forecast, put it in place, tell the story."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from forecasting import ForecastingError, Plan, Step
from forecasting.override import overridden
from predictive_scaling.apply import Order, apply_plan
from predictive_scaling.approving import Agreed
from predictive_scaling.concerns import Concern, concerns
from predictive_scaling.drawing import View, planned_for
from predictive_scaling.errors import (
    CloudUnavailable,
    FleetBusy,
    InvalidFleet,
    InvalidSetting,
    NoHistory,
    OutcomeUnknown,
    PredictiveScalingError,
    Unforeseen,
    WriteRefused,
    unforeseen,
)
from predictive_scaling.fleet_spec import HORIZON
from predictive_scaling.fleets import Sizes
from predictive_scaling.lead_time import lead_time
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.overriding import bounding, in_force, usual_max
from predictive_scaling.ownership import Claim as Ours
from predictive_scaling.ownership import Held, hold, last_written
from predictive_scaling.permission import May, Permission, permission, stopped
from predictive_scaling.schedule import ACTIONS_PER_GROUP, Naming, counted
from predictive_scaling.settle import settle
from predictive_scaling.steered import Peak, Steered
from predictive_scaling.track_record import quantile_to_ask
from predictive_scaling.workplace import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from forecasting import Forecast, Policy
    from forecasting.accuracy import Accuracy
    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.ledger.gates import Gate
    from predictive_scaling.ledger.records import TaskRun

_log: Final = logging.getLogger(__name__)
RECENT: Final = 200
"""Events of a fleet among which its last writes are looked for."""
RESERVED: Final = 2
"""Slots of AWS's limit kept free: one to catch up with what should hold already, one for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a plan is drawn from, or why it cannot be had."""

    forecast_id: str | None = None
    forecasts: tuple[Forecast, ...] = ()  # of each load, or none
    accuracies: dict[str, Accuracy] = field(default_factory=dict)
    missing: str = ""  # why there is no forecast
    trouble: str = ""  # why nothing could be read
    followed: bool = False  # what is scheduled goes on in spite of it


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
    foresight: Foresight
    policy: Policy
    notes: tuple[str, ...]
    may: Permission

    @property
    def forecast(self) -> Forecast | None:
        """The forecast of its first load."""
        return next(iter(self.foresight.forecasts), None)

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
        forecast_id=look.foresight.forecast_id,
        policy=look.policy,
        demand=demand,
        accuracy=next(reversed(look.foresight.accuracies.values()), None),
        stage=look.gate.standing.stage if look.gate else None,
        peak=_peak(look.forecast, look.policy.quantile) if look.forecast else None,
        notes=(*look.notes, *planned.notes, *held.notes),
        questions=planned.questions,
        concerns=(
            *concerns(held, look.overrides, planned.verdicts, look.foresight.accuracies, now=now),
            *(Concern("no plan", note) for note in _untold(look)),
        ),
    )


def _look(spec: FleetSpec, around: Circumstances, now: datetime) -> Look:
    """Settle what an earlier turn left open, and look at everything a decision rests on."""
    fleet = around.reach(spec)
    turn = Turn(by=around.by, now=now, patience=around.patience)
    observed = settle(spec.name, fleet, around.ledger, turn)
    overrides = in_force(spec, observed, around.desk, now=now)
    kept = around.gates.of(spec.name)
    gate = kept and kept.on(spec.measured_by)
    may = stopped(permission(spec, gate.standing if gate else None, dry_run=around.dry_run), overrides, now)
    naming = Naming(around.prefix, spec.name)
    bound = bool(overrides) or any(naming.is_ours(action) for action in observed.actions)
    alone = _rules_alone(may, overrides, now)
    read = partial(_read, spec, around, now, budgets=alone and may.may is May.PLAN)
    foresight, may = _foreseen(spec, read, may, needed=not bound, alone=alone)
    usual = usual_max(overrides, spec.policy)
    floor = observed.min_size if bound and may.back else None
    within, notes = _within_group(spec, observed.max_size if usual is None else usual, floor)
    policy, learnt = _as_of_now(within, gate, foresight.accuracies)
    return Look(
        spec=spec,
        fleet=fleet,
        turn=turn,
        naming=naming,
        observed=observed,
        overrides=overrides,
        gate=gate,
        foresight=foresight,
        policy=policy,
        notes=(*notes, *learnt),
        may=may,
    )


def _planned(look: Look, around: Circumstances) -> Agreed:
    """Draw the plan; a fleet without a forecast rests."""
    if not look.foresight.forecasts:
        return Agreed(plan=_at_rest(look), notes=_untold(look))
    view = View(
        spec=look.spec,
        policy=look.policy,
        observed=look.observed,
        overrides=look.overrides,
        may=look.may,
        forecasts=look.foresight.forecasts,
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
        forecast_id=look.foresight.forecast_id,
        naming=look.naming,
        turn=look.turn,
        write=look.may.may is May.PLAN,
        why_not=look.may.reason,
    )
    laid = bounding(look.overrides)
    heeded = laid if look.may.may is May.OVERRIDE else ()
    if look.may.may in {May.NOTHING, May.PLAN} or not (look.has_actions or laid):
        return order
    rest = overridden(_at_rest(look), heeded, usual_max=usual_max(look.overrides, look.policy))
    return replace(order, plan=rest, write=True, why_not="", gives_back=not look.may.back)


def _claimed(order: Order, look: Look, around: Circumstances) -> tuple[Order, Held]:
    """Hold the group before it is written to; what another deployment holds is not written to."""
    spec, now = look.spec, look.turn.now
    if not order.write:
        return order, Held(observed=look.observed, permitted=look.may)
    told = around.ledger.events(fleet=spec.name, limit=RECENT)
    written = last_written(told, now) if _reaches_back(told, now) else Sizes()
    ours = Ours(deployment=around.deployment, naming=order.naming, how=spec.ownership, written=written)
    held = hold(look.fleet, look.observed, ours, look.may, now=now)
    if held.permitted.may is May.NOTHING:
        order = replace(order, write=False, why_not=held.permitted.reason)
    return order, held


def _reaches_back(told: Sequence[Event], now: datetime) -> bool:
    """Whether these events are all, or go back to where a plan of before them has ended by now."""
    since = told[-1].at if len(told) == RECENT else None
    return since is None or since <= now - HORIZON


def _foreseen(
    spec: FleetSpec, read: Callable[[], Foresight], may: Permission, *, needed: bool, alone: bool
) -> tuple[Foresight, Permission]:
    """Give what a plan is drawn from, and what may be written by it.

    Where there is no forecast a person's word still holds, and what was scheduled can be taken back. While files cannot
    be read it rules alone, where it can.
    """
    try:
        found = read()
    except Exception as error:
        if not alone:
            raise
        trouble = _in_words(spec, error)
        unseen = Foresight(trouble=trouble, followed=may.may is May.PLAN)
        return unseen, Permission(min(may.may, May.OVERRIDE), may.reason or trouble)
    if found.missing and needed:
        raise NoHistory(found.missing)
    return found, Permission(min(may.may, May.OVERRIDE), found.missing) if found.missing else may


def _rules_alone(may: Permission, overrides: Sequence[Override], now: datetime) -> bool:
    """Whether a person's word can be obeyed without a plan: a stop can, any other until one is over.

    The way back from it is a plan; and what stays as it was scheduled is what was planned before.
    """
    under_way = all(each.over_at is None or now < each.over_at for each in overrides)
    return bool(overrides) and may.may is not May.NOTHING and (may.back or under_way)


def _read(spec: FleetSpec, around: Circumstances, now: datetime, *, budgets: bool) -> Foresight:
    """Read each load's newest forecast, and how forecasts fared; one that has ended is none."""
    accuracies = around.storage.accuracies(spec)
    try:
        ids, forecasts = zip(*map(around.storage.newest_forecast, spec.loads), strict=True)
    except NoHistory as error:
        return Foresight(accuracies=accuracies, missing=str(error))
    if (end := min(each.end for each in forecasts)) <= now:
        ended = f"the forecast ended at {end.isoformat()}, before now ({now.isoformat()})"
        missing = f"fleet {spec.name}: {ended}: see why forecast_demand makes no new one"
        return Foresight(accuracies=accuracies, missing=missing)
    if budgets:
        _ = around.cost_gate.budgets
    return Foresight(forecast_id=ids[0], forecasts=forecasts, accuracies=accuracies)


def _in_words(spec: FleetSpec, error: Exception) -> str:
    if isinstance(error, PredictiveScalingError | ForecastingError):
        return str(error)
    _log.error("%s: what plans are drawn from cannot be read", spec.name, exc_info=error)
    return unforeseen(error)


def _untold(look: Look) -> tuple[str, ...]:
    """Say why no plan was drawn, where a person's word was obeyed in spite of it."""
    trouble = look.foresight.trouble
    return (f"no plan was drawn, a person's word is obeyed: {trouble}",) if trouble else ()


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
    if look.foresight.followed:
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
    return isinstance(error, FleetBusy | CloudUnavailable | OutcomeUnknown | WriteRefused | Unforeseen)
