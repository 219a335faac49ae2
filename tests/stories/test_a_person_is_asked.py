"""The promise: what goes further than was agreed waits for a person; the rest is done, and the deadline is safe."""

from __future__ import annotations

import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from asking import a_question
from by_hand import a_desk, a_run
from living import Life, a_spec, office_hours
from telling import in_order, told

from demo.local_airflow import ROOT
from forecasting.approval import Answer, Matter, Question
from forecasting.envelope import Envelope
from forecasting.override import OverrideKind
from predictive_scaling.approving import GRACE, NOBODY, Hearing, settled
from predictive_scaling.fleet_spec import Mode
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.approvals import SqlApprovals
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.operators import RecordAnswerOperator
from predictive_scaling.overriding import Desk, Wish, impose
from predictive_scaling.question_text import body_of

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
HOUR, SOON = timedelta(hours=1), timedelta(minutes=10)
OVERDUE = HOUR + GRACE


def a_life(
    cloud: sandbox.Cloud, folder: Path, *, now: datetime = MONDAY, mode: Mode = Mode.AUTO, **agreed: Any
) -> Life:
    """Arrange a fleet that will want nine and more at noon, and about which so much was agreed."""
    spec = a_spec(mode)
    priced = replace(spec.policy, price_per_hour=0.1)
    approval = Envelope(**agreed) if agreed else None
    life = Life(cloud, folder, now, replace(spec, policy=priced, approval=approval))
    life.measured(office_hours(20, end=now))
    life.reviewed()
    return life


def peak(life: Life, *, dry_run: bool = False) -> int:
    return max(step.capacity for step in life.steered(dry_run=dry_run).plan.steps)


def waiting(life: Life) -> Question:
    (question,) = life.approvals.waiting()
    return question


def answers(life: Life, answer: Answer, question: Question | None = None) -> Question:
    hearing = Hearing(approvals=life.approvals, by=life.by)
    envelope = life.spec.approval or Envelope()
    return settled(question or waiting(life), (answer, "grace"), hearing, envelope, now=life.now)


def test_a_raise_is_held_at_the_edge_until_a_person_agrees_and_the_rest_is_done(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path, above=6, by=("grace",))
    assert peak(life) == 6
    question = waiting(life)
    assert (question.matter, question.by, question.due_at) == (Matter.RAISE, ("grace",), life.now + HOUR)
    assert "above 6" in question.reasons[0]

    answers(life, Answer.APPROVED)
    assert peak(life) >= 9
    life.pass_by(7 * HOUR)
    assert life.sizes()[0] >= 9
    asked, answered = (each for each in in_order(life.ledger) if each.kind in {EventKind.ASKED, EventKind.ANSWERED})
    assert (asked.by.actor, answered.by.actor) == ("ada", "grace")
    assert answered.reason.startswith(f"Raise web up to {question.size} instances? approved by grace, holds until")


def test_a_question_is_put_once_though_plans_are_redrawn_every_hour(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, above=6, within=3 * HOUR)
    for _ in range(3):
        life.steered()
        life.pass_by(HOUR)
    answers(life, Answer.APPROVED)
    for _ in range(3):
        life.steered()
        life.pass_by(HOUR)
    assert told(life.ledger).count("asked") == 1
    assert life.approvals.waiting() == ()


def test_an_unanswered_raise_passes_at_the_deadline(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, above=6)
    question = life.steered().questions[0]
    life.pass_by(HOUR)
    assert peak(life) == 6, "the run that waits has its chance first"
    life.pass_by(GRACE)
    assert peak(life) >= 9
    done = life.approvals.of(question.id)
    assert done is not None
    assert (done.answer, done.answered_by) == (Answer.APPROVED, NOBODY)
    assert told(life.ledger).count("expired") == 1


def test_an_unanswered_lowering_does_not_pass(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, now=MONDAY + 7 * HOUR, lower_by=0)
    life.steered()
    life.pass_by(SOON)
    before = life.sizes()[0]
    assert before >= 9
    assert waiting(life).matter is Matter.LOWER
    life.pass_by(OVERDUE)
    life.steered()
    life.pass_by(9 * HOUR)
    life.measured(office_hours(1, end=life.now))
    assert life.sizes()[0] >= before, "the night's plan would hold three"
    assert any("rejected, as nobody in time answered" in note for note in life.steered().notes)

    assert told(life.ledger).count("asked") == 1, "a no holds as long as a yes"


def test_a_lowering_that_was_approved_goes_as_far_as_it_was_asked(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, now=MONDAY + 7 * HOUR, lower_by=1)
    life.steered()
    life.pass_by(SOON)
    asked = waiting(life)
    assert "| fewest instances in 24 hours |" in body_of(asked, "", timedelta(hours=24))
    answers(life, Answer.APPROVED)
    life.steered()
    life.pass_by(10 * HOUR)
    assert asked.size <= life.sizes()[0] <= 4


def test_a_no_holds_for_its_time_and_then_it_is_asked_again(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, above=6, lasts=4 * HOUR)
    life.steered()
    answers(life, Answer.REJECTED)
    life.pass_by(3 * HOUR)
    steered = life.steered()
    assert steered.questions == ()
    assert any("rejected by grace" in note for note in steered.notes)
    life.pass_by(HOUR + SOON)
    assert len(life.steered().questions) == 1


def test_the_first_answer_counts_and_a_later_one_changes_nothing(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, above=6)
    question = life.steered().questions[0]
    life.pass_by(OVERDUE)
    life.steered()
    late = answers(life, Answer.REJECTED, question)
    assert (late.answer, late.answered_by) == (Answer.APPROVED, NOBODY)
    assert "answered" not in told(life.ledger)


def test_the_first_plan_waits_and_the_next_does_not(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, first=True)
    floor = life.sizes()[0]
    assert peak(life) == floor
    answers(life, Answer.APPROVED)
    assert peak(life) >= 9
    life.pass_by(30 * HOUR)
    life.measured(office_hours(2, end=life.now))
    assert peak(life) >= 9, "the first is the first for good"
    assert told(life.ledger).count("asked") == 1


def test_money_beyond_what_was_agreed_waits_and_is_not_spent_without_a_yes(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = a_life(cloud, tmp_path, dollars_a_day=9.0)
    held = peak(life)
    question = waiting(life)
    assert question.matter is Matter.SPEND
    assert question.dollars_a_day is not None
    assert question.dollars_held is not None
    assert question.dollars_held <= 9 < question.dollars_a_day
    life.pass_by(OVERDUE)
    assert peak(life) <= held + 1 < 9


def test_a_budget_that_asks_asks_the_same_way(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    (tmp_path / "budgets.yaml").write_text("budgets: [{name: web, fleets: [web], hourly: 0.6, at_cap: ask}]\n")
    life = a_life(cloud, tmp_path)
    assert peak(life) == 6
    question = waiting(life)
    assert question.matter is Matter.SPEND
    assert "budget web: a person is asked beyond the cap" in question.reasons[0]
    answers(life, Answer.APPROVED)
    assert peak(life) >= 9
    life.pass_by(25 * HOUR)
    life.measured(office_hours(2, end=life.now))
    assert peak(life) == 6, "the yes was for a day"


def test_a_budget_that_clamps_is_not_opened_by_a_yes_to_another(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    budgets = "{name: a, hourly: 0.6, at_cap: ask}, {name: b, hourly: 0.8}"
    (tmp_path / "budgets.yaml").write_text(f"budgets: [{budgets}]\n")
    life = a_life(cloud, tmp_path)
    life.steered()
    answers(life, Answer.APPROVED)
    assert peak(life) == 8


def test_what_nothing_would_be_written_of_is_not_asked(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, mode=Mode.APPROVE, above=6)
    steered = life.steered()
    assert any("would ask a person to raise" in note for note in steered.notes)
    assert peak(life, dry_run=True) == 6
    assert life.approvals.waiting() == ()


def test_what_a_person_decided_goes_over_it_and_is_nobodys_question(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, above=10, raise_by=3)
    observed = AutoScalingFleet(cloud.client("autoscaling"), "web").observe()
    wish = Wish(kind=OverrideKind.BOUNDS, reason="a sale", starts_at=life.now, ends_at=life.now + HOUR, min_size=12)
    impose(wish, "web", observed, Desk(overrides=life.overrides, ledger=life.ledger, by=life.by), now=life.now)
    assert peak(life) == 12


def test_the_question_shows_why_and_what_it_costs_and_a_picture(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = a_life(cloud, tmp_path, above=6, by=("grace",))
    question = life.steered().questions[0]
    body = body_of(question, "http://airflow/plugin/scaling#fleet/web", timedelta(hours=24))
    assert "**Why:**" in body
    assert "above 6" in body
    assert f"| cost of 24 hours | ${question.dollars_a_day:.2f} | ${question.dollars_held:.2f} |" in body
    assert "░" in body
    assert "6, approved " in body
    assert "Without one by 2026-03-02 06:00 UTC, it is approved. Asked: grace." in body


def test_an_answer_is_kept_though_nothing_else_works(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = a_desk(cloud, tmp_path, monkeypatch).ledger
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", "nosuch://place")
    approvals, question = SqlApprovals(ledger._engine), a_question("web", by=("grace",))  # noqa: SLF001 - one database
    approvals.ask(question, Event(fleet="web", kind=EventKind.ASKED, reason=str(question), by=a_run()))
    said = {"chosen_options": ["Reject"], "responded_by_user": {"id": "1", "name": "grace"}}
    ti = SimpleNamespace(dag_id="approve_plans", run_id=question.id, task_id="record", map_index=-1, try_number=1)
    ti.xcom_pull = lambda **_: said
    context: Any = {"ti": ti, "dag_run": SimpleNamespace(triggering_user_name=None, run_type="manual")}

    with pytest.raises(AirflowFailException, match="nosuch://place"):
        RecordAnswerOperator(task_id="record", asked_by="approve", question=question.id).execute(context)
    done = approvals.of(question.id)
    assert done is not None
    assert (done.answer, done.answered_by) == (Answer.REJECTED, "grace")
    assert told(ledger) == ["asked", "answered"]


def test_who_asks_and_who_records_outlast_a_ledger_that_is_away_for_a_quarter_of_an_hour() -> None:
    dag = runpy.run_path(str(ROOT / "dags" / "approve_plans.py"))
    for task in (dag["answer"], dag["record"]):
        growing = (task.retry_delay * task.retry_exponential_backoff**number for number in range(task.retries))
        assert sum((min(delay, task.max_retry_delay) for delay in growing), timedelta()) > timedelta(minutes=15)
