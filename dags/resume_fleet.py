"""By hand: end what pause_fleet laid over one fleet's plan."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling.operators import ResumeFleetOperator

with DAG(
    "resume_fleet",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": Param(type="string", minLength=1, title="Fleet", description="The name in its fleet file."),
        "reason": Param(type="string", minLength=5, title="Reason", description="Kept in the ledger, with your name."),
    },
    default_args={"retries": 0, "execution_timeout": timedelta(minutes=10)},
    doc_md="Ends every override of the fleet and writes its plan again. The next apply_plans verifies the return.",
):
    ResumeFleetOperator(task_id="resume")
