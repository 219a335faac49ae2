"""The contract of the ledger, kept by the one in memory and by the one in SQL, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from predictive_scaling.errors import FleetBusy, LedgerUnavailable
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.memory import MemoryLedger
from predictive_scaling.ledger.records import Event, EventKind, Operation, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from demo.local_postgres import LocalPostgres
    from predictive_scaling.ledger import Ledger

BY = TaskRun(actor="ada", dag_id="apply_plans", run_id="r1", task_id="apply", map_index=-1, try_number=1)
MONDAY, DAY = datetime(2026, 1, 5, tzinfo=UTC), timedelta(days=1)
_databases = itertools.count()


def an_operation(fleet: str = "web", key: str = "k1") -> Operation:
    return Operation(fleet=fleet, kind="apply_plan", key=key, by=BY, plan_id="p1")


def an_event(kind: EventKind = EventKind.INTENT, fleet: str = "web") -> Event:
    return Event(
        fleet=fleet, kind=kind, reason="raise before the morning", by=BY, call="put 1 of 1", after={"a": {"min": 3}}
    )


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "memory":
        return MemoryLedger()
    if request.param == "sqlite":
        engine = engine_for(f"sqlite:///{tmp_path}/ledger.db")
    else:
        server: LocalPostgres = request.getfixturevalue("postgres")
        engine = engine_for(server.create_database(f"ledger_{next(_databases)}"))
    metadata.create_all(engine)
    return SqlLedger(engine)


def test_an_opened_operation_holds_its_fleet_and_its_intent_is_remembered(ledger: Ledger) -> None:
    operation = ledger.open(an_operation(), an_event())

    held = ledger.open_operation("web")
    assert held is not None
    assert (held.id, held.by, held.plan_id, held.is_open) == (operation.id, BY, "p1", True)
    (event,) = ledger.events(fleet="web")
    assert (event.kind, event.operation_id, event.after) == (EventKind.INTENT, operation.id, {"a": {"min": 3}})
    assert event.at is not None
    assert event.at.tzinfo is not None


def test_an_operation_may_have_a_key_of_any_length_and_is_known_by_it_again(ledger: Ledger) -> None:
    long = an_operation(key="/".join(("scale_out", "web", "d" * 250, "r" * 250, "t" * 250)))
    first = ledger.open(long, an_event())
    with pytest.raises(FleetBusy, match="has been open since"):
        ledger.open(long, an_event())
    ledger.close(first, an_event(EventKind.FAILED))
    assert ledger.open(an_operation(key=long.key), an_event()).id == first.id


def test_a_second_operation_on_a_held_fleet_is_refused_with_the_holder_and_leaves_no_event(ledger: Ledger) -> None:
    ledger.open(an_operation(key="k1"), an_event())

    with pytest.raises(FleetBusy, match=r"apply_plans\.apply run r1 try 1 for ada"):
        ledger.open(an_operation(key="k2"), an_event())

    assert len(ledger.events(fleet="web")) == 1


def test_another_fleet_is_free_while_one_is_held(ledger: Ledger) -> None:
    ledger.open(an_operation(fleet="web", key="k1"), an_event())
    ledger.open(an_operation(fleet="api", key="k2"), an_event(fleet="api"))
    assert ledger.open_operation("api") is not None


def test_closing_lets_the_fleet_go_and_remembers_the_outcome(ledger: Ledger) -> None:
    operation = ledger.open(an_operation(), an_event())
    ledger.close(operation, an_event(EventKind.APPLIED))

    assert ledger.open_operation("web") is None
    assert [event.kind for event in ledger.events(operation_id=operation.id)] == [EventKind.APPLIED, EventKind.INTENT]


def test_the_same_key_opens_the_same_operation_again(ledger: Ledger) -> None:
    first = ledger.open(an_operation(key="same"), an_event())
    ledger.close(first, an_event(EventKind.APPLIED))

    again = ledger.open(an_operation(key="same"), an_event())

    assert again.id == first.id
    assert ledger.open_operation("web") is not None
    assert len(ledger.events(operation_id=first.id)) == 3


def test_events_come_newest_first_and_are_filtered_by_fleet_and_kind(ledger: Ledger) -> None:
    ledger.record(an_event(EventKind.OBSERVED), an_event(EventKind.HELD, fleet="api"), an_event(EventKind.REFUSED))

    assert [event.kind for event in ledger.events()] == [EventKind.REFUSED, EventKind.HELD, EventKind.OBSERVED]
    assert [event.kind for event in ledger.events(fleet="web", limit=1)] == [EventKind.REFUSED]
    assert [event.kind for event in ledger.events(kind=EventKind.HELD, limit=1)] == [EventKind.HELD]


def test_events_of_a_task_are_those_of_all_its_tries_whoever_triggered_them(ledger: Ledger) -> None:
    again, mapped, by_hand = replace(BY, actor="bob", try_number=2), replace(BY, map_index=1), TaskRun(actor="ada")
    ledger.record(*(replace(an_event(), by=each) for each in (BY, mapped, again, by_hand)))

    assert [event.by for event in ledger.events(fleet="web", by=BY)] == [again, BY]
    assert [event.by for event in ledger.events(by=mapped)] == [mapped]
    assert [event.by for event in ledger.events(by=by_hand)] == [by_hand]


def test_what_set_the_bounds_of_a_group_is_found_however_much_was_told_since(ledger: Ledger) -> None:
    done = replace(an_event(EventKind.APPLIED), group_id="1/r/web")
    sized = replace(done, call="resize sizes", after={"max": 9, "desired": 4})
    removed = replace(done, call="delete 1 of 1", before={"a": {"min": 3}}, after=None)
    in_part = replace(done, kind=EventKind.FAILED)
    told_before_groups_were = replace(done, group_id=None)
    expected = [done, sized, removed, in_part, told_before_groups_were]
    ledger.record(*expected)
    ledger.record(
        an_event(),
        replace(done, group_id="1/r/shop"),
        replace(done, fleet="api"),
        replace(done, call=None, after={"max": 9}),
        replace(done, call="resize to its load", after={"desired": 9}),
        replace(done, kind=EventKind.FAILED, before=None, after=None),
        *(an_event(EventKind.OBSERVED) for _ in range(300)),
    )

    found = ledger.bounds_written("web", "1/r/web", within=timedelta(hours=1))
    assert [replace(event, id=None, at=None) for event in reversed(found)] == expected
    assert ledger.bounds_written("web", "1/r/else", within=timedelta(hours=1))[0].group_id is None
    assert ledger.bounds_written("nobody", None, within=timedelta(hours=1)) == ()


@pytest.mark.parametrize("ledger", ["sqlite", "postgres"], indirect=True)
def test_of_ten_who_open_at_once_exactly_one_gets_the_fleet(ledger: Ledger) -> None:
    refused: list[FleetBusy] = []

    def take(number: int) -> None:
        try:
            ledger.open(an_operation(key=f"k{number}"), an_event())
        except FleetBusy as error:
            refused.append(error)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 9
    assert len(ledger.events(fleet="web")) == 1


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_set_the_bounds_long_before_the_last_that_did_is_not_read(kind: str, tmp_path: Path) -> None:
    times = iter([MONDAY, MONDAY + 2 * DAY, MONDAY + 9 * DAY, MONDAY + 10 * DAY])
    engine = engine_for(f"sqlite:///{tmp_path}/ledger.db")
    metadata.create_all(engine)
    ledger = MemoryLedger(lambda: next(times)) if kind == "memory" else SqlLedger(engine, lambda: next(times))
    for _ in range(4):
        ledger.record(an_event(EventKind.APPLIED))

    found = ledger.bounds_written("web", None, within=2 * DAY)
    assert [event.at for event in found] == [MONDAY + 10 * DAY, MONDAY + 9 * DAY]


def test_a_ledger_without_tables_says_which_is_missing_and_what_to_do(tmp_path: Path) -> None:
    ledger = SqlLedger(engine_for(f"sqlite:///{tmp_path}/empty.db"))
    with pytest.raises(LedgerUnavailable, match=r"table scaling_.*airflow db migrate"):
        ledger.check()


def test_an_address_that_is_none_is_refused_with_an_example() -> None:
    with pytest.raises(LedgerUnavailable, match="AIRFLOW_CONN_SCALING_LEDGER"):
        engine_for("not an address")


def test_a_missing_airflow_connection_is_refused_with_an_example() -> None:
    with pytest.raises(LedgerUnavailable, match=r"no Airflow connection 'nowhere'.*AIRFLOW_CONN_SCALING_LEDGER"):
        SqlLedger.from_connection("nowhere")


def test_the_role_of_tasks_can_tell_the_story_and_nothing_else(postgres: LocalPostgres) -> None:
    from demo.local_airflow import ROOT

    postgres.create_database("roles")
    owner = engine_for(postgres.url("roles"))
    metadata.create_all(owner)
    with owner.begin() as connection:
        connection.execute(sa.text("create table dag_run (id int)"))
    postgres.script("roles", ROOT / "include" / "sql" / "ledger_role.sql", password="secret")
    role = engine_for(postgres.url("roles", user="scaling_ledger", password="secret"))
    ledger = SqlLedger(role)

    ledger.check()
    operation = ledger.open(an_operation(), an_event())
    ledger.close(operation, an_event(EventKind.APPLIED))
    ledger.close(ledger.open(an_operation(), an_event()), an_event(EventKind.APPLIED))

    for forbidden in (
        "delete from scaling_event",
        "update scaling_event set reason = 'nothing happened'",
        "truncate scaling_event",
        "delete from scaling_operation",
        "update scaling_operation set fleet = 'other'",
        "select * from dag_run",
        "create table mine (id int)",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), role.begin() as connection:
            connection.execute(sa.text(forbidden))
    assert len(ledger.events()) == 4
