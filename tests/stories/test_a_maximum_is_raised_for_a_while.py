"""The promise: where a policy lets a forecast pass the maximum, the maximum returns by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from living import Life, a_spec, office_hours

from forecasting.override import OverrideKind
from predictive_scaling.overriding import Wish

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def a_busy_life(cloud: sandbox.Cloud, folder: Path, breach_max: int | None) -> Life:
    """Arrange a fleet of at most 20 whose noon needs more."""
    life = Life(cloud, folder, MONDAY, a_spec(breach_max=breach_max))
    life.measured(office_hours(20, end=MONDAY, top=2400))
    life.reviewed()
    life.steered()
    return life


def test_returns_a_temporary_maximum_though_nobody_runs_any_more(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_busy_life(cloud, tmp_path, breach_max=30)

    life.pass_by(timedelta(hours=7))
    _, at_noon, _ = life.sizes()
    life.pass_by(timedelta(hours=48))
    floor, afterwards, _ = life.sizes()

    assert 20 < at_noon <= 30
    assert (floor, afterwards) == (2, 20)


def test_a_maximum_that_may_not_be_passed_is_honoured(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_busy_life(cloud, tmp_path, breach_max=None)
    life.pass_by(timedelta(hours=7))
    assert life.sizes()[:2] == (20, 20)


def test_a_fleet_held_while_a_forecast_passes_the_maximum_returns_to_its_own(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_busy_life(cloud, tmp_path, breach_max=30)
    life.pass_by(timedelta(hours=7))
    wish = Wish(
        kind=OverrideKind.HOLD,
        reason="an incident",
        starts_at=life.now,
        ends_at=life.now + timedelta(hours=8),
        min_size=10,
    )
    assert life.sizes()[1] > 20
    life.said(wish)
    life.steered()

    life.pass_by(timedelta(hours=8, minutes=10))
    plan = life.steered().plan

    assert life.sizes()[1] == 20
    assert life.overrides.open("web") == (), "it was seen to be back"
    assert plan.step_at(life.now).most == 20
