"""The promise: when the metrics vanish, the floor stays where the last forecast wanted it, and nothing is scaled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from living import DAY, Life, office_hours

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def test_does_not_scale_in_when_metrics_vanish(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    life.measured(office_hours(21, end=MONDAY))
    life.reviewed()
    expected = life.steered().plan

    floors = []
    for _ in range(8):  # from here on nothing is measured any more
        life.pass_by(timedelta(hours=1))
        life.steered()
        floors.append(life.sizes()[0])

    planned = [expected.capacity_at(MONDAY + timedelta(hours=hour)) for hour in range(1, 9)]
    assert all(floor >= wanted for floor, wanted in zip(floors, planned, strict=True))
    assert max(floors) >= 9


def test_an_outage_of_the_fleet_does_not_lower_the_next_days_plan(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    known = office_hours(22, end=MONDAY + DAY)
    life.measured(known.between(known.start, MONDAY + timedelta(hours=4)))
    life.pass_by(DAY)  # the load balancer published nothing from nine in the morning on
    life.reviewed()

    noon = life.steered().plan.capacity_at(MONDAY + DAY + timedelta(hours=7))

    assert noon >= 9
