"""The promise: a plan never goes over what a person decided while it was drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from living import Life, office_hours
from meanwhile import Meanwhile
from telling import floors

from forecasting.override import OverrideKind
from predictive_scaling.errors import FleetBusy
from predictive_scaling.ledger.overrides import EVERY_FLEET
from predictive_scaling.overriding import Desk, Wish, impose, resume
from predictive_scaling.steer import steer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sandbox
    from predictive_scaling.circumstances import Circumstances

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)


def a_life(cloud: sandbox.Cloud, folder: Path) -> Life:
    life = Life(cloud, folder, MONDAY)
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()
    return life


def meanwhile(life: Life, moment: str, says: Callable[[Desk, datetime], object]) -> None:
    """Let somebody say something around a call of the coming turn, and bring the fleet to it at once."""
    other = replace(life.by, run_id="another", task_id="person")
    plain, around = life.reach, life.around()

    def act() -> None:
        theirs: Circumstances = replace(around, by=other, reach=plain)
        says(theirs.desk, life.now + A_SECOND)
        steer(life.spec, theirs, now=life.now + A_SECOND)

    life.reach = lambda spec: Meanwhile(plain(spec), moment, act)  # type: ignore[method-assign,assignment,return-value]


def stopped(desk: Desk, now: datetime) -> None:
    impose(Wish(kind=OverrideKind.STOP, reason="an incident", starts_at=now), EVERY_FLEET, None, desk, now=now)


@pytest.mark.parametrize("moment", ["before:observe:1", "after:observe:1", "before:claim:1", "after:claim:1"])
def test_a_stop_is_not_written_over_by_a_plan_that_was_begun_before_it(
    cloud: sandbox.Cloud, tmp_path: Path, moment: str
) -> None:
    life = a_life(cloud, tmp_path)
    meanwhile(life, moment, stopped)

    with pytest.raises(FleetBusy, match=r"decided while its plan was drawn: stop by ada .*; the retry draws it anew"):
        life.steered()

    assert floors(cloud) == {}
    life.pass_by(A_SECOND)
    assert "an incident" in life.steered().applied.reason


def test_a_stop_that_took_everything_back_is_not_undone_by_a_turn_that_was_begun_before_it(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.steered()
    assert floors(cloud)
    meanwhile(life, "before:observe:1", stopped)

    with pytest.raises(FleetBusy, match="decided while its plan was drawn"):
        life.steered()
    assert floors(cloud) == {}


@pytest.mark.parametrize("moment", ["before:claim:1", "after:claim:1"])
def test_a_hold_is_not_written_over_by_a_plan_that_was_begun_before_it(
    cloud: sandbox.Cloud, tmp_path: Path, moment: str
) -> None:
    life = a_life(cloud, tmp_path)

    def held(desk: Desk, now: datetime) -> None:
        wish = Wish(kind=OverrideKind.HOLD, reason="a test", starts_at=now, min_size=7)
        impose(wish, "web", life.reach(life.spec).observe(), desk, now=now)

    meanwhile(life, moment, held)
    with pytest.raises(FleetBusy, match=r"hold \(min 7, max 7\) by ada"):
        life.steered()
    assert set(floors(cloud).values()) == {7}


def test_a_hold_that_is_ended_while_its_plan_is_drawn_is_not_laid_down_again(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.said(Wish(kind=OverrideKind.HOLD, reason="a test", starts_at=life.now, min_size=7))
    meanwhile(life, "before:claim:1", lambda desk, now: resume("web", "over", desk, now=now))

    with pytest.raises(FleetBusy, match="decided while its plan was drawn"):
        life.steered()
    assert len(set(floors(cloud).values())) > 1, "it follows its plan"
