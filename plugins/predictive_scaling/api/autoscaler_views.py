"""What the API tells of an autoscaler: what was asked for, and how it goes."""
# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from forecasting.decision import Rules
from predictive_scaling.autoscaler import Autoscaler
from predictive_scaling.fleet_folder import overruled, spec_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.fleet_folder import FleetFolder
    from predictive_scaling.ledger.autoscalers import StoredAutoscaler
    from predictive_scaling.look import LoadSeen, Look
    from predictive_scaling.status import Status


class MetricStatus(BaseModel):
    """One target, and the use that was last measured."""

    name: str
    current_percent: float | None = Field(
        description="mean over the instances it was measured on; null where nothing was measured of late"
    )
    measured_at: datetime | None = Field(description="when it was so")
    target_percent: float


class AutoscalerStatus(BaseModel):
    """How it goes, as it was last looked at; null where nothing was seen yet."""

    current_replicas: int | None
    desired_replicas: int | None
    metrics: list[MetricStatus]
    load_of_target: float | None = Field(
        description="the greatest load, of what the instances serve well; 1 is on target"
    )
    scale_ups: int = Field(description="resizes the ledger tells of, since it was made")
    scale_downs: int
    seen_at: datetime | None = Field(description="when the replicas were so")
    problem: str | None = Field(
        description="why it is left alone, what went wrong in the last turn, or what could not be seen since"
    )


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
    look: Look | None = None
    resized: tuple[int, int] = (0, 0)

    def since(self, made: datetime) -> Seen:
        """Leave out what is of another one of its name, which was there before."""
        status = self.status if self.status and self.status.seen_at >= made else None
        look = self.look if self.look and self.look.at >= made else None
        return Seen(status=status, look=look, resized=self.resized)


def autoscaler_view(stored: StoredAutoscaler, files: FleetFolder, seen: Seen, *, now: datetime) -> AutoscalerView:
    """Show an autoscaler."""
    asked, spec = Autoscaler.model_validate(stored.asked), spec_of(stored)
    why_not = overruled(spec, files.fleets)
    seen = seen.since(stored.created_at)
    since = now - (spec.reaction or Rules()).fresh
    loads = [seen.look.load(load.metric_identity, since=since) if seen.look else None for load in spec.loads]
    return AutoscalerView(
        asked=asked,
        created_at=stored.created_at,
        created_by=stored.actor,
        overruled=why_not or None,
        status=_status(asked, seen, loads, why_not),
    )


def _status(asked: Autoscaler, seen: Seen, loads: Sequence[LoadSeen | None], why_not: str) -> AutoscalerStatus:
    newest = seen.status.looked(seen.look) if seen.status else seen.look
    problems = dict.fromkeys(each.problem for each in (seen.look, seen.status) if each and each.problem)
    metrics = [_metric(name, target, load) for (name, target), load in zip(asked.targets.items(), loads, strict=True)]
    shares = [each.current_percent / each.target_percent for each in metrics if each.current_percent is not None]
    return AutoscalerStatus(
        current_replicas=newest.in_service if newest else None,
        desired_replicas=newest.desired if newest else None,
        metrics=metrics,
        load_of_target=round(max(shares), 3) if shares else None,
        scale_ups=seen.resized[0],
        scale_downs=seen.resized[1],
        seen_at=newest.sized_at if newest else None,
        problem=why_not or "; ".join(problems) or None,
    )


def _metric(name: str, target: float, load: LoadSeen | None) -> MetricStatus:
    """Give a load of one instance: of as many as there were when it was measured."""
    percent = load.of_each if load else None
    return MetricStatus(
        name=name,
        target_percent=target,
        current_percent=None if percent is None else round(percent, 3),
        measured_at=load.at if load and percent is not None else None,
    )
