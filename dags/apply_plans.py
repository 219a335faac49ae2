"""After each forecast of a shard: bring its fleets' scheduled actions to the plan."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, PartitionedAssetTimetable

from predictive_scaling import forms
from predictive_scaling.assets import DEMAND_FORECAST
from predictive_scaling.operators import ApplyPlansOperator

with DAG(
    "apply_plans",
    schedule=PartitionedAssetTimetable(assets=DEMAND_FORECAST),
    catchup=False,
    max_active_runs=4,
    tags=["predictive-scaling"],
    params={
        "dry_run": Param(
            default=False,
            type="boolean",
            title="Dry run",
            description="Draw and record the plans, write nothing to AWS.",
        )
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 3,
        "retry_delay": timedelta(seconds=20),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Schedules the coming capacity of one shard's fleets, or of all when triggered by hand.",
):
    ApplyPlansOperator(task_id="apply")
