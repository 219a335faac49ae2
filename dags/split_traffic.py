"""Every five minutes: give each baseline the traffic it can bear, and the rest to the burst beside it."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG

from predictive_scaling import forms
from predictive_scaling.operators import SplitTrafficOperator

with DAG(
    "split_traffic",
    schedule="*/5 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["predictive-scaling"],
    params={"dry_run": forms.dry_run("Say what would be split.")},
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 1,
        "retry_delay": timedelta(seconds=20),
        "execution_timeout": timedelta(minutes=4),
    },
    doc_md="For fleets with `burst:` in their files. What a baseline cannot take goes elsewhere, and returns slowly.",
):
    SplitTrafficOperator(task_id="split", only_plan="{{ params.dry_run }}")
