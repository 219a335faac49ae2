"""What the API tells of the ledger's events, and the pure functions that shape it."""
# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pydantic import BaseModel, Field

from predictive_scaling.api.approval_views import QuestionView, question_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forecasting import Forecast
    from forecasting.approval import Question
    from predictive_scaling.ledger.records import Event, Operation, TaskRun

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""First letters that make a spreadsheet carry out a cell instead of showing it."""


class EventRow(BaseModel):
    """One line of a fleet's story, in brief."""

    id: int
    at: datetime
    fleet: str
    kind: str
    reason: str
    error: str | None = None
    actor: str
    call: str | None = None
    operation_id: str | None = None
    forecast_id: str | None = None
    plan_id: str | None = None
    aws_request_id: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    log_path: str | None = Field(
        None, description="the task's log in Airflow's UI, or the runs that tell of the watch, below its base address"
    )


class EventPage(BaseModel):
    """Some events, newest first."""

    items: list[EventRow]
    next_before: int | None = Field(description="ask for `before` this id to go on; null at the end")


class OperationView(BaseModel):
    """One change of one fleet, from its first intent until its outcome is known."""

    id: str
    kind: str
    key: str
    by: str
    plan_id: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    outcome: str | None


class ForecastBrief(BaseModel):
    """The forecast an event rests on."""

    forecast_id: str
    start: datetime
    engine: str
    reason: str
    peak: float = Field(description="of p90")
    peak_at: datetime


class EventDetail(EventRow):
    """One event whole, with the chain it belongs to: forecast, plan, request, observed result."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None
    operation: OperationView | None
    chain: list[EventRow] = Field(description="all events of its operation, in the order they happened")
    forecast: ForecastBrief | None = Field(description="null when it is no longer stored")
    approvals: list[QuestionView] = Field(
        description="the answers that held when its plan was carried out, oldest first"
    )


def event_row(event: Event) -> EventRow:
    """Show an event in brief."""
    own = ("id", "at", "fleet", "reason", "error", "call", "operation_id", "forecast_id", "plan_id", "aws_request_id")
    task = ("actor", "dag_id", "run_id", "task_id", "map_index", "try_number")
    known = {name: getattr(event, name) for name in own} | {name: getattr(event.by, name) for name in task}
    return EventRow(**known, kind=event.kind.value, log_path=log_path(event.by))


def event_page(events: Sequence[Event], *, limit: int) -> EventPage:
    """Show a page, of which one more was looked up than it holds, to know whether there is a next one."""
    rows = [event_row(event) for event in events[:limit]]
    return EventPage(items=rows, next_before=rows[-1].id if len(events) > limit else None)


def event_detail(
    event: Event,
    chain: Sequence[Event],
    operation: Operation | None,
    *,
    forecast: ForecastBrief | None = None,
    questions: Sequence[Question] = (),
) -> EventDetail:
    """Show an event with its chain."""
    return EventDetail(
        **event_row(event).model_dump(),
        before=event.before,
        after=event.after,
        operation=_operation(operation) if operation else None,
        chain=[event_row(each) for each in chain or (event,)],
        forecast=forecast,
        approvals=[question_view(each) for each in questions if _stood(each, event)],
    )


def _stood(question: Question, event: Event) -> bool:
    """Whether what a person answered, or nobody did in time, held when the event's plan was carried out."""
    if event.plan_id is None or event.operation_id is None or event.at is None or question.answered_at is None:
        return False
    return question.answered_at <= event.at and question.holds_at(event.at)


def forecast_brief(forecast_id: str, forecast: Forecast) -> ForecastBrief:
    """Show a forecast in brief."""
    high = forecast.at(0.9)
    slot = int(high.argmax())
    return ForecastBrief(
        forecast_id=forecast_id,
        start=forecast.start,
        engine=forecast.engine,
        reason=forecast.reason,
        peak=float(high[slot]),
        peak_at=forecast.start + slot * forecast.step,
    )


def log_path(by: TaskRun) -> str | None:
    """Point to the log of the task behind an event; the watch is no task, and the runs of its DAG tell what it did."""
    if not (by.dag_id and by.run_id and by.task_id):
        return None
    if by.try_number is None:
        return f"dags/{quote(by.dag_id, safe='')}/runs"
    path = f"dags/{quote(by.dag_id, safe='')}/runs/{quote(by.run_id, safe='')}/tasks/{quote(by.task_id, safe='')}"
    mapped = f"/mapped/{by.map_index}" if by.map_index is not None and by.map_index >= 0 else ""
    return f"{path}{mapped}?try_number={by.try_number}"


def csv_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield the events as the lines of a CSV file."""
    columns = list(EventRow.model_fields)
    yield _csv_line(columns)
    for event in events:
        row = event_row(event).model_dump(mode="json")
        yield _csv_line([_cell(row[name]) for name in columns])


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text


def _operation(operation: Operation) -> OperationView:
    same = ("id", "kind", "key", "plan_id", "opened_at", "closed_at")
    outcome = operation.outcome.value if operation.outcome else None
    return OperationView(**{name: getattr(operation, name) for name in same}, by=str(operation.by), outcome=outcome)
