"""The promise: no forecast touches capacity before it has proved better than reacting, or once it no longer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from by_hand import a_desk
from living import DAY, QUARTER, Life, a_spec, office_hours, wandering
from telling import floors, in_order, told, writes

from forecasting import InvalidRequest
from forecasting.gate import Stage, Standing
from predictive_scaling.fleet_folder import read_fleets
from predictive_scaling.fleet_spec import Mode
from predictive_scaling.ledger.gates import Gate, SqlGates
from predictive_scaling.metric import Metric
from predictive_scaling.operators import PromoteFleetOperator
from predictive_scaling.review import promote, review
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

CPU = Metric(namespace="AWS/EC2", name="CPUUtilization", statistic="Average", per_instance=True, period=QUARTER)
MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)


def a_life(cloud: sandbox.Cloud, folder: Path, mode: Mode = Mode.AUTO) -> Life:
    life = Life(cloud, folder, MONDAY, a_spec(mode))
    life.measured(office_hours(21, end=MONDAY))
    return life


def test_is_up_before_the_morning_peak(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    assert life.reviewed().after.standing.stage is Stage.AUTO
    life.steered()

    life.pass_by(timedelta(hours=7))

    needed = 9  # a noon of 1,000 less its noise, at 100 an instance
    assert life.sizes()[2] >= needed
    assert "moved" in told(life.ledger)


def test_a_fleet_that_was_never_reviewed_is_not_written_to(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    steered = life.steered()
    assert "has not been reviewed yet" in steered.applied.reason
    assert floors(cloud) == {}


def test_a_load_without_rhythm_keeps_its_fleet_reactive_and_says_why(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    life.measured(wandering(21, end=MONDAY))
    before = writes(cloud)

    reviewed = life.reviewed()
    steered = life.steered()

    assert reviewed.after.standing.stage is Stage.OBSERVE
    assert "no rhythm" in steered.applied.reason
    assert writes(cloud) == before


def test_too_little_history_is_no_evidence(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    life.measured(office_hours(9, end=MONDAY))
    assert str(life.reviewed()) == (
        "web: fails (1 in a row), new -> observe: 9.0 days of history: the gate needs 14, "
        "7 to learn from and 7 to be judged by"
    )


def test_before_the_first_pull_nothing_is_held_against_a_fleet(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    reviewed, (line,) = review([life.spec], life.bench, now=life.now)
    assert reviewed == []
    assert line.startswith("fleet web: no stored value of B")
    assert life.gates.of("web") is None


def test_what_cannot_be_read_of_one_fleet_is_named_and_the_others_are_reviewed(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    torn = replace(life.spec, name="torn")
    times = life.storage.demand(life.spec, since=MONDAY - 30 * DAY).times()
    life.storage.append(torn, Points.of((when, 1.0) for when in times))
    for file in (life.folder / "storage" / "history" / "torn").rglob("*.parquet"):
        file.write_bytes(b"{")

    (reviewed,), (line,) = review([torn, life.spec], life.bench, now=life.now)

    assert reviewed.fleet == "web"
    assert line.startswith("fleet torn: stored file history/torn/")
    assert life.gates.of("torn") is None


def test_suspends_itself_after_two_bad_weeks_and_takes_back_what_it_had_scheduled(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path)
    life.reviewed()
    life.steered()
    life.pass_by(timedelta(hours=6))
    assert life.sizes()[0] > 2

    life.pass_by(14 * DAY - timedelta(hours=6))
    life.measured(wandering(14, end=life.now))
    first = life.reviewed()
    life.pass_by(DAY)
    life.measured(wandering(1, end=life.now, seed=2))
    second = life.reviewed()

    assert (first.after.standing.stage, first.moved) == (Stage.AUTO, False)
    assert (second.after.standing.stage, second.moved) == (Stage.SUSPENDED, True)
    moves = [event for event in in_order(life.ledger) if event.kind.value == "moved"]
    assert [(event.after or {})["stage"] for event in moves] == ["auto", "suspended"]


def test_a_suspended_fleet_is_left_at_its_minimum_with_nothing_scheduled(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    reviewed = life.reviewed()
    life.steered()
    life.pass_by(timedelta(hours=5))
    raised = life.sizes()[0]
    suspended = replace(reviewed.after.standing, stage=Stage.SUSPENDED, reason="two bad weeks")
    life.gates.save(replace(reviewed.after, standing=suspended))

    taken_back = life.steered()
    life.pass_by(timedelta(minutes=10))

    assert raised > 2
    assert any("two bad weeks" in event.reason for event in in_order(life.ledger) if event.kind.value == "intent")
    assert taken_back.applied.written
    assert life.sizes()[0] == 2
    assert floors(cloud) == {}
    again = life.steered()
    assert not again.applied.written


def test_a_fleet_put_back_to_observe_is_rid_of_what_was_scheduled(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.reviewed()
    life.steered()
    assert floors(cloud)

    life.spec = a_spec(Mode.OBSERVE)
    life.pass_by(timedelta(hours=1))
    life.steered()
    life.pass_by(timedelta(minutes=10))

    assert floors(cloud) == {}


def test_a_fleet_in_mode_approve_waits_for_a_person_and_acts_after_their_word(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path, Mode.APPROVE)
    assert life.reviewed().after.standing.stage is Stage.APPROVE
    assert "run promote_fleet" in life.steered().applied.reason
    assert floors(cloud) == {}

    promote(life.spec, Stage.AUTO, "two good weeks", life.bench, now=life.now)
    life.pass_by(timedelta(hours=1))
    life.steered()

    assert floors(cloud)
    move = next(event for event in reversed(in_order(life.ledger)) if event.kind.value == "moved")
    assert (move.by.actor, move.reason) == ("ada", "two good weeks")


def test_trust_and_forecasts_of_one_metric_do_not_count_for_another(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, Mode.APPROVE)
    life.reviewed()
    promote(life.spec, Stage.AUTO, "two good weeks", life.bench, now=life.now)
    life.steered()
    assert floors(cloud)

    life.spec = replace(life.spec, metric=CPU, policy=replace(life.spec.policy, target_per_instance=5.0))
    rests = life.steered(forecast=False)

    assert (rests.forecast_id, rests.stage) == (None, Stage.OBSERVE)
    assert [step.capacity for step in rests.plan.steps] == [2]
    assert "no forecast is stored yet" in rests.plan.steps[0].reason
    life.pass_by(timedelta(minutes=10))
    assert floors(cloud) == {}

    life.measured(office_hours(21, end=life.now, top=50))
    assert "its load is measured by another metric, or in another account" in life.steered().applied.reason
    with pytest.raises(InvalidRequest, match="its load is measured by another metric, or in another account"):
        promote(life.spec, Stage.AUTO, "it was good before", life.bench, now=life.now)

    reviewed = life.reviewed()

    assert str(reviewed).startswith("web: passes, auto -> approve: ")
    assert str(reviewed).endswith("; judged anew, for its load is measured by another metric, or in another account")
    assert reviewed.after.boot == reviewed.before.boot  # type: ignore[union-attr]
    assert "run promote_fleet" in life.steered().applied.reason


def test_nobody_can_promote_what_has_not_passed(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY, a_spec(Mode.APPROVE))
    life.measured(wandering(21, end=MONDAY))
    with pytest.raises(InvalidRequest, match="has not been reviewed"):
        promote(life.spec, Stage.AUTO, "please", life.bench, now=life.now)
    life.reviewed()
    with pytest.raises(InvalidRequest, match="stands at observe"):
        promote(life.spec, Stage.AUTO, "please", life.bench, now=life.now)


def test_a_persons_no_takes_the_fleet_back(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path)
    life.reviewed()
    life.steered()
    promote(life.spec, Stage.OBSERVE, "an incident", life.bench, now=life.now)
    life.pass_by(timedelta(hours=1))
    assert life.steered().applied.written
    life.pass_by(timedelta(minutes=10))
    assert floors(cloud) == {}

    life.reviewed()
    assert "the fleet waits for a person, run promote_fleet" in life.steered().applied.reason
    assert floors(cloud) == {}, "what passes a review undoes no person's word"


def test_instances_that_boot_slowly_are_asked_for_earlier_once_that_is_known(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    cloud.configure(boot_seconds=900)
    life = a_life(cloud, tmp_path)
    life.reviewed()
    life.steered()
    life.pass_by(timedelta(hours=8))

    gate = life.reviewed().after
    (note, *_) = life.steered().notes

    assert gate.boot is not None
    assert timedelta(minutes=14) < gate.boot < timedelta(minutes=20)
    assert "instead of 10: nine in ten of" in note
    assert "learned" in told(life.ledger)


def test_the_log_of_a_promotion_says_from_where_to_where_and_what_comes_of_it(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch)
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{tmp_path}/storage")
    gates = SqlGates(desk.ledger._engine)  # noqa: SLF001 - one database for all tables
    (spec,) = read_fleets(tmp_path / "fleets").fleets
    moves = [("approve", "auto", "writes its plan"), ("auto", "observe", "takes back what is scheduled")]
    for before, to, coming in moves:
        standing = Standing(stage=Stage(before), since=MONDAY)
        gates.save(Gate(fleet="web", standing=standing, actor="ada", measured_by=spec.measured_by))
        desk.carry_out(PromoteFleetOperator(task_id="to", params={"fleet": "web", "to": to, "reason": "a test"}))
        assert f"web: {before} -> {to} by ada: a test; the next apply_plans {coming}" in capsys.readouterr().out
