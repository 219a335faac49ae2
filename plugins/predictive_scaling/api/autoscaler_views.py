"""What the API tells of an autoscaler: what was asked for, and how it goes."""
# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from predictive_scaling.autoscaler import Autoscaler
from predictive_scaling.fleet_folder import overruled, spec_of

if TYPE_CHECKING:
    from predictive_scaling.fleet_folder import FleetFolder
    from predictive_scaling.ledger.autoscalers import StoredAutoscaler
    from predictive_scaling.status import Status


class MetricStatus(BaseModel):
    """One target, and the use that was last measured."""

    name: str
    current_percent: float | None = Field(description="mean over the instances; null when nothing was measured yet")
    target_percent: float


class AutoscalerStatus(BaseModel):
    """How it goes, as the last turn of its fleet saw it; null where nothing was seen yet."""

    current_replicas: int | None
    desired_replicas: int | None
    metrics: list[MetricStatus]
    load_of_target: float | None = Field(
        description="the greatest load, of what the instances serve well; 1 is on target"
    )
    scale_ups: int = Field(description="resizes the ledger tells of, since it was made")
    scale_downs: int
    seen_at: datetime | None
    problem: str | None = Field(description="what went wrong in the last turn, or why it is left alone")


class AutoscalerView(BaseModel):
    """An autoscaler: what was asked for, by whom, and how it goes."""

    asked: Autoscaler
    created_at: datetime
    created_by: str
    overruled: str | None = Field(description="why it is left alone: a fleet file of that name or group wins")
    status: AutoscalerStatus


class AutoscalerPage(BaseModel):
    """Some of the autoscalers, by name."""

    items: list[AutoscalerView]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of an autoscaler's fleet beside its request."""

    status: Status | None = None
    loads: tuple[float | None, ...] = ()  # the newest of each target that was measured, of all instances
    resized: tuple[int, int] = (0, 0)


def autoscaler_view(stored: StoredAutoscaler, files: FleetFolder, seen: Seen) -> AutoscalerView:
    """Show an autoscaler."""
    asked = Autoscaler.model_validate(stored.asked)
    why_not = overruled(spec_of(stored), files.fleets)
    return AutoscalerView(
        asked=asked,
        created_at=stored.created_at,
        created_by=stored.actor,
        overruled=why_not or None,
        status=_status(asked, seen, why_not),
    )


def _status(asked: Autoscaler, seen: Seen, why_not: str) -> AutoscalerStatus:
    status, shares = seen.status, _shares(asked, seen)
    known = [share for share in shares if share is not None]
    return AutoscalerStatus(
        current_replicas=status.in_service if status else None,
        desired_replicas=status.desired if status else None,
        metrics=[
            MetricStatus(name=name, target_percent=target, current_percent=_short(share, target))
            for (name, target), share in zip(asked.targets.items(), shares, strict=True)
        ],
        load_of_target=_short(max(known, default=None), 1.0),
        scale_ups=seen.resized[0],
        scale_downs=seen.resized[1],
        seen_at=status.seen_at if status else None,
        problem=why_not or (status.problem if status else None),
    )


def _shares(asked: Autoscaler, seen: Seen) -> list[float | None]:
    """Give each load of one instance as a share of what it serves well."""
    serving = seen.status.in_service if seen.status else 0
    if not serving or not seen.loads:
        return [None] * len(asked.targets)
    pairs = zip(seen.loads, asked.targets.values(), strict=True)
    return [None if load is None else load / serving / target for load, target in pairs]


def _short(share: float | None, times: float) -> float | None:
    return None if share is None else round(share * times, 3)
