"""One full cycle of the product on a running Airflow, and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from demo.local_airflow import LocalAirflow

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


def run_cycle(airflow: LocalAirflow, *, shards: int = 1, seconds: float = 300) -> Cycle:
    """Trigger the pull, as a person would, and wait until the runs it sets off have ended."""
    began = time.monotonic()
    before = {dag_id: {run["dag_run_id"] for run in airflow.runs(dag_id)} for dag_id in DAGS}
    pull = airflow.trigger(DAGS[0])
    airflow.wait_for_runs(DAGS[0], len(before[DAGS[0]]) + 1, seconds=seconds)
    new: dict[str, list[str]] = {DAGS[0]: [pull]}
    for dag_id in DAGS[1:]:
        ended = airflow.wait_for_runs(dag_id, len(before[dag_id]) + shards, seconds=seconds)
        new[dag_id] = [run["dag_run_id"] for run in ended if run["dag_run_id"] not in before[dag_id]]
    tasks = [task for dag_id, runs in new.items() for run in runs for task in airflow.tasks(dag_id, run)]
    applied = [run for run in new["apply_plans"] if _succeeded(tasks, run)]
    rows = [row for run in applied for row in airflow.result("apply_plans", run, "apply")]
    return Cycle(
        rows=tuple(sorted(rows, key=lambda row: str(row["fleet"]))),
        tasks=tuple(tasks),
        seconds=time.monotonic() - began,
    )


def _succeeded(tasks: list[dict[str, Any]], run_id: str) -> bool:
    return any(task["dag_run_id"] == run_id and task["state"] == "success" for task in tasks)
