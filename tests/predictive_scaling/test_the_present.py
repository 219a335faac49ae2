"""The tables of the present: a row a fleet, replaced in place, the same in memory and in SQL."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from forecasting.gate import Stage, Standing
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.gates import Gate, Gates, MemoryGates, SqlGates
from predictive_scaling.ledger.memory import MemoryLedger
from predictive_scaling.ledger.statuses import MemoryStatuses, SqlStatuses
from predictive_scaling.ledger.tables import metadata
from predictive_scaling.look import LoadSeen, Look
from predictive_scaling.status import Status, Statuses

if TYPE_CHECKING:
    from pathlib import Path

    from demo.local_postgres import LocalPostgres

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
KINDS = ["memory", "sqlite", "postgres"]
_databases = itertools.count()


def an_engine(request: pytest.FixtureRequest, folder: Path, kind: str) -> sa.Engine:
    if kind == "sqlite":
        engine = engine_for(f"sqlite:///{folder}/present.db")
    else:
        server: LocalPostgres = request.getfixturevalue("postgres")
        engine = engine_for(server.create_database(f"present_{next(_databases)}"))
    metadata.create_all(engine)
    return engine


@pytest.fixture(params=KINDS)
def gates(request: pytest.FixtureRequest, tmp_path: Path) -> Gates:
    if request.param == "memory":
        return MemoryGates(MemoryLedger())
    return SqlGates(an_engine(request, tmp_path, request.param))


@pytest.fixture(params=KINDS)
def statuses(request: pytest.FixtureRequest, tmp_path: Path) -> Statuses:
    if request.param == "memory":
        return MemoryStatuses()
    return SqlStatuses(an_engine(request, tmp_path, request.param))


def a_gate(fleet: str = "web") -> Gate:
    return Gate(
        fleet=fleet,
        standing=Standing(stage=Stage.SUSPENDED, since=NOW, reason="two bad weeks", failures=2),
        actor="ada",
        measured_by="requests",
        evidence={"rhythm": 0.4, "floor": {"cost": 12.5}},
        reviewed_at=NOW + timedelta(days=1),
        boot=timedelta(seconds=184.5),
        launches=40,
    )


def a_status(fleet: str = "web") -> Status:
    return Status(fleet=fleet, at=NOW, group=fleet, mode="auto", unit="requests", notes=("a note",), next_at=NOW)


def a_plan(number: int) -> dict[str, object]:
    return {"format": "plan/1", "plan_id": f"p{number}", "steps": []}


def test_a_gate_comes_back_as_it_was_kept(gates: Gates) -> None:
    assert gates.of("web") is None
    gates.save(a_gate())
    assert gates.of("web") == a_gate()


def test_a_gate_is_replaced_and_those_of_others_stay(gates: Gates) -> None:
    gates.save(a_gate())
    gates.save(a_gate("api"))
    gates.save(replace(a_gate(), evidence=None, boot=None, launches=0))
    assert [(gate.fleet, gate.launches, gate.evidence is None) for gate in gates.all()] == [
        ("api", 40, False),
        ("web", 0, True),
    ]


def test_a_status_comes_back_as_it_was_kept(statuses: Statuses) -> None:
    assert statuses.of("web") is None
    statuses.save(a_status())
    statuses.save(a_status("api"))
    assert statuses.of("web") == a_status()
    assert [status.fleet for status in statuses.all()] == ["api", "web"]


def test_a_new_plan_moves_the_known_one_back_and_the_same_plan_moves_nothing(statuses: Statuses) -> None:
    assert statuses.plans("web") == (None, None)
    for number in (1, 2, 2):
        statuses.save(a_status(), a_plan(number))
    statuses.save(replace(a_status(), problem="AWS is out of reach"))
    assert statuses.plans("web") == (a_plan(2), a_plan(1))


def test_a_status_of_another_version_is_read_as_far_as_it_is_known() -> None:
    row = {**a_status().as_json(), "colour": "green"}
    assert Status.from_json(row) == a_status()


def a_look(fleet: str = "web", minute: int = 0, **more: Any) -> Look:
    at = NOW + timedelta(minutes=minute)
    load = LoadSeen(metric="m", value=200.0, at=at - timedelta(minutes=1), instances=2)
    sizes = {"min_size": 1, "max_size": 8, "desired": 3, "in_service": 2, **more}
    return Look(fleet=fleet, at=at, loads=(load,), problem="the exporter of one is silent", **sizes)


def test_the_last_look_comes_back_as_it_was_kept_and_an_older_one_is_passed_over(statuses: Statuses) -> None:
    assert (statuses.look("web"), statuses.looks()) == (None, {})
    statuses.keep_looks([a_look(), a_look("api")])
    statuses.keep_looks([a_look(minute=1, desired=5), a_look("api", minute=-1, desired=7)])
    assert statuses.look("web") == a_look(minute=1, desired=5)
    assert statuses.looks() == {"web": a_look(minute=1, desired=5), "api": a_look("api")}
    assert statuses.all() == (), "a look is no turn"


def test_a_status_shows_the_sizes_of_a_newer_look_and_of_no_older_one() -> None:
    status = replace(a_status(), desired=2, in_service=2)
    assert status.looked(None) == status.looked(a_look(minute=-1)) == status
    newer = status.looked(a_look(minute=1))
    assert (newer.desired, newer.in_service, newer.seen_at, newer.at) == (3, 2, NOW + timedelta(minutes=1), NOW)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_thousand_fleets_that_all_changed_are_kept_by_one_statement(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    engine = an_engine(request, tmp_path, kind)
    statuses, statements = SqlStatuses(engine), list[str]()
    sa.event.listen(engine, "before_cursor_execute", lambda *asked: statements.append(asked[2]))
    for minute in range(2):
        statements.clear()
        statuses.keep_looks([a_look(f"fleet-{number}", minute=minute) for number in range(1000)])
        assert len(statements) == 1
    assert {look.at for look in statuses.looks().values()} == {NOW + timedelta(minutes=1)}


def test_a_row_made_by_two_tasks_at_once_is_one_row(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    gates = SqlGates(an_engine(request, tmp_path, "postgres"))
    threads = [threading.Thread(target=gates.save, args=(a_gate(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gates.all() == (a_gate(),)
