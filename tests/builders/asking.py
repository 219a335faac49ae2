"""Questions that wait in an Airflow without a scheduler: the run, and the task as its operator would have left it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import sqlalchemy as sa

from forecasting.approval import Answer, Hour, Matter, Question
from forecasting.envelope import Envelope
from predictive_scaling.approving import Hearing, settled
from predictive_scaling.ledger.approvals import SqlApprovals
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import Event, EventKind, TaskRun

if TYPE_CHECKING:
    from page_server import PageServer

BY: Final = TaskRun(actor="airflow (manual run)", dag_id="approve_plans", task_id="record")
_WAITS = """
insert into hitl_detail (ti_id, options, subject, body, defaults, multiple, params, assignees, created_at, params_input)
select id, :options, :subject, '', :defaults, 0, '{}', :assignees, :now, '{}' from task_instance
where run_id = :run and task_id = 'approve'
"""


def a_question(fleet: str, *, by: tuple[str, ...] = (), **more: Any) -> Question:
    """Make a question about a raise from 10 to 14."""
    now = datetime.now(UTC)
    known: dict[str, Any] = {
        "id": str(uuid4()),
        "matter": Matter.RAISE,
        "reasons": ("14 at Mon 12:00 UTC, above 10",),
        "size": 16,
        "dollars_a_day": 33.6,
        "dollars_held": 24.0,
        "hours": tuple(Hour(at=now + timedelta(hours=hour), held=10, asked=10 + hour % 5) for hour in range(24)),
        "asked_at": now,
        "due_at": now + timedelta(hours=1),
    }
    return Question(fleet=fleet, by=by, **{**known, **more})


def hearing_of(server: PageServer) -> Hearing:
    """Reach the tables behind a server, as its tasks would."""
    engine = engine_for(f"sqlite:///{server.place.home}/airflow.db")
    return Hearing(approvals=SqlApprovals(engine), by=BY)


def asked(server: PageServer, question: Question) -> Question:
    """Keep the question, start its run, and leave the task waiting for its person."""
    told = Event(fleet=question.fleet, kind=EventKind.ASKED, reason=str(question), by=BY)
    assert hearing_of(server).approvals.ask(question, told)
    body = {"dag_run_id": question.id, "logical_date": None, "conf": {"question": question.id}}
    server.call("POST", "dags/approve_plans/dagRuns", body)
    fields = {
        "run": question.id,
        "options": json.dumps(["Approve", "Reject"]),
        "subject": question.subject,
        "defaults": json.dumps(["Approve"]),
        "assignees": json.dumps([{"id": name, "name": name} for name in question.by]),
        "now": datetime.now(UTC).replace(tzinfo=None),
    }
    waits = "update task_instance set state = 'awaiting_input' where run_id = :run and task_id = 'approve'"
    with engine_for(f"sqlite:///{server.place.home}/airflow.db").begin() as connection:
        connection.execute(sa.text(_WAITS), fields)
        connection.execute(sa.text(waits), {"run": question.id})
    return question


def recorded(server: PageServer, question: Question) -> Question:
    """Record what the person answered in Airflow, or without an answer what holds at the deadline, as the task does."""
    path = f"dags/approve_plans/dagRuns/{question.id}/taskInstances/approve/-1/hitlDetails"
    told = server.call("GET", path)
    answer = None
    if told["response_received"]:
        said = Answer.APPROVED if told["chosen_options"] == ["Approve"] else Answer.REJECTED
        answer = said, str(told["responded_by_user"]["name"])
    return settled(question, answer, hearing_of(server), Envelope(), now=datetime.now(UTC))
