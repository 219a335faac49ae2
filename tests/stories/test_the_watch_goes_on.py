"""The promise: whatever becomes of files, storage and ledger, the watch goes on looking at every fleet it can."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException
from by_hand import FLEET_FILE, a_desk, a_run, sizes, the_fleet
from telling import told

from predictive_scaling.answering import Answer
from predictive_scaling.fleet_spec import Shard
from predictive_scaling.fleets import Sizes
from predictive_scaling.ledger.records import Event, EventKind, Operation
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.lookout import Lookout
from predictive_scaling.operators import ReactToLoadOperator
from predictive_scaling.outlook import Outlooks
from predictive_scaling.ownership import deployment_name
from predictive_scaling.reaction import Reaction
from predictive_scaling.sources.memory import MemorySource
from predictive_scaling.storage import Points
from predictive_scaling.triggers.load import LoadTrigger, _shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox

NOW = datetime(2026, 1, 5, 8, 1, tzinfo=UTC)
LOAD = MemorySource(points={"web": Points.of([(NOW - timedelta(minutes=6), 700.0)])})


def a_lookout(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lookout:
    """Arrange the watch of one group of two, whose load asks for more."""
    a_desk(cloud, folder, monkeypatch)
    (folder / "fleets" / "web.yaml").write_text(f"{FLEET_FILE}reaction: {{}}\n")
    return Lookout(folder=folder / "fleets", shard=Shard(1, 1), source=LOAD)


def a_lookout_of_today(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Lookout:
    lookout, now = a_lookout(cloud, folder, monkeypatch), datetime.now(UTC)
    lookout.source = MemorySource(points={"web": Points.of([(now - timedelta(minutes=6), 700.0)])})
    return lookout


@contextmanager
def nothing_can_be_closed(ledger: SqlLedger) -> Iterator[None]:
    """Let the database refuse every end of an operation, as one that is lost on the way would."""
    refusal = "BEFORE UPDATE ON scaling_operation WHEN NEW.state = 'closed' BEGIN SELECT RAISE(ABORT, 'lost'); END"
    with ledger._engine.begin() as connection:  # noqa: SLF001 - the same database
        connection.exec_driver_sql(f"CREATE TRIGGER refuse {refusal}")
    yield
    with ledger._engine.begin() as connection:  # noqa: SLF001
        connection.exec_driver_sql("DROP TRIGGER refuse")


def reacted(asked: Answer, attempt: int) -> list[dict[str, Any]]:
    """Run the task that an event of the watch starts, or its retry."""
    ti = SimpleNamespace(dag_id="react_to_load", run_id="run", task_id="react", map_index=-1, try_number=attempt)
    event = SimpleNamespace(extra={"payload": {"reactions": [asked.as_json()]}})
    run = SimpleNamespace(triggering_user_name=None, run_type="asset_triggered")
    context: Any = {"ti": ti, "dag_run": run, "triggering_asset_events": {"load": [event]}}
    return ReactToLoadOperator(task_id="react").execute(context)


def test_what_an_editor_leaves_in_the_folder_blinds_nobody(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    (tmp_path / "fleets" / ".#web.yaml").symlink_to("ada@laptop.4711:1767600000")
    (asked,), _ = lookout.look(NOW)
    assert (asked.fleet, asked.capacity) == ("web", 7)


def test_fleets_of_files_are_watched_while_the_ledger_gives_no_answer(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", "postgresql://ada@127.0.0.1:9/airflow")
    (asked,), news = lookout.look(NOW)
    assert (asked.fleet, asked.capacity) == ("web", 7)
    assert news[0].startswith("not watched: autoscalers are left alone: the ledger in ")


def test_a_file_that_breaks_while_the_watch_runs_is_named_once_and_again_when_it_is_mended(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    file = tmp_path / "fleets" / "web.yaml"
    good = file.read_text()
    lookout.look(NOW)

    file.write_text(good.replace("max: 12", "max: twelve"))
    _, news = lookout.look(NOW)
    assert len(news) == 1
    assert "not watched: web.yaml: max: 'twelve'" in news[0]
    assert lookout.look(NOW) == ([], [])
    assert "web" not in lookout.watched

    file.write_text(good)
    lookout.look(NOW)
    assert "web" in lookout.watched
    file.write_text(good.replace("max: 12", "max: twelve"))
    assert len(lookout.look(NOW)[1]) == 1


def test_a_ledger_without_its_tables_costs_the_outlook_and_not_the_look(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    lookout.outlooks = Outlooks(_shelf)
    address = f'{{"conn_type": "generic", "extra": {{"sqlalchemy_url": "sqlite:///{tmp_path}/empty.db"}}}}'
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", address)
    assert [each.fleet for each in lookout.look(NOW)[0]] == ["web"]

    monkeypatch.delenv("AIRFLOW_CONN_SCALING_LEDGER")
    lookout.memory.asked.clear()
    assert [each.fleet for each in lookout.look(NOW + timedelta(minutes=11))[0]] == []


def test_what_fails_at_every_look_is_tried_at_every_look_and_asks_for_one_run(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    the_fleet(cloud).claim("green")
    now = datetime.now(UTC)
    lookout.source = MemorySource(points={"web": Points.of([(now - timedelta(minutes=6), 700.0)])})
    trigger = LoadTrigger()
    cloud.faults.forget_calls()

    runs = []
    for _ in range(3):
        runs += trigger._turn(lookout)  # noqa: SLF001 - what it does between two waits
        lookout.memory.asked.clear()
    assert len(runs) == 1
    assert "deployment 'green' holds the group" in runs[0].told

    the_fleet(cloud).claim(deployment_name("{LEDGER}", SqlLedger.from_connection().place))
    assert [answer.written for answer in trigger._turn(lookout)] == [True]  # noqa: SLF001
    assert lookout.memory.failed == {}


def a_raise(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Lookout, LoadTrigger, Answer]:
    """Let the watch raise its group to seven, and ask for no more."""
    lookout, trigger, now = a_lookout(cloud, folder, monkeypatch), LoadTrigger(), datetime.now(UTC)
    lookout.source = MemorySource(points={"web": Points.of([(now - timedelta(minutes=6), 700.0)])})
    (answer,) = trigger._turn(lookout)  # noqa: SLF001
    lookout.memory.asked["web"] = (now, now + timedelta(hours=1), 7)
    return lookout, trigger, answer


def test_how_long_a_raise_took_until_it_served_is_told_once(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout, trigger, answer = a_raise(cloud, tmp_path, monkeypatch)
    ledger = SqlLedger.from_connection()
    assert (answer.written, answer.raised_to) == (True, 7)
    trigger._turn(lookout)  # noqa: SLF001
    assert len(ledger.events(fleet="web")) == 2, "they boot"

    cloud.faults.add(service="autoscaling", operation="DescribeAutoScalingGroups", error="AccessDenied", count=1)
    trigger._turn(lookout)  # noqa: SLF001 - a look that does not see the group
    cloud.advance(600)
    for _ in range(2):
        trigger._turn(lookout)  # noqa: SLF001
    told, *before = ledger.events(fleet="web")

    assert len(before) == 2
    assert (told.operation_id, told.by.actor) == (answer.operation_id, "the load watch")
    assert told.reason.startswith("followed for ")
    assert told.reason.endswith(
        "s since the decision: 7 of 7 serve, 0 on their way, 0 not yet healthy; within the 300 s of lead_time"
    )
    assert (told.after or {})["ended"] == "done"


def test_a_raise_that_somebody_lowered_meanwhile_is_let_go(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout, trigger, _ = a_raise(cloud, tmp_path, monkeypatch)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=5)
    cloud.advance(600)
    trigger._turn(lookout)  # noqa: SLF001
    assert not lookout.rises.served(lookout.watched, datetime.now(UTC))
    assert [event.kind.value for event in SqlLedger.from_connection().events(fleet="web")] == ["applied", "intent"]


def test_a_fleet_that_is_gone_is_forgotten(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    lookout.look(NOW)
    (tmp_path / "fleets" / "web.yaml").unlink()
    lookout.look(NOW)
    memory = lookout.memory
    assert (memory.told, memory.asked, memory.wanted) == ({}, {}, {})


def test_a_change_whose_end_was_not_kept_is_ended_by_the_next_look_though_nothing_more_is_asked(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout, trigger = a_lookout_of_today(cloud, tmp_path, monkeypatch), LoadTrigger()
    ledger = SqlLedger.from_connection()
    with nothing_can_be_closed(ledger):
        (answer,) = trigger._turn(lookout)  # noqa: SLF001
    assert (answer.failed, sizes(cloud)[1]) == (True, 7)
    assert ledger.open_operation("web")

    assert trigger._turn(lookout) == []  # noqa: SLF001
    assert ledger.open_operation("web") is None
    assert told(ledger) == ["intent", "applied"]


def test_what_a_watch_that_died_left_open_is_ended_by_the_first_look_of_the_next_and_what_a_task_holds_is_not(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout, ledger = a_lookout_of_today(cloud, tmp_path, monkeypatch), SqlLedger.from_connection()
    the_fleet(cloud).resize(Sizes(desired=7))
    task = a_run()
    watch = replace(task, dag_id="react_to_load", task_id=LoadTrigger().name, map_index=None, try_number=None)
    for by, is_ended in ((watch, True), (task, False)):
        wrote = Event(
            fleet="web",
            kind=EventKind.INTENT,
            reason="set desired 4 -> 7",
            by=by,
            call="resize to its load",
            before={"desired": 4},
            after={"desired": 7},
        )
        ledger.open(Operation(fleet="web", kind="react", key=f"of {by.task_id}", by=by), wrote)
        lookout.memory.ended.clear()
        assert LoadTrigger()._turn(lookout) == []  # noqa: SLF001
        assert (ledger.open_operation("web") is None) is is_ended
    assert told(ledger) == ["intent", "applied", "intent"]


def test_the_retry_of_a_run_ends_what_its_first_try_wrote(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_lookout_of_today(cloud, tmp_path, monkeypatch)
    ledger, before = SqlLedger.from_connection(), sizes(cloud)[1]
    asked = Reaction(fleet="web", before=before, capacity=7, out=True, reason="load 300%", decided_at=datetime.now(UTC))
    failed = Answer(reaction=asked, told="AWS throttled the watch", failed=True)
    with nothing_can_be_closed(ledger), pytest.raises(AirflowException, match="1 fleets were not changed"):
        reacted(failed, 1)
    assert ledger.open_operation("web")

    (row,) = reacted(failed, 2)
    assert row["told"].startswith("nothing to do at 7")
    assert ledger.open_operation("web") is None
    assert told(ledger) == ["intent", "applied"]
