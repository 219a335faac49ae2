"""What the API tells of overrides and of the gate."""
# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from predictive_scaling.overriding import name_in

if TYPE_CHECKING:
    from forecasting.override import Override
    from predictive_scaling.ledger.gates import Gate


class OverrideView(BaseModel):
    """What a person decided for a fleet, for a while."""

    id: str
    fleet: str = Field(description="* is every fleet")
    group: str | None = Field(description="the one it was laid on; null: of every fleet, or not known")
    kind: str
    holds: bool = Field(description="now; else it is to come, or is over and the fleet not yet seen to be back")
    min_size: int | None
    max_size: int | None
    reason: str
    actor: str
    starts_at: datetime
    ends_at: datetime | None = Field(description="null: until a person ends it")
    created_at: datetime
    ended_at: datetime | None = Field(description="when a person ended it before its time")


class OverridePage(BaseModel):
    """Some of the overrides that are open, newest first."""

    items: list[OverrideView]
    total: int


class GateView(BaseModel):
    """How far a fleet's forecast is trusted, and on what evidence."""

    fleet: str
    stage: str
    since: datetime
    reason: str
    failures: int = Field(description="failed reviews in a row")
    actor: str
    reviewed_at: datetime | None
    evidence: dict[str, Any] | None = Field(description="the figures of the last review")
    boot_seconds: float | None = Field(description="within which nine launches of ten were in service, as learned")
    launches: int = Field(description="how many it was learned from")


def override_view(override: Override, *, now: datetime) -> OverrideView:
    """Show an override."""
    same = ("id", "fleet", "min_size", "max_size", "reason", "actor", "starts_at", "ends_at", "created_at", "ended_at")
    known = {name: getattr(override, name) for name in same}
    group = name_in(override.group_id) if override.group_id else None
    return OverrideView(**known, group=group, kind=override.kind.value, holds=override.holds_at(now))


def gate_view(gate: Gate) -> GateView:
    """Show where a fleet stands."""
    standing = gate.standing
    return GateView(
        fleet=gate.fleet,
        stage=standing.stage.value,
        since=standing.since,
        reason=standing.reason,
        failures=standing.failures,
        actor=gate.actor,
        reviewed_at=gate.reviewed_at,
        evidence=dict(gate.evidence) if gate.evidence else None,
        boot_seconds=gate.boot.total_seconds() if gate.boot is not None else None,
        launches=gate.launches,
    )
