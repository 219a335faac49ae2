"""What the API tells of replays: policies and modes of scaling beside each other, on a fleet's own history."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from predictive_scaling.storage import Storage


class OutcomeView(BaseModel):
    """What one policy would have done in one mode."""

    policy: str = Field(description="the fleet's name stands for its own policy")
    mode: str
    under_time_share: float = Field(description="share of the time with fewer instances than needed")
    over_hours_share: float | None = Field(
        description="instance-hours beyond the need, as a share of those needed; null where none was"
    )
    instance_hours: float
    actions_per_day: float
    cost: float | None = Field(description="of the days replayed; null without a price")
    monthly_cost: float | None = Field(description="of 30 such days; null without a price")
    best: bool = Field(description="least time short of all that cost no more above reacting than max_extra_cost")


class WhatIfView(BaseModel):
    """One replay."""

    fleet: str
    at: datetime = Field(description="when it was made")
    since: datetime
    until: datetime
    boot_seconds: float
    max_extra_cost: float = Field(description="what may be paid above reacting alone, as a share of it")
    variations: dict[str, dict[str, Any]] = Field(description="by name, what differs from the fleet's own policy")
    outcomes: list[OutcomeView]


class WhatIfPage(BaseModel):
    """The newest replays, newest first."""

    items: list[WhatIfView]
    total: int


def newest(storage: Storage, fleet: str | None, *, limit: int, offset: int = 0) -> WhatIfPage:
    """Read the newest replays that are stored, of one fleet or of all."""
    found = storage.replays(fleet)
    read = storage.each(storage.replay, found[offset : offset + limit])
    return WhatIfPage(items=[view(made, stored) for made, stored in read], total=len(found))


def view(made: datetime, stored: dict[str, Any]) -> WhatIfView:
    """Show one replay."""
    first: dict[str, Any] = stored["outcomes"][0]
    return WhatIfView(at=made, since=first["since"], until=first["until"], **stored)
