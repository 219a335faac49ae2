"""How far may a fleet be written to? The run, the file, a stop and the gate each have a say, and each says why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from forecasting.gate import Stage
from forecasting.override import stop_at
from predictive_scaling.errors import NotAllowed
from predictive_scaling.fleet_spec import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from forecasting.gate import Standing
    from forecasting.override import Override
    from predictive_scaling.fleet_spec import FleetSpec


ON_TRIAL: Final = "the fleet's mode is observe: set `mode: auto` in its file to let it act"


class May(IntEnum):
    """What may be written; each includes those before it."""

    NOTHING = 0
    TAKE_BACK = 1  # remove what was scheduled, return the floor
    OVERRIDE = 2  # what a person decided
    PLAN = 3  # what the forecast asks for


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be written, and why no more."""

    may: May
    reason: str = ""

    @property
    def back(self) -> bool:
        """Whether no more may be written than what takes back."""
        return self.may is May.TAKE_BACK


def permission(spec: FleetSpec, standing: Standing | None, *, dry_run: bool) -> Permission:
    """Let a plan be written only where the run, the file and the gate agree."""
    if dry_run:
        return Permission(May.NOTHING, "this is a dry run")
    if spec.mode is Mode.OBSERVE:
        return Permission(May.TAKE_BACK, ON_TRIAL)
    if standing is None:
        reason = "the fleet has not been reviewed yet: run review_fleets, or wait for its next run"
        return Permission(May.OVERRIDE, reason)
    return _at_the_gate(standing)


def stopped(permitted: Permission, overrides: Iterable[Override], now: datetime) -> Permission:
    """Let a stop that holds go before everything."""
    stop = stop_at(overrides, now)
    if stop is None or permitted.may <= May.TAKE_BACK:
        return permitted
    return Permission(May.TAKE_BACK, str(stop))


def refuse_on_trial(spec: FleetSpec) -> None:
    """A fleet that only observes is never written to, by a person's word neither."""
    if spec.mode is Mode.OBSERVE:
        msg = f"fleet {spec.name}: {ON_TRIAL}"
        raise NotAllowed(msg)


def reacting(spec: FleetSpec, overrides: Iterable[Override], now: datetime) -> str:
    """Say why a fleet may not be changed for its load; empty when it may. The gate is about forecasts alone."""
    if spec.mode is Mode.OBSERVE:
        return ON_TRIAL
    stop = stop_at(overrides, now)
    return str(stop) if stop else ""


def _at_the_gate(standing: Standing) -> Permission:
    match standing.stage:
        case Stage.AUTO:
            return Permission(May.PLAN)
        case Stage.APPROVE:
            reason = f"the fleet waits for a person, run promote_fleet: {standing.reason}"
        case Stage.SUSPENDED:
            reason = f"the fleet is suspended and reacts alone: {standing.reason}"
        case Stage.OBSERVE:
            reason = f"the gate keeps the fleet to reaction alone: {standing.reason}"
    return Permission(May.OVERRIDE, reason)
