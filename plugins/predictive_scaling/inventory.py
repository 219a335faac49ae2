"""What a fleet consists of at this moment, as rows for a program and as lines for a person. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from predictive_scaling.fleets import Instance, Observed


def rows_of(fleet: str, observed: Observed) -> list[dict[str, Any]]:
    """Give a row for each instance, the oldest first."""
    return [_row(fleet, each) for each in sorted(observed.instances, key=lambda each: (str(each.launched_at), each.id))]


def lines_of(fleet: str, observed: Observed, now: datetime) -> list[str]:
    """Tell the fleet and each of its instances."""
    held = f"; suspended: {', '.join(observed.suspended)}" if observed.suspended else ""
    head = (
        f"{fleet}: {observed.desired} desired, {observed.in_service} in service, {observed.serving_units} serving, "
        f"bounds {observed.min_size}..{observed.max_size}{held}"
    )
    return [head, *(_line(each, now) for each in sorted(observed.instances, key=lambda each: each.id))]


def _row(fleet: str, instance: Instance) -> dict[str, Any]:
    return {
        "fleet": fleet,
        "instance": instance.id,
        "zone": instance.zone,
        "type": instance.type,
        "state": instance.lifecycle,
        "healthy": instance.healthy,
        "serving": instance.serving,
        "draining": "draining" in instance.targets,
        "protected": instance.protected,
        "targets": list(instance.targets),
        "launched_at": instance.launched_at.isoformat() if instance.launched_at else None,
    }


def _line(instance: Instance, now: datetime) -> str:
    age = f"{(now - instance.launched_at).total_seconds() / 3600:.1f} h old" if instance.launched_at else "age unknown"
    words: Iterable[str] = (
        "healthy" if instance.healthy else "UNHEALTHY",
        f"targets {'/'.join(instance.targets)}" if instance.targets else "",
        "protected" if instance.protected else "",
        age,
    )
    place = f"{instance.type} {instance.zone}"
    return f"  {instance.id} {place} {instance.lifecycle}: {', '.join(word for word in words if word)}"
