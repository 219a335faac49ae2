"""What leaves the ledger does no harm: neither in a spreadsheet nor in an address."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime

from predictive_scaling.api.event_views import csv_lines, event_page, log_path
from predictive_scaling.ledger.records import Event, EventKind, TaskRun

BY = TaskRun(actor="ada", dag_id="apply_plans", run_id="asset/2026 +1", task_id="apply", map_index=-1, try_number=2)
EVENT = Event(
    id=7, at=datetime(2026, 3, 1, tzinfo=UTC), fleet="web", kind=EventKind.APPLIED, reason='=cmd("x"), said "he"', by=BY
)


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


def test_a_page_knows_whether_there_is_a_next_one() -> None:
    events = [replace(EVENT, id=number) for number in (9, 8, 7)]
    assert event_page(events, limit=2).next_before == 8
    assert event_page(events, limit=3).next_before is None
