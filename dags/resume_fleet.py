"""By hand: end what pause_fleet laid over one fleet's plan."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from predictive_scaling import forms
from predictive_scaling.operators import ResumeFleetOperator

with DAG(
    "resume_fleet",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "reason": forms.reason(),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 3,
        "retry_delay": timedelta(seconds=20),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Ends every override of the fleet and writes its plan again. The next apply_plans verifies the return.",
):
    ResumeFleetOperator(task_id="resume")
