"""Questions are kept, answered once, and found again, the same in memory and in SQL."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from demo.local_airflow import ROOT
from forecasting.approval import Answer, Hour, Matter, Question
from predictive_scaling.ledger.approvals import Approvals, MemoryApprovals, SqlApprovals
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.memory import MemoryLedger
from predictive_scaling.ledger.records import Event, EventKind, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from demo.local_postgres import LocalPostgres
    from predictive_scaling.ledger import Ledger

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
_databases = itertools.count()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Approvals, Ledger]:
    """Questions, and the ledger that tells of them."""
    if request.param == "memory":
        ledger = MemoryLedger()
        return MemoryApprovals(ledger), ledger
    if request.param == "sqlite":
        engine = engine_for(f"sqlite:///{tmp_path}/approvals.db")
    else:
        server: LocalPostgres = request.getfixturevalue("postgres")
        engine = engine_for(server.create_database(f"approvals_{next(_databases)}"))
    metadata.create_all(engine)
    return SqlApprovals(engine), SqlLedger(engine)


@pytest.fixture
def approvals(kept: tuple[Approvals, Ledger]) -> Kept:
    return Kept(*kept)


class Kept:
    """Asks and answers with an event each, and asks the rest of what is kept."""

    def __init__(self, approvals: Approvals, ledger: Ledger) -> None:
        self._approvals, self._ledger = approvals, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._approvals, name)

    def ask(self, question: Question) -> bool:
        return self._approvals.ask(question, an_event(EventKind.ASKED, question))

    def answer(self, question: Question) -> bool:
        return self._approvals.answer(question, an_event(EventKind.ANSWERED, question))

    def told(self) -> list[tuple[str, str]]:
        return [(event.kind.value, event.reason) for event in reversed(self._ledger.events())]


def an_event(kind: EventKind, question: Question) -> Event:
    return Event(fleet=question.fleet, kind=kind, reason=question.id, by=TaskRun(actor="ada"))


def a_question(name: str = "q1", fleet: str = "web", matter: Matter = Matter.RAISE, *, after: float = 0) -> Question:
    asked = NOW + after * HOUR
    return Question(
        id=name,
        fleet=fleet,
        matter=matter,
        reasons=("14 at Mon 12:00 UTC, above 10", "up by more than 4 within an hour"),
        size=16,
        dollars_a_day=33.6,
        hours=(Hour(at=asked, held=10, asked=14),),
        by=("ada",),
        asked_at=asked,
        due_at=asked + HOUR,
    )


def answered(question: Question, answer: Answer = Answer.APPROVED, **more: Any) -> Question:
    at = question.asked_at + timedelta(minutes=5)
    return question.answered(answer, **{"by": "ada", "at": at, "until": at + 24 * HOUR, **more})


def ids(questions: Any) -> list[str]:
    return [each.id for each in questions]


def test_a_question_comes_back_as_it_was_asked_and_as_it_was_answered(approvals: Kept) -> None:
    assert approvals.of("q1") is None
    assert approvals.ask(a_question())
    assert approvals.of("q1") == a_question()
    assert approvals.answer(answered(a_question()))
    assert approvals.of("q1") == answered(a_question())


def test_of_each_matter_a_fleet_has_one_question_at_a_time(approvals: Kept) -> None:
    assert approvals.ask(a_question())
    assert not approvals.ask(a_question("q2"))
    assert approvals.ask(a_question("q3", matter=Matter.LOWER))
    assert approvals.ask(a_question("q4", fleet="api"))
    approvals.answer(answered(a_question()))
    assert approvals.ask(a_question("q5"))
    assert set(ids(approvals.waiting())) == {"q3", "q4", "q5"}


def test_the_first_answer_counts(approvals: Kept) -> None:
    approvals.ask(a_question())
    assert approvals.answer(answered(a_question()))
    assert not approvals.answer(answered(a_question(), Answer.REJECTED, by="grace"))
    assert approvals.of("q1") == answered(a_question())
    assert not approvals.answer(answered(a_question("never asked")))


def test_the_ledger_tells_of_what_was_kept_and_of_nothing_else(approvals: Kept) -> None:
    approvals.ask(a_question())
    approvals.ask(a_question("q2"))
    approvals.answer(answered(a_question()))
    approvals.answer(answered(a_question(), Answer.REJECTED))
    assert approvals.told() == [("asked", "q1"), ("answered", "q1")]


def test_the_role_of_tasks_asks_and_answers_and_changes_nothing_that_was_said(postgres: LocalPostgres) -> None:
    owner = engine_for(postgres.create_database("asking_role"))
    metadata.create_all(owner)
    postgres.script("asking_role", ROOT / "include" / "sql" / "ledger_role.sql", password="secret")
    role = engine_for(postgres.url("asking_role", user="scaling_ledger", password="secret"))
    approvals = Kept(SqlApprovals(role), SqlLedger(role))
    assert approvals.ask(a_question())
    assert approvals.answer(answered(a_question()))
    for forbidden in ("delete from scaling_approval", "update scaling_approval set size = 99"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), role.begin() as connection:
            connection.execute(sa.text(forbidden))


def test_what_waits_and_what_holds_stands_and_the_rest_is_over(approvals: Kept) -> None:
    old, open_now = a_question(after=-40), a_question("q3", matter=Matter.SPEND)
    for question in (old, open_now, a_question("q4", fleet="api")):
        approvals.ask(question)
    approvals.answer(answered(old))
    approvals.ask(a_question("q2"))
    approvals.answer(answered(a_question("q2"), Answer.REJECTED))
    assert ids(approvals.standing("web", NOW)) == ["q2", "q3"]
    assert ids(approvals.standing("web", NOW + 48 * HOUR)) == ["q3"]


def test_whether_a_plan_was_ever_approved_is_known_for_good(approvals: Kept) -> None:
    lower = a_question("q0", matter=Matter.LOWER)
    approvals.ask(lower)
    approvals.answer(answered(lower))
    approvals.ask(a_question())
    approvals.answer(answered(a_question(), Answer.REJECTED))
    assert not approvals.ever_approved("web")
    approvals.ask(a_question("q2", after=30))
    approvals.answer(answered(a_question("q2", after=30)))
    assert approvals.ever_approved("web")
    assert not approvals.ever_approved("api")


def test_the_newest_come_first_and_a_page_at_a_time(approvals: Kept) -> None:
    for number in range(4):
        question = a_question(f"q{number}", after=number)
        approvals.ask(question)
        approvals.answer(answered(question))
    approvals.ask(a_question("other", fleet="api", after=9))
    assert ids(approvals.newest(limit=2)) == ["other", "q3"]
    assert ids(approvals.newest("web", limit=2, offset=2)) == ["q1", "q0"]
