"""What a fleet's turn leaves behind for whoever looks later: its status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from forecasting.cost_meter import Reading
from predictive_scaling.look import Look
from predictive_scaling.overriding import place_of
from predictive_scaling.size_seen import SizeSeen
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.status import Statuses
    from predictive_scaling.steered import Steered


_RESIZED: Final = ("resized_at", "min_size", "max_size", "desired", "in_service", "meter")


def status_after(spec: FleetSpec, steered: Steered, before: Status | None = None) -> Status:
    """Give the status that a turn leaves behind, its meter read on from the one before.

    Sizes that somebody has kept since the turn looked at the group stay: they are newer than its own.
    """
    observed, plan, now, applied = steered.observed, steered.plan, steered.now, steered.applied
    coming = next((step for step in plan.steps if step.at > now), None)
    status = Status(
        **_known_from_file(spec, now),
        stage=steered.stage.value if steered.stage else None,
        notes=steered.notes,
        min_size=observed.min_size,
        max_size=observed.max_size,
        desired=observed.desired,
        in_service=observed.in_service,
        planned=plan.capacity_at(now),
        next_at=coming.at if coming else None,
        next_capacity=coming.capacity if coming else None,
        next_reason=coming.reason if coming else None,
        peak_at=steered.peak.at if steered.peak else None,
        peak_demand=steered.peak.demand if steered.peak else None,
        demand=steered.demand,
        quantile=steered.policy.quantile,
        forecast_id=steered.forecast_id,
        plan_id=plan.plan_id,
        written=len(applied.changes.put) + len(applied.changes.delete) if applied.written else 0,
        reason=applied.reason,
        wape=steered.accuracy.wape if steered.accuracy else None,
        coverage=steered.accuracy.coverage if steered.accuracy else None,
        concerns=tuple(concern.key for concern in steered.concerns),
        meter=_meter(steered, before),
        groups=_groups(steered),
    )
    if before is None or before.resized_at is None or before.resized_at <= now:
        return status
    return replace(status, **{name: getattr(before, name) for name in _RESIZED})


def size_seen(steered: Steered) -> SizeSeen:
    """Give how large the fleet was, for its picture."""
    seen, now = steered.observed, steered.now
    return SizeSeen(at=now, desired=seen.desired, in_service=seen.in_service, planned=steered.plan.capacity_at(now))


def status_of_trouble(spec: FleetSpec, before: Status | None, problem: str, *, now: datetime) -> Status:
    """Keep what was known, beside what went wrong."""
    known = _known_from_file(spec, now)
    if before is None:
        return Status(**known, problem=problem)
    return replace(before, **known, problem=problem, resized_at=before.sized_at)


def keep_resized(fleet: str, observed: Observed, statuses: Statuses, *, now: datetime) -> None:
    """Keep the sizes after a change between two turns; before the first, beside what the watch has seen of the loads.

    A status of its own would pass for a turn, and its size for the plan.
    """
    if before := statuses.of(fleet):
        statuses.save(_resized(before, observed, now=now))
        return
    look = statuses.look(fleet)
    statuses.keep_looks([look.resized(observed, now) if look else Look.at_group(fleet, observed, now)])


def _resized(before: Status, observed: Observed, *, now: datetime) -> Status:
    """Give the status with new sizes; the plan is as it was."""
    meter = Reading.from_json(before.meter) if before.meter else None
    return replace(
        before,
        resized_at=now,
        min_size=observed.min_size,
        max_size=observed.max_size,
        desired=observed.desired,
        in_service=observed.in_service,
        meter=meter.advanced(now, observed.in_service, meter.price).as_json() if meter else None,
    )


def _groups(steered: Steered) -> tuple[str, ...]:
    """Give the fleet's group, and the former ones that a coming turn can reach."""
    here = steered.observed.group_id
    return (here, *(each for each in steered.former if place_of(each) == place_of(here))) if here else ()


def _meter(steered: Steered, before: Status | None) -> dict[str, Any] | None:
    """Read the meter of a fleet whose file tells its price; the price of an instance is that of all its units."""
    price, units = steered.policy.price_per_hour, steered.observed.in_service
    if not price:
        return None
    if before is None or before.meter is None:
        return Reading(at=steered.now, since=steered.now, instances=units, price=price).as_json()
    return Reading.from_json(before.meter).advanced(steered.now, units, price).as_json()


def _known_from_file(spec: FleetSpec, now: datetime) -> dict[str, Any]:
    return {
        "fleet": spec.name,
        "at": now,
        "group": spec.group,
        "mode": spec.mode.value,
        "unit": spec.metric.unit,
        "price_per_hour": spec.policy.price_per_hour,
    }
