"""What the API tells of the questions that plans wait for."""
# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from predictive_scaling.approving import NOBODY
from predictive_scaling.awaiting import DAG_ID, TASK_ID

if TYPE_CHECKING:
    from forecasting.approval import Question


class HourView(BaseModel):
    """The most instances of an hour."""

    at: datetime
    held: int = Field(description="what may be done without an answer")
    asked: int = Field(description="what the whole plan would hold")


class QuestionView(BaseModel):
    """What a person is asked about a fleet, and what became of it."""

    id: str = Field(description="also of the run of approve_plans that waits for the answer")
    fleet: str
    matter: str = Field(description="raise, lower or spend")
    subject: str
    reasons: list[str]
    size: int = Field(description="up to so many instances, or down to so many")
    dollars_a_day: float | None = Field(description="of the whole plan, in 24 hours")
    dollars_held: float | None = Field(description="of what may be done without an answer")
    hours: list[HourView]
    by: list[str] = Field(description="who may answer; none is whoever may act on approve_plans")
    asked_at: datetime
    due_at: datetime
    safe: str = Field(description="what holds when nobody answers in time")
    answer: str | None = Field(description="null while it waits")
    expired: bool = Field(description="nobody answered in time")
    answered_by: str | None
    answered_at: datetime | None
    holds_until: datetime | None = Field(description="when the answer is over")
    task_path: str = Field(description="under Airflow's address: where it is answered")
    answer_path: str = Field(description="under Airflow's address: what a PATCH with chosen_options answers")


class QuestionPage(BaseModel):
    """Some of the questions, newest first."""

    items: list[QuestionView]
    more: bool = Field(description="whether older ones follow")


def question_view(question: Question) -> QuestionView:
    """Show one question."""
    same = ("id", "fleet", "size", "dollars_a_day", "dollars_held", "asked_at", "due_at", "answered_at", "holds_until")
    nobody = question.answered_by == NOBODY
    return QuestionView(
        **{name: getattr(question, name) for name in same},
        matter=question.matter.value,
        subject=question.subject,
        reasons=list(question.reasons),
        hours=[HourView(at=hour.at, held=hour.held, asked=hour.asked) for hour in question.hours],
        by=list(question.by),
        safe=question.safe.value,
        answer=question.answer.value if question.answer else None,
        expired=nobody,
        answered_by=None if nobody else question.answered_by,
        task_path=f"dags/{DAG_ID}/runs/{question.id}/tasks/{TASK_ID}/required_actions",
        answer_path=f"api/v2/dags/{DAG_ID}/dagRuns/{question.id}/taskInstances/{TASK_ID}/-1/hitlDetails",
    )
