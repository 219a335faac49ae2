"""`predictive-scaling` in a shell: the ledger is read, fleet files are checked, wrong input is one line and exit 2."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from predictive_scaling.__main__ import main
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import Event, EventKind, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqlLedger:
    url = f"sqlite:///{tmp_path}/ledger.db"
    connection = {"conn_type": "generic", "extra": {"sqlalchemy_url": url}}
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", json.dumps(connection))
    engine = engine_for(url)
    metadata.create_all(engine)
    return SqlLedger(engine)


def an_event(fleet: str, reason: str) -> Event:
    return Event(fleet=fleet, kind=EventKind.OBSERVED, reason=reason, by=TaskRun(actor="ada"), after={"a": {"min": 3}})


def test_the_ledger_is_listed_newest_first(ledger: SqlLedger, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.record(an_event("web", "first of all"), an_event("api", "and then this"))
    assert main(["ledger"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("and then this") < shown.index("first of all")
    assert "ada" in shown


def test_one_fleets_events_come_whole_as_json(ledger: SqlLedger, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.record(an_event("web", "mine"), an_event("api", "not mine"))
    assert main(["ledger", "--fleet", "web", "--json"]) == 0
    (event,) = json.loads(capsys.readouterr().out)
    assert (event["reason"], event["kind"], event["after"]) == ("mine", "observed", {"a": {"min": 3}})


def test_a_missing_ledger_is_one_line_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SCALING_LEDGER", raising=False)
    assert main(["ledger"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "scaling_ledger" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_fleet_files_are_checked_and_every_bad_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.yaml").write_text("name: web\n")
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER", str(tmp_path))
    assert main(["check"]) == 2
    assert "web.yaml: group: is missing" in capsys.readouterr().err


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Fleet"


def test_a_bad_file_fails_the_check_of_the_groups_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.yaml").write_text("name: web\n")
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER", str(tmp_path))
    assert main(["fleets", "check", "--json"]) == 2
    said = capsys.readouterr()
    assert json.loads(said.out) == {}
    assert "not checked: " in said.err
    assert "web.yaml: group: is missing" in said.err


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_lists_nothing_is_refused_in_one_line(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["ledger", "--limit", limit])
    (line,) = capsys.readouterr().err.splitlines()
    assert f"'{limit}' is not a whole number of at least 1" in line
