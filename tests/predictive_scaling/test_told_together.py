"""What is decided and what the ledger tells of it are one: both are kept, or neither."""

from __future__ import annotations

import itertools
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import StatementError

from forecasting.gate import Standing
from forecasting.override import Override, OverrideKind
from predictive_scaling.errors import LedgerUnavailable, LedgerUnreachable
from predictive_scaling.ledger.autoscalers import MemoryAutoscalers, SqlAutoscalers, StoredAutoscaler
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.gates import Gate, MemoryGates, SqlGates
from predictive_scaling.ledger.memory import MemoryLedger
from predictive_scaling.ledger.overrides import MemoryOverrides, SqlOverrides
from predictive_scaling.ledger.records import Event, EventKind, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from demo.local_postgres import LocalPostgres

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = TaskRun(actor="ada")
HOLD = Override(
    id="one",
    fleet="web",
    kind=OverrideKind.HOLD,
    reason="a test",
    actor="ada",
    min_size=5,
    max_size=5,
    starts_at=NOON,
    created_at=NOON,
)
AUTOSCALER = StoredAutoscaler(name="web", asked={"group": "web"}, actor="ada", created_at=NOON)
GATE = Gate(fleet="web", standing=Standing(since=NOON), actor="ada", measured_by="a metric")
_databases = itertools.count()


def an_event(reason: str) -> Event:
    return Event(fleet="web", kind=EventKind.OVERRIDDEN, reason=reason, by=ADA)


UNWRITABLE = Event(fleet="web", kind=EventKind.OVERRIDDEN, reason="no JSON", by=ADA, after={"no": object()})


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    address = f"sqlite:///{tmp_path}/ledger.db"
    if request.param == "postgres":
        server: LocalPostgres = request.getfixturevalue("postgres")
        address = server.create_database(f"told_{next(_databases)}")
    made = engine_for(address)
    metadata.create_all(made)
    return made


@pytest.fixture(params=["memory", "sql"])
def kept(
    request: pytest.FixtureRequest, engine: sa.Engine
) -> tuple[MemoryLedger | SqlLedger, MemoryOverrides | SqlOverrides, MemoryAutoscalers | SqlAutoscalers]:
    if request.param == "memory":
        ledger = MemoryLedger()
        return ledger, MemoryOverrides(ledger), MemoryAutoscalers(ledger)
    return SqlLedger(engine), SqlOverrides(engine), SqlAutoscalers(engine)


def told(ledger: MemoryLedger | SqlLedger) -> list[str]:
    return [event.reason for event in reversed(ledger.events())]


def test_an_override_is_ended_and_returned_from_once_and_told_of_once(
    kept: tuple[MemoryLedger | SqlLedger, MemoryOverrides | SqlOverrides, MemoryAutoscalers | SqlAutoscalers],
) -> None:
    ledger, overrides, _ = kept
    overrides.add(HOLD, an_event("laid down"))
    assert overrides.end(HOLD, an_event("ended"), by="ada", at=NOON)
    assert not overrides.end(HOLD, an_event("ended again"), by="eve", at=NOON)
    assert overrides.returned(HOLD, an_event("returned"), at=NOON)
    assert not overrides.returned(HOLD, an_event("returned again"), at=NOON)
    assert told(ledger) == ["laid down", "ended", "returned"]


def test_an_autoscaler_is_made_and_deleted_once_and_told_of_once(
    kept: tuple[MemoryLedger | SqlLedger, MemoryOverrides | SqlOverrides, MemoryAutoscalers | SqlAutoscalers],
) -> None:
    ledger, _, autoscalers = kept
    assert autoscalers.add(AUTOSCALER, an_event("created"))
    assert not autoscalers.add(AUTOSCALER, an_event("created again"))
    assert autoscalers.remove(AUTOSCALER, an_event("deleted"))
    assert not autoscalers.remove(AUTOSCALER, an_event("deleted again"))
    assert told(ledger) == ["created", "deleted"]


def test_a_gate_in_memory_tells_of_its_moves_too() -> None:
    ledger = MemoryLedger()
    MemoryGates(ledger).save(GATE, an_event("moved"))
    assert told(ledger) == ["moved"]


def test_what_cannot_be_told_is_not_done(engine: sa.Engine) -> None:
    overrides, autoscalers, gates = SqlOverrides(engine), SqlAutoscalers(engine), SqlGates(engine)
    with pytest.raises(StatementError):
        overrides.add(HOLD, UNWRITABLE)
    with pytest.raises(StatementError):
        autoscalers.add(AUTOSCALER, UNWRITABLE)
    with pytest.raises(StatementError):
        gates.save(GATE, UNWRITABLE)
    assert (overrides.open("web"), autoscalers.all(), gates.all()) == ((), (), ())

    overrides.add(HOLD)
    autoscalers.add(AUTOSCALER)
    with pytest.raises(StatementError):
        overrides.end(HOLD, UNWRITABLE, by="ada", at=NOON)
    with pytest.raises(StatementError):
        autoscalers.remove(AUTOSCALER, UNWRITABLE)
    assert (overrides.open("web"), autoscalers.all()) == ((HOLD,), (AUTOSCALER,))
    assert told(SqlLedger(engine)) == []


@pytest.mark.parametrize(
    ("address", "mend"),
    [
        ("postgresql://ada:a@secret@127.0.0.1:9/airflow", "write %40 for each"),
        ("postgresql://ada:a/b@secret/c@127.0.0.1:9/airflow", "write %40 for each"),
        ("postgresql://ada:secret", "the port in the address is no number"),
    ],
)
def test_an_address_that_would_pass_a_password_for_something_else_is_refused_without_it(
    address: str, mend: str
) -> None:
    with pytest.raises(LedgerUnavailable, match=f"no usable address .*{mend}") as found:
        engine_for(address)
    assert "secret" not in "".join(traceback.format_exception(found.value)).replace(f"engine_for({address!r})", "")


@pytest.mark.parametrize(
    "address", ["postgresql+psycopg2://ada:secret@127.0.0.1:9/airflow", "sqlite:////no/such/folder/ledger.db"]
)
def test_a_ledger_that_gives_no_answer_may_give_one_later_and_says_so_in_a_line_without_secrets(address: str) -> None:
    with pytest.raises(LedgerUnreachable, match=r"gave no answer .*: try again in a moment; if it goes on") as found:
        SqlLedger(engine_for(address)).check()
    assert "\n" not in str(found.value)
    assert "secret" not in str(found.value)
