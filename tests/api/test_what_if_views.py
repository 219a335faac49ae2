"""Replays are told newest first, of one fleet or of all, and what cannot be told is null."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from predictive_scaling.api.what_if_views import newest
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def a_replay(fleet: str, **figures: float | None) -> dict[str, Any]:
    outcome = {
        "policy": fleet,
        "mode": "reactive",
        "since": "2026-03-01T00:00:00+00:00",
        "until": "2026-03-04T00:00:00+00:00",
        "under_time_share": 0.0,
        "over_hours_share": 0.2,
        "instance_hours": 70.0,
        "actions_per_day": 0.0,
        "cost": None,
        "monthly_cost": None,
        "best": True,
    }
    terms = {"fleet": fleet, "boot_seconds": 300.0, "max_extra_cost": 0.25, "variations": {}}
    return {**terms, "outcomes": [outcome | figures]}


def test_the_newest_come_first_of_one_fleet_or_of_all(tmp_path: Path) -> None:
    storage = Storage.at(f"file://{tmp_path}")
    assert newest(storage, None, limit=5).items == newest(storage, "web", limit=5).items == []
    for hours, fleet in ((3, "web"), (2, "api"), (1, "web")):
        storage.save_replay(fleet, a_replay(fleet), now=NOW - timedelta(hours=hours))

    both, web = newest(storage, None, limit=2), newest(storage, "web", limit=5)

    assert [(each.fleet, each.at.hour) for each in both.items] == [("web", 11), ("api", 10)]
    assert (both.total, web.total) == (3, 2)
    assert [each.at.hour for each in web.items] == [11, 9]
    assert [each.at.hour for each in newest(storage, None, limit=2, offset=2).items] == [9]
    assert web.items[0].until - web.items[0].since == timedelta(days=3)


def test_a_share_and_a_cost_that_nobody_can_tell_are_null(tmp_path: Path) -> None:
    storage = Storage.at(f"file://{tmp_path}")
    storage.save_replay("web", a_replay("web", over_hours_share=None), now=NOW)

    (outcome,) = newest(storage, "web", limit=1).items[0].outcomes

    told = outcome.model_dump(mode="json")
    assert {key for key, value in told.items() if value is None} == {"over_hours_share", "cost", "monthly_cost"}
