"""What the API tells of a fleet's instances."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from predictive_scaling.fleets import Instance


class Condition(StrEnum):
    """How an instance is, in one word; what needs a look comes first."""

    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    BOOTING = "booting"
    STANDBY = "standby"
    SERVING = "in service"


class InstanceRow(BaseModel):
    """One instance."""

    id: str
    condition: Condition
    lifecycle: str = Field(description="as AWS calls it")
    zone: str
    type: str
    units: int = Field(description="how much of the desired capacity it makes up")
    protected: bool = Field(description="from being let go in a scale-in")


class InventoryView(BaseModel):
    """The instances of a fleet as its last turn saw them."""

    seen_at: datetime
    items: list[InstanceRow]


def inventory_view(seen_at: datetime, instances: Iterable[Instance]) -> InventoryView:
    """Show them, those first that need a look."""
    order = list(Condition)
    rows = sorted(map(_row, instances), key=lambda row: (order.index(row.condition), row.zone, row.id))
    return InventoryView(seen_at=seen_at, items=rows)


def _row(instance: Instance) -> InstanceRow:
    return InstanceRow(
        id=instance.id,
        condition=_condition(instance),
        lifecycle=instance.lifecycle,
        zone=instance.zone,
        type=instance.type,
        units=instance.weight,
        protected=instance.protected,
    )


def _condition(instance: Instance) -> Condition:
    if instance.leaving:
        return Condition.DRAINING
    if not instance.healthy:
        return Condition.UNHEALTHY
    if instance.in_service:
        return Condition.SERVING
    return Condition.BOOTING if instance.staying else Condition.STANDBY
