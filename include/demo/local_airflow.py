"""Airflow on this machine through the plugins-folder door, and its REST API as a person uses it."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from demo.local_cloud import CREDENTIALS, REGION
from demo.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parents[2]
USERS: Final = {"admin": "admin", "otto": "op", "uma": "user", "vera": "viewer"}
"""Names and roles; everybody's password is the name. For this machine only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an Airflow lives and what it steers."""

    home: Path
    cloud_url: str
    port: int
    fleets: Path = ROOT / "include" / "fleets"
    database: str | None = None
    ledger: str | None = None

    def environment(self, **more: str) -> dict[str, str]:
        """Give the environment of every Airflow process of this place."""
        database = self.database or f"sqlite:///{self.home}/airflow.db"
        aws = {"conn_type": "aws", "extra": {"endpoint_url": self.cloud_url, "region_name": REGION, **CREDENTIALS}}
        return {
            **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "AWS_", "PYTHON"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            # With its default of 32 workers Airflow locks a SQLite database until nothing moves.
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "demo-only-" * 8,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS": "predictive_scaling.ledger.database.LedgerDatabase",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER": str(self.fleets),
            "AIRFLOW__PREDICTIVE_SCALING__STORAGE": f"file://{self.home}/storage",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
            "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(aws),
            "AIRFLOW_CONN_SCALING_LEDGER": json.dumps(
                {"conn_type": "generic", "extra": {"sqlalchemy_url": self.ledger or database}}
            ),
            # Whatever goes round our connections must not find a real account.
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }


class LocalAirflow(Process):
    """`airflow standalone`, healthy, with its REST API."""

    def __init__(self, place: Place, **more: str) -> None:
        place.home.mkdir(parents=True, exist_ok=True)
        (place.home / "passwords.json").write_text(json.dumps({name: name for name in USERS}))
        self.place = place
        self.url = f"http://127.0.0.1:{place.port}"
        command = [sys.executable, "-m", "airflow", "standalone"]
        super().__init__(command, log=place.home / "standalone.log", env=place.environment(**more))
        self._http = httpx.Client(base_url=self.url, timeout=60)
        try:
            self.wait_until(self._is_healthy, what="airflow standalone", seconds=240)
            self._log_in("admin")
        except BaseException:
            self.stop()
            raise

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make one call of the REST API, as `admin`."""
        answer = self._http.request(method, f"/api/v2/{path}", json=body)
        if answer.is_error:
            msg = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise RuntimeError(msg)
        return answer.json() if answer.content else None

    def wait_for_dags(self, *dag_ids: str, seconds: float = 120) -> None:
        """Wait until the dag-processor has brought these DAGs in, unpaused."""

        def ready() -> bool:
            found = {dag["dag_id"]: dag for dag in self.call("GET", "dags?limit=100")["dags"]}
            return all(dag_id in found and not found[dag_id]["is_paused"] for dag_id in dag_ids)

        self.wait_until(ready, what=f"the DAGs {', '.join(dag_ids)}", seconds=seconds)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Trigger a run, as the button does; give its id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Give the runs of a DAG, newest first."""
        found: list[dict[str, Any]] = self.call("GET", f"dags/{dag_id}/dagRuns?order_by=-run_after&limit=100")[
            "dag_runs"
        ]
        return found

    def wait_for_runs(self, dag_id: str, count: int, *, seconds: float = 240) -> list[dict[str, Any]]:
        """Wait until a DAG has at least `count` runs and all have ended."""
        deadline = time.monotonic() + seconds
        while True:
            runs = self.runs(dag_id)
            if len(runs) >= count and all(run["state"] in {"success", "failed"} for run in runs):
                return runs
            if time.monotonic() > deadline:
                states = [(run["dag_run_id"], run["state"]) for run in runs]
                msg = f"{dag_id}: {count} ended runs were awaited, found {states}:\n{self.tail()}"
                raise TimeoutError(msg)
            time.sleep(0.5)

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Give the task instances of a run."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.call("GET", path)["task_instances"]
        return found

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Give what a task returned."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
        return self.call("GET", path)["value"]

    def task_log(self, dag_id: str, run_id: str, task_id: str, *, try_number: int = 1, map_index: int = -1) -> str:
        """Give a task's log as lines of text."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self.call("GET", f"{path}?map_index={map_index}&full_content=true")["content"]
        return "\n".join(str(line.get("event", line)) if isinstance(line, dict) else str(line) for line in content)

    def _is_healthy(self) -> bool:
        try:
            parts = self._http.get("/api/v2/monitor/health").json()
        except (httpx.HTTPError, ValueError):
            return False
        return all(part.get("status") == "healthy" for part in parts.values() if part.get("status"))

    def _log_in(self, user: str) -> None:
        answer = self._http.post("/auth/token", json={"username": user, "password": user})
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
