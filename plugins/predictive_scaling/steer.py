"""One fleet's turn: look at the group, draw the plan from the newest forecast, put it in place, tell the story."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from forecasting import draw_plan
from predictive_scaling.apply import Applied, Order, apply_plan
from predictive_scaling.errors import CloudUnavailable, FleetBusy, InvalidFleet, OutcomeUnknown, WriteRefused
from predictive_scaling.fleet_spec import FleetSpec, Mode
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.schedule import ACTIONS_PER_GROUP, NOTICE, Naming, ScheduledAction, counted
from predictive_scaling.settle import Turn, settle
from predictive_scaling.track_record import quantile_to_ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from forecasting import Forecast, Plan, Policy
    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.storage import Storage

RESERVED: Final = 2
"""Slots of AWS's limit kept free: one to catch up with what should hold already, one for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is the same for every fleet of a run."""

    by: TaskRun
    storage: Storage
    ledger: Ledger
    reach: Callable[[FleetSpec], Fleet]
    prefix: str
    patience: timedelta
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most that is expected, at the fleet's quantile, and when."""

    demand: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """What was seen, decided and done about one fleet."""

    fleet: str
    seen: str
    plan: Plan
    applied: Applied
    now: datetime
    forecast_id: str
    peak: Peak
    notes: tuple[str, ...] = field(default=())

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
    forecast_id, forecast = around.storage.newest_forecast(spec)
    fleet = around.reach(spec)
    turn = Turn(by=around.by, now=now, patience=around.patience)
    observed = settle(spec.name, fleet, around.ledger, turn)
    policy, notes = _within_group(spec, observed)
    level, asks = quantile_to_ask(policy.quantile, around.storage.accuracies(spec))
    policy, notes = replace(policy, quantile=level), (*notes, *asks)
    naming = Naming(around.prefix, spec.name)
    slots = _free_slots(observed, naming)
    plan = draw_plan(forecast, policy, now=now, current=observed.min_size, slots=slots, timezone=spec.timezone)
    write, why_not = _may_write(spec, dry_run=around.dry_run)
    order = Order(
        fleet=spec.name,
        plan=plan,
        forecast_id=forecast_id,
        naming=naming,
        turn=turn,
        write=write,
        why_not=why_not,
    )
    applied = apply_plan(order, observed, fleet, around.ledger)
    seen = (
        f"group {spec.group} at {observed.desired} desired, {observed.in_service} in service, bounds "
        f"{observed.min_size}..{observed.max_size}, {len(observed.actions)} scheduled actions; "
        f"p{policy.quantile * 100:g} of {spec.metric.unit} now {forecast.value_at(now, policy.quantile):,.0f}"
    )
    return Steered(
        fleet=spec.name,
        seen=seen,
        plan=plan,
        applied=applied,
        now=now,
        forecast_id=forecast_id,
        peak=_peak(forecast, policy.quantile),
        notes=notes,
    )


def _peak(forecast: Forecast, quantile: float) -> Peak:
    values = forecast.at(quantile)
    slot = int(values.argmax())
    return Peak(demand=float(values[slot]), at=forecast.start + slot * forecast.step)


def _within_group(spec: FleetSpec, observed: Observed) -> tuple[Policy, tuple[str, ...]]:
    """The group's own maximum is somebody's decision too: plan within it, and say when it binds."""
    policy = spec.policy
    if policy.min_size > observed.max_size:
        msg = (
            f"fleet {spec.name}: min {policy.min_size} is above the maximum {observed.max_size} of group {spec.group}: "
            "lower min in the fleet file or raise the group's MaxSize"
        )
        raise InvalidFleet(msg)
    if policy.max_size <= observed.max_size:
        return policy, ()
    note = f"the group's own maximum {observed.max_size} binds before max {policy.max_size} of the fleet file"
    return replace(policy, max_size=observed.max_size), (note,)


def _free_slots(observed: Observed, naming: Naming) -> int:
    foreign = sum(not naming.is_ours(action) for action in observed.actions)
    return max(2, ACTIONS_PER_GROUP - foreign - RESERVED)


def _may_write(spec: FleetSpec, *, dry_run: bool) -> tuple[bool, str]:
    if dry_run:
        return False, "this is a dry run"
    if spec.mode is Mode.OBSERVE:
        return False, "the fleet's mode is observe: set `mode: auto` in its file to let it act"
    return True, ""


def refusal(spec: FleetSpec, error: Exception, by: TaskRun) -> Event:
    """Tell the ledger why a fleet was left as it is."""
    kind = EventKind.HELD if may_pass(error) else EventKind.REFUSED
    return Event(fleet=spec.name, kind=kind, by=by, reason="the fleet was left as it is", error=str(error))


def may_pass(error: Exception) -> bool:
    """Whether the same attempt, made later, may succeed without a person's help."""
    return isinstance(error, FleetBusy | CloudUnavailable | OutcomeUnknown | WriteRefused)
