"""What the API tells of replays: each mode of scaling beside the others, on a fleet's own history."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

_STAMP: Final = "%Y%m%dT%H%M%SZ"


class ModeView(BaseModel):
    """What one mode would have done."""

    mode: str
    under_time_share: float = Field(description="share of the time with fewer instances than needed")
    over_hours_share: float = Field(description="instance-hours beyond the need, as a share of those needed")
    instance_hours: float
    actions_per_day: float
    cost: float


class ReplayView(BaseModel):
    """One replay."""

    at: datetime = Field(description="when it was made")
    since: datetime | None
    until: datetime | None
    boot_seconds: float
    modes: list[ModeView]


class ReplayPage(BaseModel):
    """The newest replays of a fleet, newest first."""

    items: list[ReplayView]
    total: int


def newest_replays(root: ObjectStoragePath, fleet: str, *, limit: int) -> ReplayPage:
    """Read the newest replays that are stored."""
    folder = root / "replays" / fleet
    found = [path for path in folder.iterdir() if path.suffix == ".json"] if folder.exists() else []
    newest = sorted(found, key=lambda path: path.name, reverse=True)
    items = [replay_view(path.stem, json.loads(path.read_bytes())) for path in newest[:limit]]
    return ReplayPage(items=items, total=len(newest))


def replay_view(stamp: str, stored: dict[str, Any]) -> ReplayView:
    """Show one replay."""
    first: dict[str, Any] = next(iter(stored["modes"]), {})
    return ReplayView(
        at=datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC),
        since=first.get("since"),
        until=first.get("until"),
        boot_seconds=stored["boot_seconds"],
        modes=[ModeView.model_validate(mode) for mode in stored["modes"]],
    )
