"""Approval: a plan that goes further than was agreed waits for a person, with a deadline and a safe answer of its own.

A question is about one matter: raising, lowering or spending. Its answer is data that holds for a while: a yes widens
the envelope up to what was asked, a no keeps the same question from being put again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from forecasting.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class Matter(StrEnum):
    """What is asked for."""

    RAISE = "raise"
    LOWER = "lower"
    SPEND = "spend"


class Answer(StrEnum):
    """What was decided."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What of a plan lies outside the envelope, of one matter."""

    matter: Matter
    reasons: tuple[str, ...]
    size: int  # up to so many instances, or down to so many
    dollars_a_day: float | None = None  # of the whole plan, in the coming 24 hours
    dollars_held: float | None = None  # of what may be done unasked


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """The most instances of an hour: of what may be done unasked, and of the whole plan."""

    at: datetime
    held: int
    asked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked about a fleet, until when, and what became of it."""

    id: str
    fleet: str
    matter: Matter
    reasons: tuple[str, ...]
    size: int
    dollars_a_day: float | None = None
    dollars_held: float | None = None
    hours: tuple[Hour, ...] = ()
    by: tuple[str, ...] = ()  # who may answer; nobody named leaves it to the rights of Airflow
    asked_at: datetime
    due_at: datetime
    answer: Answer | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None
    holds_until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a question that nobody could answer in time, and half an answer."""
        if self.due_at <= self.asked_at:
            asked, due = self.asked_at.isoformat(), self.due_at.isoformat()
            msg = f"question is due {due}, not after it is asked {asked}: give a later deadline"
            raise InvalidRequest(msg)
        told = {self.answer is None, self.answered_by is None, self.answered_at is None, self.holds_until is None}
        if len(told) > 1:
            msg = f"question {self.id} has half an answer: give answer, answered_by, answered_at and holds_until"
            raise InvalidRequest(msg)

    @property
    def is_open(self) -> bool:
        """Whether it waits for its answer."""
        return self.answer is None

    @property
    def safe(self) -> Answer:
        """What holds when nobody answers: more capacity is safe, less of it is not, and neither is more money."""
        return Answer.APPROVED if self.matter is Matter.RAISE else Answer.REJECTED

    def holds_at(self, when: datetime) -> bool:
        """Whether its answer holds at an instant."""
        return self.holds_until is not None and when < self.holds_until

    def answered(self, answer: Answer, *, by: str, at: datetime, until: datetime) -> Self:
        """Give it with its answer."""
        return replace(self, answer=answer, answered_by=by, answered_at=at, holds_until=until)

    @property
    def subject(self) -> str:
        """Say in a line what is asked for."""
        instances = f"{self.size} instance{'' if self.size == 1 else 's'}"
        match self.matter:
            case Matter.RAISE:
                return f"Raise {self.fleet} up to {instances}?"
            case Matter.LOWER:
                return f"Lower {self.fleet} down to {instances}?"
        dollars = "" if self.dollars_a_day is None else f" and ${self.dollars_a_day:,.2f} a day"
        return f"Let {self.fleet} cost more, up to {instances}{dollars}?"

    @property
    def deadline(self) -> str:
        """Say until when, and what holds without an answer."""
        return f"until {self.due_at:%Y-%m-%d %H:%M} UTC, then {self.safe}"

    def __str__(self) -> str:
        return f"{self.subject} {'; '.join(self.reasons)}; {self.deadline}"


def granted(questions: Iterable[Question], when: datetime) -> dict[Matter, int]:
    """Give how far each matter was approved, of the answers that hold: the widest counts."""
    sizes: dict[Matter, int] = {}
    for each in questions:
        if each.answer is Answer.APPROVED and each.holds_at(when):
            wider = min if each.matter is Matter.LOWER else max
            sizes[each.matter] = wider(each.size, sizes.get(each.matter, each.size))
    return sizes


def unasked(outside: Iterable[Outside], questions: Iterable[Question], when: datetime) -> tuple[Outside, ...]:
    """Give what no person has been asked about: nothing of a matter that waits for an answer, or was refused."""
    settled = {
        each.matter for each in questions if each.is_open or (each.answer is Answer.REJECTED and each.holds_at(when))
    }
    return tuple(each for each in outside if each.matter not in settled)
