"""An autoscaler made through the API and a fleet file are the same thing underneath, and the file wins."""

from __future__ import annotations

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from predictive_scaling.autoscaler import Autoscaler, Workload
from predictive_scaling.errors import LedgerUnreachable
from predictive_scaling.fleet_folder import fleets_at_hand, joined, read_fleets, read_folder
from predictive_scaling.ledger.autoscalers import (
    Autoscalers,
    MemoryAutoscalers,
    SqlAutoscalers,
    StoredAutoscaler,
    resized,
)
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.memory import MemoryLedger
from predictive_scaling.ledger.records import Event, EventKind, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import Json, metadata, scaling_event

if TYPE_CHECKING:
    from pathlib import Path

    from demo.local_postgres import LocalPostgres

_databases = itertools.count()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = "name: {0}\ngroup: {1}\nmetric: {{namespace: Web, name: Requests}}\ntarget_per_instance: 10\nmin: 1\nmax: 5\n"


def a_body(name: str = "trainer", **more: Any) -> dict[str, Any]:
    targets = {} if any(key.startswith("target") for key in more) else {"target_gpu_percent": 70}
    body = {"name": name, "workload": {"name": "trainer"}, "group": f"{name}-group", "min_replicas": 1}
    return {**body, "max_replicas": 8, **targets, **more}


def stored(name: str = "trainer", **more: Any) -> StoredAutoscaler:
    return StoredAutoscaler(name=name, asked=a_body(name, **more), actor="ada", created_at=NOON, key=f"key-{name}")


def an_engine(kind: str, request: pytest.FixtureRequest, folder: Path) -> sa.Engine:
    address = f"sqlite:///{folder}/ledger.db"
    if kind == "postgres":
        server: LocalPostgres = request.getfixturevalue("postgres")
        address = server.create_database(f"autoscalers_{next(_databases)}")
    engine = engine_for(address)
    metadata.create_all(engine)
    return engine


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def autoscalers(request: pytest.FixtureRequest, tmp_path: Path) -> Autoscalers:
    if request.param == "memory":
        return MemoryAutoscalers(MemoryLedger())
    return SqlAutoscalers(an_engine(request.param, request, tmp_path))


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    return an_engine(request.param, request, tmp_path)


def test_one_is_added_once_found_by_name_and_key_and_removed_once(autoscalers: Autoscalers) -> None:
    one, other = stored(), stored("encoder")
    assert autoscalers.add(one)
    assert autoscalers.add(other)
    assert not autoscalers.add(replace(one, actor="eve"))
    assert autoscalers.all() == (other, one)
    assert autoscalers.of("trainer") == autoscalers.asked_with("key-trainer") == one
    assert not autoscalers.remove(replace(one, created_at=NOON - timedelta(seconds=1))), "it was made anew since"
    assert autoscalers.remove(one)
    assert not autoscalers.remove(one)
    assert autoscalers.of("trainer") is autoscalers.asked_with("key-trainer") is None


def test_one_is_made_and_deleted_with_what_the_ledger_tells_of_it_or_not_at_all(engine: sa.Engine) -> None:
    autoscalers, ledger = SqlAutoscalers(engine), SqlLedger(engine)
    one, by = stored(), TaskRun(actor="ada")
    told = [Event(fleet="trainer", kind=kind, by=by, reason="r") for kind in (EventKind.CREATED, EventKind.DELETED)]
    scaling_event.drop(engine)
    with pytest.raises(SQLAlchemyError):
        autoscalers.add(one, told[0])
    assert autoscalers.all() == ()
    scaling_event.create(engine)
    assert autoscalers.add(one, told[0])
    assert not autoscalers.add(one, told[0])
    scaling_event.drop(engine)
    with pytest.raises(SQLAlchemyError):
        autoscalers.remove(one, told[1])
    assert autoscalers.all() == (one,)
    scaling_event.create(engine)
    assert autoscalers.remove(one, told[1])
    assert not autoscalers.remove(one, told[1])
    assert [event.kind for event in ledger.events(fleet="trainer")] == [EventKind.DELETED]


@pytest.mark.parametrize(
    "rivals",
    [
        [replace(stored(f"one-{number}"), key="the same") for number in range(8)],
        [stored(f"one-{number}", group="the-same") for number in range(8)],
    ],
    ids=["one key", "one group"],
)
def test_of_many_that_are_added_at_once_with_one_key_or_of_one_group_one_is_kept(
    autoscalers: Autoscalers, rivals: list[StoredAutoscaler]
) -> None:
    with ThreadPoolExecutor(len(rivals)) as several:
        kept = list(several.map(autoscalers.add, rivals))
    assert kept.count(True) == 1
    assert autoscalers.all() == (rivals[kept.index(True)],)


def test_one_group_of_two_accounts_is_two_groups_and_no_key_is_none_of_anybodys(autoscalers: Autoscalers) -> None:
    here = replace(stored("here", group="gpu"), key=None)
    there = replace(stored("there", group="gpu", connection="aws_other"), key=None)
    assert autoscalers.add(here)
    assert autoscalers.add(there)


def test_those_made_before_the_database_saw_to_it_keep_their_keys_and_groups(engine: sa.Engine) -> None:
    migration = import_module("predictive_scaling.ledger.migrations.versions.0006_one_autoscaler_a_group")
    old = SqlAutoscalers(engine)
    for each in (stored(), stored("encoder"), stored("encoder-twin")):
        assert old.add(each)
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        migration.downgrade()
        twin = {"asked": a_body("encoder-twin", group="encoder-group"), "key": "key-encoder"}
        table = sa.table("scaling_autoscaler", sa.column("name"), sa.column("body", Json))
        connection.execute(sa.update(table).where(table.c.name == "encoder-twin").values(body=twin))
        migration.upgrade()

    assert [each.name for each in old.all()] == ["encoder", "encoder-twin", "trainer"]
    assert [old.asked_with(f"key-{name}") for name in ("trainer", "encoder")] == [stored(), stored("encoder")]
    assert not old.add(replace(stored("late"), key="key-trainer"))
    assert not old.add(stored("late", group="encoder-group"))


def test_a_gpu_target_is_measured_by_the_dcgm_exporter_as_a_total() -> None:
    body = a_body(workload={"name": "trainer", "namespace": "ml"}, target_gpu_percent=70)
    spec = Autoscaler.model_validate(body).spec()
    pods = 'namespace="ml", pod=~"trainer-[^-]+(-[^-]+)?"'
    assert f"sum(avg by (Hostname) ((DCGM_FI_DEV_GPU_UTIL{{{pods}}} or " in spec.metric.described
    assert (spec.policy.min_size, spec.policy.max_size, spec.policy.target_per_instance) == (1, 8, 70.0)
    assert spec.reaction is not None
    assert spec.policy.cooldown_down == timedelta(minutes=5)


@pytest.mark.parametrize("pod", ["web.eu-0", "web.eu-x7k2p", "web.eu-5d4f7b9c6-x7k2p"])
def test_the_pods_of_a_workload_are_its_own(pod: str) -> None:
    pattern = Workload(name="web.eu").pods
    assert re.fullmatch(pattern, pod)
    assert not re.fullmatch(pattern, pod.replace(".", "-"))
    assert not re.fullmatch(Workload(name="web").pods, "web-api-5d4f7b9c6-x7k2p")


def test_each_target_is_a_load_of_the_fleet() -> None:
    alone = Autoscaler.model_validate(a_body(target_cpu_percent=60)).spec()
    assert alone.policy.target_per_instance == 60
    assert "times GroupInServiceInstances" in alone.metric.described
    every: dict[str, Any] = {"target_cpu_percent": 60, "target_memory_percent": 75.5, "target_gpu_percent": 80}
    spec = Autoscaler.model_validate(a_body(**every)).spec()
    assert [load.policy.target_per_instance for load in spec.loads] == [60, 75.5, 80]
    assert ["DCGM" in load.metric.described for load in spec.loads] == [False, False, True]
    assert spec.reaction is not None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"target_cpu_percent": None}, "no target"),
        ({"min_replicas": 9}, "min_replicas 9 is above max_replicas 8"),
        ({"scale_check_interval_seconds": 5}, "greater than or equal to 30"),
        ({"workload": {"name": 'x"} or vector(1) #'}}, "should match pattern"),
        ({"max": 3}, "not permitted"),
        ({"min_replicas": True}, "should be a valid integer"),
        ({"min_replicas": 1.0}, "should be a valid integer"),
        ({"max_replicas": "8"}, "should be a valid integer"),
        ({"scale_check_interval_seconds": "60"}, "should be a valid integer"),
        ({"target_gpu_percent": True}, "should be a valid number"),
        ({"target_gpu_percent": "70"}, "should be a valid number"),
    ],
)
def test_what_cannot_be_is_refused_with_the_value(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Autoscaler.model_validate(a_body(**wrong))


def test_a_file_wins_over_an_autoscaler_of_its_name_or_its_group_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(FILE.format("web", "web-group"))
    files = read_folder(tmp_path)
    found = joined(files, [stored(), stored("web"), stored("other", group="web-group")])
    assert [fleet.name for fleet in found.fleets] == ["web", "trainer"]
    assert found.fleets[0].metric.name == "Requests"
    assert "autoscaler web is left alone: fleet 'web' has a file, which wins" in found.problems[0]
    assert "autoscaler other is left alone: group 'web-group' is moved by fleet 'web'" in found.problems[1]


def test_every_dag_finds_autoscalers_beside_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "web.yaml").write_text(FILE.format("web", "web-group"))
    assert [fleet.name for fleet in read_fleets(tmp_path).fleets] == ["web"]

    address = f"sqlite:///{tmp_path}/ledger.db"
    monkeypatch.setenv(
        "AIRFLOW_CONN_SCALING_LEDGER", f'{{"conn_type": "x", "extra": {{"sqlalchemy_url": "{address}"}}}}'
    )
    found = read_fleets(tmp_path)
    assert [fleet.name for fleet in found.fleets] == ["web"]
    assert "autoscalers are left alone: scaling_autoscaler could not be read" in found.problems[0]

    metadata.create_all(engine_for(address))
    SqlAutoscalers(engine_for(address)).add(stored())
    found = read_fleets(tmp_path)
    assert ([fleet.name for fleet in found.fleets], found.problems) == (["web", "trainer"], ())


def test_while_the_ledger_gives_no_answer_files_are_measured_and_who_changes_fleets_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web.yaml").write_text(FILE.format("web", "web-group"))
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", "postgresql://ada@127.0.0.1:9/airflow")
    found = fleets_at_hand(tmp_path)
    assert [fleet.name for fleet in found.fleets] == ["web"]
    assert found.problems[0].startswith("autoscalers are left alone: the ledger in ")
    with pytest.raises(LedgerUnreachable, match="gave no answer"):
        read_fleets(tmp_path)


def test_resizes_are_counted_from_the_ledger_of_each_since_it_was_made(engine: sa.Engine) -> None:
    ledger, autoscalers = SqlLedger(engine, lambda: NOON), SqlAutoscalers(engine)
    for made in (stored("web"), stored("quiet"), replace(stored("later"), created_at=NOON + timedelta(seconds=1))):
        assert autoscalers.add(made)

    def tell(
        before: dict[str, Any], after: dict[str, Any], kind: EventKind = EventKind.APPLIED, fleet: str = "web"
    ) -> None:
        ledger.record(Event(fleet=fleet, kind=kind, reason="r", by=TaskRun(actor="a"), before=before, after=after))

    tell({"desired": 2}, {"desired": 4})
    tell({"desired": 4}, {"desired": 5})
    tell({"desired": 5}, {"desired": 3})
    tell({"desired": 3}, {"desired": 9}, EventKind.FAILED)
    tell({"desired": 3}, {"min": 3})
    tell({}, {"ps-web-1": {"min": 4}})
    tell({"desired": 2}, {"desired": 4}, fleet="later")
    tell({"desired": 2}, {"desired": 4}, fleet="of a file")
    assert resized(engine, ["web", "quiet", "later", "of a file"]) == {"web": (2, 1)}
