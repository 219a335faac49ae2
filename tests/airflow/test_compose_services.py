"""The promise: the services of docker-compose.yaml, with its own environment, commands and checks, run the chain.

Docker is not needed: PostgreSQL, Redis and every part of Airflow run as processes on loopback. What the file says of
hosts, ports and `/opt/airflow` is moved to where they are here, and nothing else is changed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from services import without

from demo.airflow_api import AirflowApi
from demo.compose_file import ComposeFile
from demo.cycle import DAGS, await_cycle
from demo.local_airflow import ROOT
from demo.local_cloud import LocalCloud
from demo.local_postgres import LocalPostgres, postgres_folder
from demo.process import Process, free_port
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.ledger.store import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECRETS = {
    "POSTGRES_PASSWORD": "owners-password",
    "LEDGER_PASSWORD": "ledgers-password",
    "API_SECRET_KEY": "api-only-" * 8,
    "JWT_SECRET": "test-only-" * 8,
    "ADMIN_PASSWORD": "admins-password",
    "FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")
CONTAINER = "/opt/airflow"


@dataclass(frozen=True, slots=True)
class Here:
    """Where the hosts, ports and folders of the file are on this machine."""

    compose: ComposeFile
    folder: Path
    moved: Mapping[str, str]
    extra: Mapping[str, str]

    def words(self, words: list[str]) -> list[str]:
        """Move a command."""
        return [self._move(word) for word in words]

    def environment(self, service: str) -> dict[str, str]:
        """Give a service's environment as the file has it, moved, with the little an image would add."""
        own = {key: value for key, value in os.environ.items() if key in {"HOME", "LANG", "TMPDIR", "USER"}}
        path = f"{Path(sys.executable).parent}:{postgres_folder()}:{os.environ['PATH']}"
        written = {key: self._move(value) for key, value in self.compose.environment(service).items()}
        return {**own, "PATH": path, "AIRFLOW_HOME": str(self.folder), **written, **self.extra}

    def start(self, service: str) -> Process:
        """Start one of Airflow's services with its own command."""
        command = [sys.executable, "-m", "airflow", *self.words(self.compose.services[service]["command"])]
        log = self.folder / "services" / f"{service}.log"
        return Process(command, log=log, env=self.environment(service) | self._log_ports())

    def run(self, service: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in a service's environment."""
        env = self.environment(service)
        return subprocess.run(self.words(command), env=env, check=False, capture_output=True, text=True, timeout=120)

    def is_healthy(self, service: str) -> bool:
        """Run the file's own check of a service."""
        kind, *test = self.compose.services[service]["healthcheck"]["test"]
        return self.run(service, ["sh", "-c", *test] if kind == "CMD-SHELL" else test).returncode == 0

    def _log_ports(self) -> dict[str, str]:
        """Containers may all serve their logs on the same port; processes on one machine may not."""
        names = ("WORKER_LOG_SERVER_PORT", "TRIGGER_LOG_SERVER_PORT")
        return {f"AIRFLOW__LOGGING__{name}": str(free_port()) for name in names}

    def _move(self, text: str) -> str:
        for there, here in self.moved.items():
            text = text.replace(there, here)
        return text


@dataclass(frozen=True, slots=True)
class Running:
    """The services, all up."""

    here: Here
    api: AirflowApi
    cloud: LocalCloud
    postgres: LocalPostgres
    processes: Mapping[str, Process]


def mounted(compose: ComposeFile, folder: Path) -> None:
    """Lay out the folder of a container: the repository's parts, and empty volumes."""
    for place, source in compose.mounts("worker").items():
        target = folder / Path(place).relative_to(CONTAINER)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.startswith("."):
            target.symlink_to((ROOT / source).resolve())
        else:
            target.mkdir()


def a_redis(folder: Path, port: int) -> Process:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    redis = Process(command, log=folder / "redis.log")
    redis.wait_until(lambda: "Ready to accept connections" in redis.tail(), what="Redis", seconds=30)
    return redis


def moved_to(postgres: LocalPostgres, cloud: LocalCloud, redis_port: int, folder: Path) -> Here:
    api, health, sandbox = free_port(), free_port(), httpx.URL(cloud.url).port
    moved = {
        CONTAINER: str(folder),
        "postgres:5432": f"127.0.0.1:{postgres.port}",
        "redis:6379": f"127.0.0.1:{redis_port}",
        "sandbox%3A5555": f"127.0.0.1%3A{sandbox}",
        "api-server:8080": f"127.0.0.1:{api}",
        "127.0.0.1:8080": f"127.0.0.1:{api}",
        "127.0.0.1:8974": f"127.0.0.1:{health}",
    }
    extra = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "HOSTNAME": socket.gethostname(),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(health),
    }
    return Here(ComposeFile.read(ROOT / "docker-compose.yaml", SECRETS), folder, moved, extra)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Everything of the file, started in its order."""
    if postgres_folder() is None:
        without("PostgreSQL", "run `make services`")
    for program, mend in {"redis-server": "run `make services`", "curl": "install it"}.items():
        if shutil.which(program) is None:
            without(program, mend)
    folder = tmp_path_factory.mktemp("compose")
    sandbox_env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with ExitStack() as stack:
        # A server of its own: a role belongs to a whole server, and this one is made by the file's own script.
        postgres = stack.enter_context(LocalPostgres(tmp_path_factory.mktemp("compose_postgres")))
        cloud = stack.enter_context(LocalCloud("--seed-demo", log=folder / "sandbox.log", env=sandbox_env))
        redis_port = free_port()
        redis = stack.enter_context(a_redis(folder, redis_port))
        postgres.create_database("airflow")
        here = moved_to(postgres, cloud, redis_port, folder / "airflow")
        mounted(here.compose, here.folder)
        for _ in range(2):
            init = here.run("airflow-init", here.compose.services["airflow-init"]["command"])
            assert init.returncode == 0, init.stdout[-2000:] + init.stderr[-2000:]
        processes = {name: stack.enter_context(here.start(name)) for name in AIRFLOW}
        api = AirflowApi(here.words(["http://api-server:8080"])[0])
        stack.callback(api.close)
        processes["api-server"].wait_until(api.is_healthy, what="Airflow", seconds=240)
        api.log_in("admin", SECRETS["ADMIN_PASSWORD"])
        yield Running(here, api, cloud, postgres, {"redis": redis, **processes})


def test_one_pull_leads_through_celery_to_scheduled_actions_and_a_paired_ledger(running: Running) -> None:
    running.api.wait_for_dags(*DAGS)

    cycle = await_cycle(running.api)

    assert cycle.failed == []
    assert {task["hostname"] for task in cycle.tasks} == {socket.gethostname()}
    assert {task["executor"] for task in cycle.tasks} <= {None, "CeleryExecutor"}
    written = {row["fleet"]: row["written"] for row in cycle.rows}
    for fleet in ("api-checkout", "web-shop"):
        pages = running.cloud.client("autoscaling").get_paginator("describe_scheduled_actions")
        found = [
            row for page in pages.paginate(AutoScalingGroupName=fleet) for row in page["ScheduledUpdateGroupActions"]
        ]
        assert len(found) == written[fleet] > 0
    # As the restricted role, which is how the tasks wrote them.
    ledger = SqlLedger(engine_for(running.postgres.url("airflow", user="scaling_ledger", password="unasked")))
    kinds = [event.kind for fleet in written for event in ledger.events(fleet=fleet)]
    assert kinds.count(EventKind.INTENT) == kinds.count(EventKind.APPLIED) >= 2


def test_the_chain_was_worked_on_by_the_celery_worker(running: Running) -> None:
    cycle = await_cycle(running.api)

    worker = running.processes["worker"]
    # Celery says so a moment after Airflow knows.
    worker.wait_until(
        lambda: worker.log.read_text(errors="replace").count("succeeded in") >= len(cycle.tasks),
        what=f"the Celery worker's word on {len(cycle.tasks)} tasks",
        seconds=60,
    )


@pytest.mark.parametrize("service", AIRFLOW)
def test_a_services_own_check_finds_it_healthy(running: Running, service: str) -> None:
    if not running.here.is_healthy(service):
        kind, *test = running.here.compose.services[service]["healthcheck"]["test"]
        shown = running.here.run(service, ["sh", "-c", *test] if kind == "CMD-SHELL" else test)
        pytest.fail(f"{shown.stdout[-1000:]}{shown.stderr[-1000:]}\n{running.processes[service].tail()}")


def test_a_person_may_not_log_in_with_another_password(running: Running) -> None:
    with closing(AirflowApi(running.api.url)) as stranger, pytest.raises(httpx.HTTPStatusError, match="401"):
        stranger.log_in("admin", "admin")


def test_every_service_stops_when_asked_and_leaves_no_process_behind(running: Running) -> None:
    for process in reversed(list(running.processes.values())):
        process.stop()
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)

    assert not running.api.is_healthy()
