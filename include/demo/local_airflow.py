"""Airflow on this machine through the plugins-folder door."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.airflow_api import AirflowApi
from demo.cloud_api import CREDENTIALS, REGION
from demo.process import Process, free_port

ROOT: Final = Path(__file__).parents[2]
ENDED: Final = frozenset({"success", "failed"})
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
            # Every half a minute, as is usual, each deployment would keep a core busy with files that do not change.
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "180",
            # So long Airflow may wait until it sees that a task's process has ended, five seconds by default.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            # An API server that has just begun may take longer than five seconds, and who asks it twice loses the task.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
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


class LocalAirflow(Process, AirflowApi):
    """`airflow standalone`, healthy, with its REST API."""

    def __init__(self, place: Place, **more: str) -> None:
        place.home.mkdir(parents=True, exist_ok=True)
        (place.home / "passwords.json").write_text(json.dumps({name: name for name in USERS}))
        self.place = place
        AirflowApi.__init__(self, f"http://127.0.0.1:{place.port}")
        command = [sys.executable, "-m", "airflow", "standalone"]
        Process.__init__(self, command, log=place.home / "standalone.log", env=place.environment(**more))
        try:
            self.wait_until(self.is_healthy, what="airflow standalone", seconds=240)
            self.log_in("admin", "admin")
        except BaseException:
            self.stop()
            raise
