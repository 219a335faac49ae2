"""One full cycle of the product on a running Airflow, and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from demo.airflow_api import AirflowApi

DAGS: Final = ("pull_metrics", "forecast_demand", "apply_plans")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What one cycle did: a row a fleet, and the tasks it took."""

    rows: tuple[dict[str, Any], ...]
    tasks: tuple[dict[str, Any], ...]
    seconds: float

    @property
    def failed(self) -> list[str]:
        """The tasks that did not succeed."""
        return [f"{task['dag_id']}.{task['task_id']}" for task in self.tasks if task["state"] != "success"]


def await_cycle(airflow: AirflowApi, *, number: int = 1, shards: int = 1, seconds: float = 300) -> Cycle:
    """Wait until the pull has run this many times and everything it set off has ended; give the cycle of that number.

    The first cycle needs no trigger: Airflow runs the last hour's pull as soon as it knows the DAG. Another may
    follow at once when the hour is over, so cycles are counted from the oldest.
    """
    began = time.monotonic()
    pull = airflow.wait_for_runs(DAGS[0], number, seconds=seconds)[-number]
    runs = {DAGS[0]: [pull["dag_run_id"]]}
    for dag_id in DAGS[1:]:
        ended = airflow.wait_for_runs(
            dag_id, shards, kinds={"asset_triggered"}, since=pull["queued_at"], seconds=seconds
        )
        runs[dag_id] = [run["dag_run_id"] for run in ended[-shards:]]
    tasks = [task for dag_id, ids in runs.items() for run_id in ids for task in airflow.tasks(dag_id, run_id)]
    applied = [run_id for run_id in runs["apply_plans"] if _succeeded(tasks, run_id)]
    rows = [row for run_id in applied for row in airflow.result("apply_plans", run_id, "apply")]
    return Cycle(
        rows=tuple(sorted(rows, key=lambda row: str(row["fleet"]))),
        tasks=tuple(tasks),
        seconds=time.monotonic() - began,
    )


def _succeeded(tasks: list[dict[str, Any]], run_id: str) -> bool:
    return any(task["dag_run_id"] == run_id and task["state"] == "success" for task in tasks)
