"""By hand: make a fleet's group what its blueprint says, or see what would change."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import EnsureFleetOperator

with DAG(
    "ensure_fleet",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "dry_run": Param(
            default=True, type="boolean", title="Dry run", description="Show the difference, and write nothing."
        ),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(seconds=20),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Creates or updates launch template, group, target groups, hook, warm pool and tags. Destroys nothing.",
):
    EnsureFleetOperator(
        task_id="ensure", fleet="{{ params.fleet }}", only_plan="{{ params.dry_run }}", reason="its blueprint"
    )
