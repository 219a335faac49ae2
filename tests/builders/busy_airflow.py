"""An Airflow whose API tells of tasks that ran: its own API server, over rows as a scheduler would have left them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from demo.local_airflow import USERS, Place
from demo.process import Process, free_port

if TYPE_CHECKING:
    from pathlib import Path

DAG = "pull_metrics"


class BusyAirflow(Process):
    """`airflow api-server`, with the product's DAGs known and nobody to run them."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.place = Place(home=home, cloud_url="http://127.0.0.1:9", port=free_port())
        (home / "passwords.json").write_text(json.dumps({name: name for name in USERS}))
        for arguments in (("db", "migrate"), ("dags", "reserialize")):
            command = [sys.executable, "-m", "airflow", *arguments]
            subprocess.run(command, env=self.place.environment(), check=True, capture_output=True)
        self._engine = sa.create_engine(f"sqlite:///{home}/airflow.db")
        command = [sys.executable, "-m", "airflow", "api-server"]
        super().__init__(command, log=home / "server.log", env=self.place.environment())
        self.wait_until(self._answers, what="airflow api-server", seconds=120)

    def appoint(self, at: datetime) -> None:
        """Let the DAG's next run be due."""
        dags = sa.Table("dag", sa.MetaData(), autoload_with=self._engine)
        due = {"next_dagrun": at, "next_dagrun_create_after": at, "is_paused": False, "is_stale": False}
        with self._engine.begin() as connection:
            connection.execute(dags.update().where(dags.c.dag_id == DAG).values(**due))

    def remember(
        self, *stays: tuple[datetime, datetime | None], run_after: datetime | None = None, **fields: Any
    ) -> None:
        """Remember one task instance for each stay: from when it was queued to when it ended, if it did."""
        runs, tasks = (
            sa.Table(name, sa.MetaData(), autoload_with=self._engine) for name in ("dag_run", "task_instance")
        )
        run_id = uuid4().hex
        run = {
            "dag_id": DAG,
            "run_id": run_id,
            "run_type": "manual",
            "run_after": run_after or datetime.now(UTC),
            "state": "success",
        }
        rows = [
            {
                "id": uuid4().hex,
                "dag_id": DAG,
                "run_id": run_id,
                "task_id": f"task-{number}",
                "map_index": -1,
                "queued_dttm": start,
                "start_date": start,
                "end_date": end,
                "state": "success" if end else "running",
                "pool": "default_pool",
                "pool_slots": 1,
                "queue": "default",
                "try_number": 1,
                "max_tries": 0,
                **fields,
            }
            for number, (start, end) in enumerate(stays)
        ]
        with self._engine.begin() as connection:
            connection.execute(runs.insert(), run)
            connection.execute(tasks.insert(), rows)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.place.port}/api/v2/version", timeout=5).is_success
        except httpx.HTTPError:
            return False
