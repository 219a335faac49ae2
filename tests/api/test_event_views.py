"""What leaves the ledger does no harm: neither in a spreadsheet nor in an address."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forecasting.approval import Answer, Matter, Question
from predictive_scaling.api.event_views import csv_lines, event_detail, event_page, log_path
from predictive_scaling.ledger.records import Event, EventKind, TaskRun

BY = TaskRun(actor="ada", dag_id="apply_plans", run_id="asset/2026 +1", task_id="apply", map_index=-1, try_number=2)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
EVENT = Event(id=7, at=MARCH, fleet="web", kind=EventKind.APPLIED, reason='=cmd("x"), said "he"', by=BY)


def test_a_cell_of_the_csv_that_a_spreadsheet_would_carry_out_is_made_text() -> None:
    rows = list(csv.DictReader("".join(csv_lines([EVENT, replace(EVENT, reason="as planned")])).splitlines()))
    assert [row["reason"] for row in rows] == ['\'=cmd("x"), said "he"', "as planned"]
    assert (rows[0]["id"], rows[0]["map_index"], rows[0]["kind"]) == ("7", "-1", "applied")


def test_the_way_to_the_log_escapes_the_run_and_names_the_try() -> None:
    assert log_path(BY) == "dags/apply_plans/runs/asset%2F2026%20%2B1/tasks/apply?try_number=2"
    assert log_path(replace(BY, map_index=3)) == (
        "dags/apply_plans/runs/asset%2F2026%20%2B1/tasks/apply/mapped/3?try_number=2"
    )
    assert log_path(TaskRun(actor="ada")) is None


def test_what_the_watch_did_leads_to_the_runs_that_tell_of_it_for_it_has_none_of_its_own() -> None:
    look = TaskRun(actor="the watch", dag_id="react_to_load", run_id="look 20260301T000000Z", task_id="watch 1-of-1")
    assert log_path(look) == "dags/react_to_load/runs"


def test_a_page_knows_whether_there_is_a_next_one() -> None:
    events = [replace(EVENT, id=number) for number in (9, 8, 7)]
    assert event_page(events, limit=2).next_before == 8
    assert event_page(events, limit=3).next_before is None


def test_the_chain_of_a_plan_has_the_answers_that_held_when_it_was_carried_out() -> None:
    hour, now = timedelta(hours=1), MARCH
    asked = Question(
        id="q", fleet="web", matter=Matter.RAISE, reasons=("more",), size=9, asked_at=now - 5 * hour, due_at=now
    )
    held = asked.answered(Answer.APPROVED, by="ada", at=now - hour, until=now + hour)
    later = asked.answered(Answer.APPROVED, by="ada", at=now + hour, until=now + 2 * hour)
    over = asked.answered(Answer.REJECTED, by="ada", at=now - 3 * hour, until=now - hour)
    questions = (asked, held, later, over)

    of_plan = replace(EVENT, plan_id="p", operation_id="o")
    (shown,) = event_detail(of_plan, (), None, questions=questions).approvals
    assert (shown.answered_by, shown.answer) == ("ada", "approved")
    assert event_detail(EVENT, (), None, questions=questions).approvals == []
