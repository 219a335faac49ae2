"""The promise: what a person decides goes over the plan, for as long as they said, and comes to its end by itself."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from by_hand import a_desk, a_run
from living import Life, office_hours
from telling import floors, told

from forecasting import InvalidRequest
from forecasting.override import OverrideKind
from predictive_scaling.errors import InvalidSetting
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.overrides import EVERY_FLEET
from predictive_scaling.ledger.records import Event, EventKind, Operation
from predictive_scaling.operators import KillSwitchOperator, PauseFleetOperator, ResumeFleetOperator
from predictive_scaling.overriding import Desk as OverrideDesk
from predictive_scaling.overriding import Wish, impose, resume

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from by_hand import Desk

    import sandbox
    from forecasting.override import Override

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
HOUR, SOON = timedelta(hours=1), timedelta(minutes=10)


@pytest.fixture
def desk(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A deployment that may write plans, and has no forecast yet."""
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{tmp_path}/storage")
    return a_desk(cloud, tmp_path, monkeypatch, rights=("auto",))


def a_life(cloud: sandbox.Cloud, folder: Path) -> Life:
    """Arrange a fleet that is steered, and will want nine and more at noon."""
    life = Life(cloud, folder, MONDAY)
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()
    life.steered()
    return life


def desk_of(life: Life) -> OverrideDesk:
    return OverrideDesk(overrides=life.overrides, ledger=life.ledger, by=life.by)


def imposed(
    life: Life, kind: OverrideKind, *, hours: float | None, least: int | None = None, forecast: bool = True
) -> Override:
    ends = None if hours is None else life.now + hours * HOUR
    wish = Wish(kind=kind, reason="an incident", starts_at=life.now, ends_at=ends, min_size=least)
    observed = AutoScalingFleet(life.cloud.client("autoscaling"), "web").observe()
    made = impose(wish, "web", observed, desk_of(life), now=life.now)
    life.steered(forecast=forecast)
    return made


def test_a_fleet_held_at_a_number_stays_there_and_returns_though_nobody_runs_any_more(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=8, least=4)

    life.pass_by(7 * HOUR)
    assert life.sizes()[:2] == (4, 4), "the plan would hold nine and more"
    life.pass_by(HOUR + SOON)
    floor, most, _ = life.sizes()
    assert floor > 4
    assert most == 20


def test_the_return_is_verified_and_told(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=2, least=4)
    life.pass_by(HOUR)
    life.steered()
    assert "returned" not in told(life.ledger)

    life.pass_by(HOUR + SOON)
    life.steered()

    assert told(life.ledger).count("returned") == 1
    assert life.overrides.open("web") == ()


def test_a_fleet_resumed_early_gets_its_maximum_back(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=None, least=4)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (4, 4)

    resume("web", "over", desk_of(life), now=life.now)
    life.steered()
    assert "returned" not in told(life.ledger), "the group has not been seen to be back"
    life.pass_by(SOON)
    life.steered()

    assert life.sizes()[1] == 20
    assert "returned" in told(life.ledger)


def test_no_scale_in_keeps_the_floor_where_the_fleet_is(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(7 * HOUR)
    imposed(life, OverrideKind.NO_SCALE_IN, hours=24)
    at_noon = life.sizes()[2]
    life.pass_by(12 * HOUR)
    assert life.sizes()[0] == at_noon >= 9


def test_a_stop_leaves_a_maximum_that_somebody_raised_while_no_scale_in_held(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.NO_SCALE_IN, hours=24)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=40, DesiredCapacity=30)
    stop = Wish(kind=OverrideKind.STOP, reason="an incident", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)
    life.pass_by(SOON)
    life.steered()
    life.pass_by(SOON)
    assert life.sizes()[1:] == (40, 30)


def test_no_scale_out_lets_the_floor_fall_but_not_rise(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    before = life.sizes()[2]
    imposed(life, OverrideKind.NO_SCALE_OUT, hours=12)
    life.pass_by(7 * HOUR)
    floor, most, serving = life.sizes()
    assert floor <= most == before
    assert serving == before


def test_of_two_overrides_the_later_rules_and_then_the_earlier_again(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=10, least=6)
    life.pass_by(SOON)
    imposed(life, OverrideKind.HOLD, hours=1, least=3)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (3, 3)
    life.pass_by(HOUR)
    assert life.sizes()[:2] == (6, 6)
    life.pass_by(10 * HOUR)
    assert life.sizes()[1] == 20, "the maximum before both of them"


def test_a_suspended_fleet_still_obeys_a_person(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    life.measured(office_hours(9, end=MONDAY))
    life.reviewed()
    imposed(life, OverrideKind.BOUNDS, hours=2, least=7)
    life.pass_by(SOON)
    assert life.sizes()[0] == 7
    life.pass_by(2 * HOUR)
    assert life.sizes()[0] == 2


def test_the_kill_switch_takes_everything_back_and_nothing_is_written_until_it_is_lifted(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(6 * HOUR)
    assert life.sizes()[0] > 2
    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)

    life.steered()
    life.pass_by(SOON)

    assert (life.sizes()[0], floors(cloud)) == (2, {})
    assert "everything looks wrong" in life.steered().applied.reason
    resume(EVERY_FLEET, "found it", desk_of(life), now=life.now)
    life.steered()
    assert floors(cloud)


def test_the_kill_switch_frees_a_fleet_that_was_held_until_further_notice(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=None, least=7)
    life.pass_by(SOON)
    life.steered()
    life.pass_by(SOON)
    assert life.sizes()[:2] == (7, 7)

    stop = Wish(kind=OverrideKind.STOP, reason="all looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)
    life.steered()
    life.pass_by(SOON)
    assert life.sizes()[:2] == (2, 20)


def test_a_budget_that_cannot_be_read_keeps_plans_back_but_not_the_kill_switch(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    (tmp_path / "budgets.yaml").write_text("budgets: [{name: web, daily: much}]")
    with pytest.raises(InvalidSetting, match=r"budgets\.yaml"):
        life.steered()
    assert floors(cloud)

    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)
    told = life.steered()

    assert floors(cloud) == {}
    assert any("budgets.yaml" in note for note in told.notes)


def test_what_is_not_held_cannot_be_resumed(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    with pytest.raises(InvalidRequest, match="no override of fleet web to end"):
        resume("web", "over", desk_of(life), now=life.now)


def test_a_person_is_obeyed_though_there_is_no_forecast(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    imposed(life, OverrideKind.HOLD, hours=2, least=5, forecast=False)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (5, 5)


def test_after_a_hold_the_plan_is_not_bound_by_it(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=2, least=4)
    life.pass_by(HOUR)
    plan = life.steered().plan
    assert plan.capacity_at(MONDAY + 7 * HOUR) >= 9


def test_more_than_the_group_may_hold_is_refused_and_nothing_is_laid_over_the_plan(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=16)
    with pytest.raises(InvalidRequest, match="18 instances are above the group's own maximum 16"):
        imposed(life, OverrideKind.BOUNDS, hours=8, least=18)
    assert life.overrides.open("web") == ()


def test_a_kill_switch_is_lifted_once_and_its_retry_steers_what_was_left(desk: Desk) -> None:
    with pytest.raises(AirflowFailException, match="no override of every fleet to end"):
        desk.carry_out(a_switch("lift"), run=1)
    desk.carry_out(a_switch("stop"), run=2)
    for attempt in (1, 2):
        with pytest.raises(AirflowFailException, match="web: no forecast is stored yet"):
            desk.carry_out(a_switch("lift"), run=3, attempt=attempt)


def test_a_pause_of_a_fleet_that_another_task_is_at_work_on_is_obeyed_by_its_retry_and_laid_down_once(
    cloud: sandbox.Cloud, desk: Desk
) -> None:
    pause = a_hold_at(5)
    with at_work_on_it(desk), pytest.raises(AirflowException, match="has been open since") as busy:
        desk.carry_out(pause, run=1)
    assert not isinstance(busy.value, AirflowFailException), "Airflow tries it again"
    assert floors(cloud) == {}

    desk.carry_out(pause, run=1, attempt=2)

    assert set(floors(cloud).values()) == {5}
    assert len(desk.ledger.events(kind=EventKind.OVERRIDDEN)) == 1


def test_a_fleet_is_resumed_once_and_the_retry_goes_on_from_there(desk: Desk) -> None:
    desk.carry_out(a_hold_at(5), run=1)
    back = ResumeFleetOperator(task_id="resume", params={"fleet": "web", "reason": "over"})
    desk.carry_out(back, run=2)
    with pytest.raises(AirflowFailException, match="web: no forecast is stored yet"):
        desk.carry_out(back, run=2, attempt=2)
    assert len(desk.ledger.events(kind=EventKind.OVERRIDDEN)) == 2
    with pytest.raises(AirflowFailException, match="no override of fleet web to end"):
        desk.carry_out(back, run=3)


@contextmanager
def at_work_on_it(desk: Desk) -> Iterator[None]:
    """Hold the fleet, as a task does that is in the middle of its work."""
    other = Operation(fleet="web", kind="apply_plan", key="another", by=a_run(9))
    intent = Event(fleet="web", kind=EventKind.INTENT, reason="a plan", by=a_run(9), call="put 1 of 1")
    held = desk.ledger.open(other, intent)
    yield
    desk.ledger.close(held, replace(intent, kind=EventKind.FAILED, reason="nothing came of it"))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kind": "freeze", "hours": "soon"}, "hours 'soon' is no length of time"),
        ({"kind": "hold", "sizes": {"size": "five"}}, "size 'five' is not a whole number"),
        ({"kind": "stop"}, "kind 'stop' is none of freeze, no_scale_in, no_scale_out, hold, bounds"),
    ],
)
def test_what_is_written_wrongly_fails_at_once_and_overrides_nothing(
    desk: Desk, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(AirflowFailException, match=told):
        desk.carry_out(PauseFleetOperator(task_id="pause", fleet="web", reason="a test", **asked))
    assert desk.ledger.events(fleet="web") == ()


def a_hold_at(size: int) -> PauseFleetOperator:
    return PauseFleetOperator(task_id="pause", fleet="web", kind="hold", reason="a test", sizes={"size": str(size)})


def a_switch(action: str) -> KillSwitchOperator:
    return KillSwitchOperator(task_id="switch", params={"action": action, "reason": "a test"})
