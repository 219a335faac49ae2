"""Every hour, after the plans: keep the CloudWatch dashboards as the fleet files and the plans are."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import EnsureDashboardOperator

with DAG(
    "ensure_dashboards",
    schedule="37 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["predictive-scaling"],
    params={
        "dashboard": Param("predictive-scaling", type="string", pattern=r"^[A-Za-z0-9_-]{1,200}$", title="Name"),
        "dry_run": forms.dry_run("Say what would be written."),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Draws demand, forecast, capacity, cost and burst of every fleet; what is as it should be is kept.",
):
    EnsureDashboardOperator(task_id="ensure", dashboard="{{ params.dashboard }}", only_plan="{{ params.dry_run }}")
