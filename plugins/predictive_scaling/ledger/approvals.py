"""What people are asked about plans, and what they answered: the table `scaling_approval` and, for tests, memory."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from forecasting.approval import Answer, Hour, Matter, Question
from predictive_scaling.ledger.connection import engine_of_connection, in_utc
from predictive_scaling.ledger.records import utc_now
from predictive_scaling.ledger.store import event_row
from predictive_scaling.ledger.tables import scaling_approval, scaling_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event

_SAME: Final = ("id", "fleet", "size", "dollars_a_day", "dollars_held", "answered_by")
_INSTANTS: Final = ("asked_at", "due_at", "answered_at", "holds_until")


class Approvals(Protocol):
    """Keeps questions; one is asked, answered once, and never changed otherwise."""

    def ask(self, question: Question, told: Event) -> bool:
        """Keep a new one and remember the event, both or neither; neither while one of its fleet and matter waits."""

    def answer(self, question: Question, told: Event) -> bool:
        """Keep the answer it carries and remember the event, both or neither; neither when it has one already."""

    def of(self, question_id: str) -> Question | None:
        """Give one by its id."""

    def standing(self, fleet: str, when: datetime) -> Sequence[Question]:
        """Give those of a fleet that wait, and those whose answer holds, the oldest first."""

    def ever_approved(self, fleet: str) -> bool:
        """Whether a raise or an expense of the fleet was ever approved."""

    def waiting(self) -> Sequence[Question]:
        """Give every fleet's open questions, the first due first."""

    def newest(self, fleet: str | None = None, *, limit: int = 100, offset: int = 0) -> Sequence[Question]:
        """Give the newest questions, open or not, newest first."""


class SqlApprovals:
    """Keeps the contract of `Approvals` in SQL."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    @classmethod
    def from_connection(cls) -> SqlApprovals:
        """Reach the table as a task does."""
        return cls(engine_of_connection())

    def ask(self, question: Question, told: Event) -> bool:
        """Keep a new one."""
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(scaling_approval), _row(question))
                connection.execute(sa.insert(scaling_event), event_row(told, self._clock()))
        except IntegrityError:
            return False
        return True

    def answer(self, question: Question, told: Event) -> bool:
        """Keep the answer, unless there is one."""
        table, row = scaling_approval.c, _row(question)
        new = {name: row[name] for name in ("answer", "answered_by", "answered_at", "holds_until")}
        answering = sa.update(scaling_approval).where(table.id == question.id, table.answer.is_(None)).values(new)
        with self._engine.begin() as connection:
            if not connection.execute(answering).rowcount:
                return False
            connection.execute(sa.insert(scaling_event), event_row(told, self._clock()))
        return True

    def of(self, question_id: str) -> Question | None:
        """Give one by its id."""
        found = self._found(sa.select(scaling_approval).where(scaling_approval.c.id == question_id))
        return found[0] if found else None

    def standing(self, fleet: str, when: datetime) -> Sequence[Question]:
        """Give those that wait or whose answer holds."""
        table = scaling_approval.c
        holds = sa.or_(table.answer.is_(None), table.holds_until > when)
        query = sa.select(scaling_approval).where(table.fleet == fleet, holds)
        return self._found(query.order_by(table.asked_at, table.id))

    def ever_approved(self, fleet: str) -> bool:
        """Whether a plan of the fleet was ever approved."""
        table = scaling_approval.c
        yes = (table.answer == Answer.APPROVED.value, table.matter != Matter.LOWER.value)
        return bool(self._found(sa.select(scaling_approval).where(table.fleet == fleet, *yes).limit(1)))

    def waiting(self) -> Sequence[Question]:
        """Give every open question."""
        table = scaling_approval.c
        query = sa.select(scaling_approval).where(table.answer.is_(None))
        return self._found(query.order_by(table.due_at, table.id))

    def newest(self, fleet: str | None = None, *, limit: int = 100, offset: int = 0) -> Sequence[Question]:
        """Give the newest questions."""
        table = scaling_approval.c
        query = sa.select(scaling_approval)
        if fleet is not None:
            query = query.where(table.fleet == fleet)
        return self._found(query.order_by(table.asked_at.desc(), table.id).limit(limit).offset(offset))

    def _found(self, query: sa.Select[Any]) -> tuple[Question, ...]:
        with self._engine.connect() as connection:
            return tuple(_question(row) for row in connection.execute(query).mappings())


class MemoryApprovals:
    """Keeps the contract of `Approvals` for as long as the process lives."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Question] = {}

    def ask(self, question: Question, told: Event) -> bool:
        """Keep a new one."""
        if any((each.fleet, each.matter) == (question.fleet, question.matter) for each in self.waiting()):
            return False
        self._known[question.id] = question
        self._ledger.record(told)
        return True

    def answer(self, question: Question, told: Event) -> bool:
        """Keep the answer, unless there is one."""
        known = self._known.get(question.id)
        if known is None or not known.is_open:
            return False
        self._known[question.id] = question
        self._ledger.record(told)
        return True

    def of(self, question_id: str) -> Question | None:
        """Give one by its id."""
        return self._known.get(question_id)

    def standing(self, fleet: str, when: datetime) -> Sequence[Question]:
        """Give those that wait or whose answer holds."""
        found = (each for each in self._known.values() if each.fleet == fleet and (each.is_open or each.holds_at(when)))
        return tuple(sorted(found, key=lambda each: (each.asked_at, each.id)))

    def ever_approved(self, fleet: str) -> bool:
        """Whether a plan of the fleet was ever approved."""
        mine = (each for each in self._known.values() if each.fleet == fleet and each.matter is not Matter.LOWER)
        return any(each.answer is Answer.APPROVED for each in mine)

    def waiting(self) -> Sequence[Question]:
        """Give every open question."""
        found = (each for each in self._known.values() if each.is_open)
        return tuple(sorted(found, key=lambda each: (each.due_at, each.id)))

    def newest(self, fleet: str | None = None, *, limit: int = 100, offset: int = 0) -> Sequence[Question]:
        """Give the newest questions."""
        found = sorted((each for each in self._known.values() if fleet in {None, each.fleet}), key=lambda each: each.id)
        newest = sorted(found, key=lambda each: each.asked_at, reverse=True)
        return tuple(newest[offset : offset + limit])


def _row(question: Question) -> dict[str, Any]:
    return {
        **{name: getattr(question, name) for name in (*_SAME, *_INSTANTS)},
        "matter": question.matter.value,
        "reasons": list(question.reasons),
        "hours": [[hour.at.isoformat(), hour.held, hour.asked] for hour in question.hours],
        "answerers": list(question.by),
        "answer": question.answer.value if question.answer else None,
    }


def _question(row: Mapping[Any, Any]) -> Question:
    hours = ((datetime.fromisoformat(at), held, asked) for at, held, asked in row["hours"])
    fields: dict[str, Any] = {name: row[name] for name in _SAME} | {name: in_utc(row[name]) for name in _INSTANTS}
    return Question(
        **fields,
        matter=Matter(row["matter"]),
        reasons=tuple(row["reasons"]),
        hours=tuple(Hour(at=at, held=held, asked=asked) for at, held, asked in hours),
        by=tuple(row["answerers"]),
        answer=Answer(row["answer"]) if row["answer"] else None,
    )
