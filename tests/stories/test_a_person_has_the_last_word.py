"""The promise: what a person decides goes over the plan, for as long as they said, and comes to its end by itself."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from by_hand import FLEET_FILE, a_desk, a_run
from living import Life, office_hours
from rights import client_of, keys_of, marked
from telling import floors, told

from forecasting import InvalidRequest
from forecasting.override import OverrideKind
from predictive_scaling.errors import InvalidFleet, InvalidSetting, NoHistory, UnusableFile
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.overrides import EVERY_FLEET, SqlOverrides
from predictive_scaling.ledger.records import Event, EventKind, Operation
from predictive_scaling.operators import KillSwitchOperator, PauseFleetOperator, ResumeFleetOperator
from predictive_scaling.overriding import Desk as OverrideDesk
from predictive_scaling.overriding import Wish, impose, resume
from predictive_scaling.raised import Fallback
from predictive_scaling.scale_out import Terms, raise_desired
from predictive_scaling.schedule import Naming
from predictive_scaling.workplace import Turn, Workplace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from by_hand import Desk

    import sandbox
    from forecasting.override import Override
    from predictive_scaling.fleets import ScheduledAction

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


def scheduled(life: Life) -> list[ScheduledAction]:
    """Give what AWS has of the plan, in its order."""
    return sorted(life.reach(life.spec).observe().actions, key=lambda action: str(action.start))


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


def test_the_log_of_a_hold_says_what_holds_now_once_and_calls_nothing_now_that_is_to_come(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(timedelta(minutes=7, seconds=18))
    ends = life.now + 2 * HOUR
    wish = Wish(kind=OverrideKind.HOLD, reason="an incident", starts_at=life.now, ends_at=ends, min_size=4)
    observed = AutoScalingFleet(life.cloud.client("autoscaling"), "web").observe()
    impose(wish, "web", observed, desk_of(life), now=life.now)
    (line,) = [line for line in life.steered().story() if "now, at" in line]
    assert line.startswith("web:   now, at 05:09 UTC -> 4: hold (min 4, max 4) by ada")


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
    assert life.steered().story()[-1].endswith("stop by ada until it is ended: everything looks wrong")
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


def torn_forecasts(folder: Path) -> None:
    for file in (folder / "storage" / "forecasts").rglob("*.json"):
        file.write_text("{")


def storage_away(folder: Path) -> None:
    shutil.rmtree(folder / "storage")
    (folder / "storage").write_text("no folder")


def broken_budgets(folder: Path) -> None:
    (folder / "budgets.yaml").write_text("budgets: [{name: web, daily: much}]")


@pytest.mark.parametrize("spoil", [torn_forecasts, storage_away, broken_budgets])
def test_what_plans_are_drawn_from_may_be_out_of_reach_and_a_held_fleet_is_held_and_returns(
    cloud: sandbox.Cloud, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(4 * HOUR)
    at_its_end = next(each.min_size for each in scheduled(life) if each.start and each.start > life.now + 2 * HOUR)
    spoil(tmp_path)

    imposed(life, OverrideKind.HOLD, hours=2, least=4, forecast=False)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (4, 4)
    again = life.steered(forecast=False)
    assert not again.applied.written
    assert [each.text for each in again.concerns if each.key == "no plan"] == [
        note for note in again.notes if "no plan was drawn" in note
    ]
    life.pass_by(2 * HOUR)
    floor, most, _ = life.sizes()
    assert at_its_end is not None
    assert abs(floor - at_its_end) <= 1
    assert most == 20, "what was scheduled goes on after it"


@pytest.mark.parametrize("spoil", [torn_forecasts, storage_away])
def test_what_plans_are_drawn_from_may_be_out_of_reach_and_the_kill_switch_stops_the_fleet(
    cloud: sandbox.Cloud, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(6 * HOUR)
    spoil(tmp_path)
    with pytest.raises((UnusableFile, OSError)):
        life.steered(forecast=False)
    assert floors(cloud), "what was scheduled goes on"

    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)
    told = life.steered(forecast=False)
    life.pass_by(SOON)

    assert (life.sizes()[0], floors(cloud)) == (2, {})
    assert any("no plan was drawn" in note for note in told.notes)


def test_a_person_is_obeyed_though_the_last_forecast_has_ended(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(49 * HOUR)
    with pytest.raises(NoHistory, match="the forecast ended at 2026-03-04T05:00:00"):
        life.steered(forecast=False)

    imposed(life, OverrideKind.HOLD, hours=None, least=4, forecast=False)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (4, 4)
    resume("web", "over", desk_of(life), now=life.now)
    life.steered(forecast=False)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (2, 20)

    imposed(life, OverrideKind.HOLD, hours=None, least=5, forecast=False)
    life.pass_by(SOON)
    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)
    life.steered(forecast=False)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (2, 20)


def test_a_min_above_the_group_keeps_plans_back_but_not_the_kill_switch(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(SOON)
    held = life.sizes()[0]
    life.spec = replace(life.spec, policy=replace(life.spec.policy, min_size=30, max_size=40))
    with pytest.raises(InvalidFleet, match="min 30 is above the maximum 20"):
        life.steered()

    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)
    told = life.steered()
    life.pass_by(SOON)

    assert (life.sizes()[0], floors(cloud)) == (held, {}), "nothing is scheduled, and nothing started"
    assert any("min 30 is above the maximum 20" in note for note in told.notes)


def test_the_kill_switch_goes_on_to_the_next_fleet_though_no_file_can_be_written(
    cloud: sandbox.Cloud, desk: Desk, tmp_path: Path
) -> None:
    cloud.create_fleet("zoo", min_size=2, max_size=20, desired=2)
    marked(cloud, "zoo")
    (tmp_path / "fleets" / "zoo.yaml").write_text(FLEET_FILE.replace(" web\n", " zoo\n"))
    later = datetime.now(UTC).replace(second=0, microsecond=0) + 24 * HOUR
    for name in ("web", "zoo"):
        cloud.client("autoscaling").put_scheduled_update_group_action(
            AutoScalingGroupName=name, ScheduledActionName=Naming("ps", name).of(later), StartTime=later, MinSize=9
        )
    (tmp_path / "storage").write_text("no folder")

    desk.carry_out(a_switch("stop"))

    answer = cloud.client("autoscaling").describe_scheduled_actions()
    assert answer["ScheduledUpdateGroupActions"] == []


def test_a_raise_that_nobody_follows_is_not_given_back_while_everything_is_stopped(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.rights = ("scale", "auto")
    life.pass_by(SOON)
    reach = partial(client_of, cloud, keys=keys_of(cloud, *life.rights))
    turn = Turn(by=life.by, now=life.now, patience=SOON)
    at = Workplace(
        name="web", fleet=AutoScalingFleet(reach("autoscaling"), "web", reach), ledger=life.ledger, turn=turn
    )
    cloud.shortages.add(limit=life.sizes()[2])
    goal = raise_desired(life.spec, at, 3, "a sale", Terms(fallback=Fallback.ROLLBACK)).goal
    life.pass_by(HOUR - SOON)
    stop = Wish(kind=OverrideKind.STOP, reason="everything looks wrong", starts_at=life.now)
    impose(stop, EVERY_FLEET, None, desk_of(life), now=life.now)

    life.steered()
    assert life.reach(life.spec).observe().desired == goal

    resume(EVERY_FLEET, "found it", desk_of(life), now=life.now)
    life.steered()
    assert life.reach(life.spec).observe().desired < goal


def test_a_second_stop_says_that_the_first_stays_as_it_is(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.carry_out(a_switch("stop", "the first"), run=1)
    capsys.readouterr()
    desk.carry_out(a_switch("stop", "the second"), run=2)
    log = capsys.readouterr().out

    (held,) = SqlOverrides(desk.ledger._engine).open(EVERY_FLEET)  # noqa: SLF001 - one database for all tables
    assert held.reason == "the first"
    assert f"stopped already, and what was said first stays: {held}" in log
    assert "the second" not in log


def test_what_is_not_held_cannot_be_resumed(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    with pytest.raises(InvalidRequest, match="no override of fleet web to end"):
        resume("web", "over", desk_of(life), now=life.now)


def test_a_person_is_obeyed_though_there_is_no_forecast(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    imposed(life, OverrideKind.HOLD, hours=2, least=5, forecast=False)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (5, 5)


def test_a_maximum_of_the_file_lowered_since_goes_before_a_hold_above_it(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    imposed(life, OverrideKind.HOLD, hours=None, least=15)
    life.pass_by(SOON)
    assert life.sizes()[:2] == (15, 15)

    life.spec = replace(life.spec, policy=replace(life.spec.policy, max_size=10))
    steered = life.steered()
    life.pass_by(SOON)
    assert life.sizes()[:2] == (10, 10)
    assert "an incident (held to max 10)" in steered.plan.steps[0].reason

    resume("web", "over", desk_of(life), now=life.now)
    life.steered()
    life.pass_by(SOON)
    assert life.sizes()[1] == 20, "the group's own maximum is nobody's to lower"


def test_bounds_that_somebody_else_moves_are_told_however_much_the_ledger_holds_since(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.pass_by(6 * HOUR)
    life.steered()
    life.pass_by(SOON)
    many = [Event(fleet="web", kind=EventKind.OBSERVED, reason="looked", by=life.by)] * 300
    life.ledger.record(*many)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MinSize=3)

    assert any("min is 3 and we left it at" in note for note in life.steered().notes)


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


@pytest.mark.parametrize("what", ["pause", "stop"])
def test_what_somebody_ended_is_not_laid_down_again_by_a_retry(desk: Desk, what: str) -> None:
    laid, ended = a_word(what)
    with at_work_on_it(desk), pytest.raises(AirflowException, match="has been open since"):
        desk.carry_out(laid, run=1)
    with pytest.raises(AirflowFailException, match="web: no forecast is stored yet"):
        desk.carry_out(ended, run=2)

    with pytest.raises(AirflowFailException, match="web: no forecast is stored yet"):
        desk.carry_out(laid, run=1, attempt=2)
    assert overrides_of(desk) == []


@pytest.mark.parametrize("what", ["pause", "stop"])
def test_what_somebody_laid_down_since_is_not_ended_by_a_retry(desk: Desk, what: str) -> None:
    laid, ended = a_word(what)
    desk.carry_out(laid, run=1)
    with at_work_on_it(desk), pytest.raises(AirflowException, match="has been open since"):
        desk.carry_out(ended, run=2)
    desk.carry_out(laid, run=3)

    desk.carry_out(ended, run=2, attempt=2)
    assert len(overrides_of(desk)) == 1


@pytest.mark.parametrize("what", ["pause", "stop"])
def test_what_somebody_laid_down_since_is_not_ended_by_a_retry_whose_first_try_told_nothing(
    desk: Desk, what: str
) -> None:
    laid, ended = a_word(what)
    desk.carry_out(laid, run=1)
    asked_at = datetime.now(UTC)
    desk.carry_out(laid, run=3) if what == "pause" else lay_down_again(desk)

    with suppress(AirflowFailException):
        desk.carry_out(ended, run=2, attempt=2, asked_at=asked_at)
    assert [each.created_at > asked_at for each in overrides_of(desk)] == [True]


def lay_down_again(desk: Desk) -> None:
    """Lift the stop and set it anew, as two people may."""
    with pytest.raises(AirflowFailException, match="web: no forecast is stored yet"):
        desk.carry_out(a_switch("lift"), run=4)
    desk.carry_out(a_switch("stop"), run=5)


def test_a_hold_of_a_fleet_whose_file_is_gone_can_be_ended_once_its_file_is_back(desk: Desk, tmp_path: Path) -> None:
    desk.carry_out(a_hold_at(5), run=1)
    (tmp_path / "fleets" / "web.yaml").rename(tmp_path / "web.yaml")
    back = ResumeFleetOperator(task_id="resume", params={"fleet": "web", "reason": "over"})
    told = r"fleet 'web' has no usable file any more: put back the one it had.*still open: hold \(min 5, max 5\) by ada"
    with pytest.raises(AirflowFailException, match=told):
        desk.carry_out(back, run=2)
    with pytest.raises(AirflowFailException, match="there is no fleet 'wab': choose one of none"):
        desk.carry_out(ResumeFleetOperator(task_id="resume", params={"fleet": "wab", "reason": "over"}), run=3)

    (tmp_path / "web.yaml").rename(tmp_path / "fleets" / "web.yaml")
    desk.carry_out(back, run=4)
    assert overrides_of(desk) == []


def a_word(what: str) -> tuple[PauseFleetOperator | KillSwitchOperator, ResumeFleetOperator | KillSwitchOperator]:
    """Give what lays a person's word down, and what ends it."""
    if what == "stop":
        return a_switch("stop"), a_switch("lift")
    bounds = PauseFleetOperator(task_id="pause", fleet="web", kind="bounds", reason="a test", sizes={"least": "5"})
    return bounds, ResumeFleetOperator(task_id="resume", params={"fleet": "web", "reason": "over"})


def overrides_of(desk: Desk) -> list[Override]:
    """Give those that hold now."""
    overrides = SqlOverrides(desk.ledger._engine)  # noqa: SLF001 - one database for all tables
    return [each for each in overrides.open("web") if each.holds_at(datetime.now(UTC))]


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
        ({"kind": "freeze", "sizes": {"size": "4"}}, "size 4 was given: leave it empty, or choose hold"),
        ({"kind": "no_scale_in", "sizes": {"least": "4"}}, "least 4 was given: leave it empty, or choose bounds"),
        ({"kind": "hold", "sizes": {"size": "4", "most": "6"}}, "hold takes size; most 6 was given"),
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


def a_switch(action: str, reason: str = "a test") -> KillSwitchOperator:
    return KillSwitchOperator(task_id="switch", params={"action": action, "reason": reason})
