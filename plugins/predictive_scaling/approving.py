"""A plan that goes further than was agreed: held at the edge, asked about once, and answered in the ledger.

Airflow waits for the person, in a run of `approve_plans`. The deadline holds without it: a question that nobody has
answered gets its safe answer from whoever looks at the fleet first, once that run has had its chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from forecasting.approval import Answer, Question, granted, unasked
from forecasting.envelope import Envelope, weighed
from predictive_scaling.ledger.records import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from forecasting import Plan
    from forecasting.approval import Outside
    from forecasting.cost_verdict import Verdict
    from forecasting.envelope import Case, Weighed
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.approvals import Approvals
    from predictive_scaling.ledger.records import TaskRun

GRACE: Final = timedelta(minutes=5)
"""How long after its deadline a question is left to the run that waits for its answer."""
NOBODY: Final = "nobody in time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """Where questions are kept, and on whose behalf."""

    approvals: Approvals
    by: TaskRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What of a plan may be written, what was said about the rest, and the questions that wait."""

    plan: Plan
    notes: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def agreement(spec: FleetSpec) -> Envelope:
    """Give what was agreed about a fleet; without a word in its file only budgets ask."""
    return spec.approval or Envelope()


def standing(spec: FleetSpec, hearing: Hearing, *, now: datetime) -> tuple[Question, ...]:
    """Give the questions that wait and the answers that hold; one that is long overdue gets its safe answer first."""
    for each in hearing.approvals.standing(spec.name, now):
        if each.is_open and each.due_at + GRACE <= now:
            settled(each, None, hearing, agreement(spec), now=now)
    return tuple(hearing.approvals.standing(spec.name, now))


def agreed(plan: Plan, spec: FleetSpec, case: Case, questions: Sequence[Question], hearing: Hearing | None) -> Agreed:
    """Hold a plan at the edges of what was agreed, and ask about the rest; without a hearing nobody is asked."""
    found = weighed(plan, agreement(spec), case, granted(questions, case.now))
    if hearing:
        for each in unasked(found.outside, questions, case.now):
            question = _question(spec, each, found, case.now)
            hearing.approvals.ask(question, _asking(question, hearing.by))
        questions = hearing.approvals.standing(spec.name, case.now)
    waiting = tuple(each for each in questions if each.is_open)
    return Agreed(plan=found.plan, notes=_remarks(found, questions), questions=waiting)


def settled(
    question: Question, answer: tuple[Answer, str] | None, hearing: Hearing, envelope: Envelope, *, now: datetime
) -> Question:
    """Keep a person's answer, or without one the safe answer; the first that is kept counts, and is given back."""
    said, person = answer or (question.safe, NOBODY)
    done = question.answered(said, by=person, at=now, until=now + envelope.lasts)
    by = replace(hearing.by, actor=person) if answer else hearing.by
    after = {"id": done.id, "answer": said.value, "size": done.size, "until": (now + envelope.lasts).isoformat()}
    told = _event(done, EventKind.ANSWERED if answer else EventKind.EXPIRED, by, verdict(done), after)
    return done if hearing.approvals.answer(done, told) else hearing.approvals.of(question.id) or question


def verdict(question: Question) -> str:
    """Say what came of a question."""
    until = f"{question.holds_until:%Y-%m-%d %H:%M} UTC" if question.holds_until else ""
    who = f"{question.answer}, as {NOBODY} answered" if question.answered_by == NOBODY else ""
    return f"{question.subject} {who or f'{question.answer} by {question.answered_by}'}, holds until {until}"


def _remarks(found: Weighed, questions: Sequence[Question]) -> tuple[str, ...]:
    """Say of every matter that is held back what it waits for."""
    told = []
    for outside in found.outside:
        mine = [each for each in questions if each.matter is outside.matter]
        last = mine[-1] if mine else None
        if last is None or last.answer is Answer.APPROVED:
            told.append(f"would ask a person to {outside.matter}: {'; '.join(outside.reasons)}")
        elif last.is_open:
            told.append(f"waits for a person: {last}")
        else:
            told.append(f"held back: {'; '.join(outside.reasons)}; {verdict(last)}")
    return tuple(told)


def _question(spec: FleetSpec, outside: Outside, found: Weighed, now: datetime) -> Question:
    envelope = agreement(spec)
    return Question(
        id=str(uuid4()),
        fleet=spec.name,
        matter=outside.matter,
        reasons=outside.reasons,
        size=outside.size,
        dollars_a_day=outside.dollars_a_day,
        dollars_held=outside.dollars_held,
        hours=found.hours,
        by=envelope.by,
        asked_at=now,
        due_at=now + envelope.within,
    )


def _asking(question: Question, by: TaskRun) -> Event:
    after = {"id": question.id, "size": question.size, "due": question.due_at.isoformat()}
    return _event(question, EventKind.ASKED, by, str(question), after)


def _event(question: Question, kind: EventKind, by: TaskRun, reason: str, after: dict[str, Any]) -> Event:
    matter = {"matter": question.matter.value}
    return Event(fleet=question.fleet, kind=kind, by=by, reason=reason, after={**matter, **after})
