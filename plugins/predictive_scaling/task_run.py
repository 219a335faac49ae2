"""Who is behind a run: read from the context Airflow gives a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from predictive_scaling.ledger.records import TaskRun

if TYPE_CHECKING:
    from airflow.sdk import Context


def task_run(context: Context) -> TaskRun:
    """Name the task instance and its actor: the person who triggered the run, or the timetable that did."""
    ti, dag_run = context["ti"], context["dag_run"]
    person = getattr(dag_run, "triggering_user_name", None)
    run_type = getattr(dag_run.run_type, "value", dag_run.run_type)
    return TaskRun(
        actor=person or f"airflow ({run_type} run)",
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        task_id=ti.task_id,
        map_index=ti.map_index,
        try_number=ti.try_number,
    )
