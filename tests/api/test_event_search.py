"""Events are found by what a person asks for, on SQLite and on PostgreSQL, and never by reading them all."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.event_search import EventSearch, Wanted, query
from predictive_scaling.ledger.records import Event, EventKind, Operation, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from demo.local_postgres import LocalPostgres

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, TIMETABLE = TaskRun(actor="ada"), TaskRun(actor="airflow (asset run)")
_databases = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    if request.param == "sqlite":
        engine = engine_for(f"sqlite:///{tmp_path}/ledger.db")
    else:
        server: LocalPostgres = request.getfixturevalue("postgres")
        engine = engine_for(server.create_database(f"search_{next(_databases)}"))
    metadata.create_all(engine)
    return engine


def an_event(fleet: str = "web", kind: EventKind = EventKind.OBSERVED, by: TaskRun = TIMETABLE) -> Event:
    return Event(fleet=fleet, kind=kind, reason="as planned", by=by, after={"big": "x" * 1000})


def a_story(engine: sa.Engine) -> EventSearch:
    """Six events, an hour apart."""
    clock = (NOON + timedelta(hours=hour) for hour in itertools.count())
    ledger = SqlLedger(engine, lambda: next(clock))
    ledger.record(an_event())
    ledger.record(an_event(by=ADA))
    ledger.record(an_event(fleet="api"))
    ledger.record(an_event(kind=EventKind.FAILED))
    ledger.record(an_event(fleet="api", kind=EventKind.FAILED, by=ADA))
    ledger.record(an_event())
    return EventSearch(engine)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [6, 5, 4, 3, 2, 1]),
        (Wanted(fleet="web"), [6, 4, 2, 1]),
        (Wanted(kind=EventKind.FAILED), [5, 4]),
        (Wanted(actor="ada"), [5, 2]),
        (Wanted(fleet="api", kind=EventKind.FAILED, actor="ada"), [5]),
        (Wanted(since=NOON + timedelta(hours=2), until=NOON + timedelta(hours=4)), [4, 3]),
        (Wanted(fleet="web", before=4), [2, 1]),
        (Wanted(fleet="nobody"), []),
    ],
)
def test_every_filter_and_all_of_them_together_keep_what_was_asked_for(
    engine: sa.Engine, wanted: Wanted, found: list[int]
) -> None:
    assert [event.id for event in a_story(engine).page(wanted, limit=10)] == found


def test_pages_join_without_a_gap_although_new_events_come_in(engine: sa.Engine) -> None:
    search = a_story(engine)
    first = search.page(Wanted(), limit=4)
    SqlLedger(engine).record(an_event(), an_event())
    second = search.page(Wanted(before=first[-1].id), limit=4)
    assert [event.id for event in (*first, *second)] == [6, 5, 4, 3, 2, 1]


def test_a_list_leaves_out_what_is_big_and_one_event_is_whole(engine: sa.Engine) -> None:
    search = a_story(engine)
    assert search.page(Wanted(), limit=1)[0].after is None
    whole = SqlLedger(engine).event(1)
    assert whole is not None
    assert whole.after == {"big": "x" * 1000}
    assert SqlLedger(engine).event(99) is None


def test_a_chain_is_an_operations_events_in_the_order_they_happened(engine: sa.Engine) -> None:
    ledger, search = SqlLedger(engine), EventSearch(engine)
    opened = ledger.open(Operation(fleet="web", kind="apply_plan", key="k", by=ADA), an_event(kind=EventKind.INTENT))
    ledger.record(an_event())
    ledger.close(opened, an_event(kind=EventKind.APPLIED))
    assert [event.kind for event in search.chain(opened.id)] == [EventKind.INTENT, EventKind.APPLIED]
    operation = search.operation(opened.id)
    assert operation is not None
    assert operation.outcome is EventKind.APPLIED


FILLING = """
insert into scaling_event (at, fleet, kind, actor, reason)
select timestamptz '2026-01-01' + i * interval '1 minute', 'fleet-' || (i % 100),
  case when i % 500 = 0 then 'failed' else 'observed' end, case when i % 2000 = 0 then 'ada' else 'airflow' end, 'why'
from generate_series(1, 50000) i
"""


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(fleet="fleet-7"),
        Wanted(kind=EventKind.FAILED),
        Wanted(actor="ada"),
        Wanted(fleet="fleet-7", kind=EventKind.FAILED),
        Wanted(until=datetime(2026, 1, 2, tzinfo=UTC)),
        Wanted(fleet="fleet-7", since=datetime(2026, 1, 2, tzinfo=UTC), until=datetime(2026, 1, 3, tzinfo=UTC)),
        Wanted(before=500),
    ],
)
def test_on_postgres_every_filter_goes_by_an_index(wanted: Wanted, filled: sa.Engine) -> None:
    statement = str(query(wanted, limit=51).compile(filled, compile_kwargs={"literal_binds": True}))
    with filled.connect() as connection:
        plan = "\n".join(connection.execute(sa.text(f"explain {statement}")).scalars())
    assert "Index" in plan
    assert "Seq Scan" not in plan


@pytest.fixture(scope="module")
def filled(postgres: LocalPostgres) -> sa.Engine:
    """Fifty thousand events, and what PostgreSQL knows of their distribution."""
    engine = engine_for(postgres.create_database("search_filled"))
    metadata.create_all(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(FILLING))
        connection.execute(sa.text("analyze scaling_event"))
    return engine
