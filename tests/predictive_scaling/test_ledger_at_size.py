"""The promise: what the page asks for is found by indexes, and costs the same however much the ledger holds.

Time is not measured here, pages of the database that are touched are: `make bench NAMES=page` measures the time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from demo.big_ledger import FLEETS, NOW, fill
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.event_search import EventSearch, Wanted, query
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata, scaling_event, scaling_operation, scaling_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.local_postgres import LocalPostgres

ROWS = 200_000
FEW = 500
"""Pages of 8 kB; the events alone fill more than 8,000."""
FLEET = "fleet-0007"
ROUTINE = "airflow (asset run)"


@pytest.fixture(scope="module")
def ledger(postgres: LocalPostgres) -> sa.Engine:
    """A PostgreSQL with the events of months."""
    engine = engine_for(postgres.create_database("at_size"))
    metadata.create_all(engine)
    fill(engine, rows=ROWS)
    return engine


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def explained(engine: sa.Engine, statement: sa.Select[Any]) -> tuple[int, set[str], int]:
    """Run a query; give the rows it found, the indexes it used (or `Seq Scan`) and the pages it touched."""
    text = str(statement.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        answer = connection.exec_driver_sql(f"explain (analyze, buffers, format json) {text}").scalar_one()
    top = answer[0]["Plan"]
    used = {node.get("Index Name", node["Node Type"]) for node in nodes(top) if "Scan" in node["Node Type"]}
    return int(top["Actual Rows"]), used - {"Bitmap Heap Scan"}, top["Shared Hit Blocks"] + top["Shared Read Blocks"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


SEARCHES = {
    "all": (Wanted(), 51),
    "a fleet": (Wanted(fleet=FLEET), 51),
    "a fleet, its next page": (Wanted(fleet=FLEET, before=ROWS // 2), 51),
    "no such fleet": (Wanted(fleet="nobody"), 0),
    "a rare kind": (Wanted(kind=EventKind.FAILED), 51),
    "a kind there is not": (Wanted(kind=EventKind.REFUSED), 0),
    "a person": (Wanted(actor="ada"), 51),
    "nobody": (Wanted(actor="bob"), 0),
    "the last day": (Wanted(since=days_ago(1)), 51),
    "a day in the middle": (Wanted(since=days_ago(51), until=days_ago(50)), 51),
    "until the middle": (Wanted(until=days_ago(50)), 51),
    "until the middle, by whoever does most": (Wanted(actor=ROUTINE, until=days_ago(50)), 51),
    "until the first day": (Wanted(until=days_ago(99)), 51),
    "before everything": (Wanted(until=days_ago(200)), 0),
    "after everything": (Wanted(since=days_ago(-5)), 0),
    "the first day of whoever does most": (Wanted(actor=ROUTINE, until=days_ago(99)), 51),
    "a day of a fleet": (Wanted(fleet=FLEET, since=days_ago(51.5), until=days_ago(41.5)), 20),
    "what a person did to a fleet": (Wanted(fleet=FLEET, actor="ada"), 0),
    "what failed for a person": (Wanted(kind=EventKind.FAILED, actor="ada"), 51),
    "everything at once": (
        Wanted(fleet=FLEET, kind=EventKind.APPLIED, actor=ROUTINE, since=days_ago(60.5), until=days_ago(40.5)),
        20,
    ),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_events_are_found_by_an_index_and_few_pages(search: str, ledger: sa.Engine) -> None:
    wanted, expected = SEARCHES[search]
    found, used, pages = explained(ledger, query(wanted, limit=51))

    assert found == expected
    assert "Seq Scan" not in used
    assert all("scaling_event" in index for index in used)
    assert pages < FEW


def test_what_set_the_bounds_of_a_fleet_is_found_by_an_index_and_few_pages(ledger: sa.Engine) -> None:
    asked: list[sa.Select[Any]] = []

    def heard(_: sa.Connection, statement: sa.Select[Any], *__: Any) -> None:
        asked.append(statement)

    sa.event.listen(ledger, "before_execute", heard)
    found = SqlLedger(ledger).bounds_written(FLEET, None, within=timedelta(hours=48))
    sa.event.remove(ledger, "before_execute", heard)
    assert found
    for statement in tuple(asked):
        _, used, pages = explained(ledger, statement)
        assert "Seq Scan" not in used
        assert pages < FEW


def test_a_bound_in_time_leaves_out_nothing_that_clocks_have_shuffled(ledger: sa.Engine) -> None:
    since, until = days_ago(50.02), days_ago(50)
    with ledger.connect() as connection:
        at = scaling_event.c.at
        known = connection.execute(sa.select(scaling_event.c.id).where(at >= since, at < until)).scalars().all()
    found = EventSearch(ledger).page(Wanted(since=since, until=until), limit=ROWS)

    assert [event.id for event in found] == sorted(known, reverse=True)
    assert len(known) > FEW / 20


def test_the_story_of_one_event_is_found_by_its_operation(ledger: sa.Engine) -> None:
    for statement in (
        sa.select(scaling_event).where(scaling_event.c.operation_id == "operation-777").order_by(scaling_event.c.id),
        sa.select(scaling_operation).where(scaling_operation.c.id == "operation-777"),
        sa.select(scaling_operation).where(scaling_operation.c.fleet == FLEET, scaling_operation.c.state == "open"),
    ):
        _, used, pages = explained(ledger, statement)
        assert "Seq Scan" not in used
        assert pages < FEW / 10


def test_the_list_of_fleets_reads_their_statuses_and_none_of_the_plans_beside_them(ledger: sa.Engine) -> None:
    heavy = {"steps": [{"reason": f"p90 of RequestCount {number}" * 9} for number in range(200)]}
    rows = [
        {"fleet": f"fleet-{number:04}", "at": NOW, "summary": {"fleet": number}, "plan": heavy, "previous_plan": heavy}
        for number in range(FLEETS)
    ]
    with ledger.begin() as connection:
        connection.execute(sa.insert(scaling_status), rows)
    found, _, pages = explained(ledger, sa.select(scaling_status.c.summary).order_by(scaling_status.c.fleet))

    assert found == FLEETS
    assert pages < FEW
