"""By hand: let a fleet that has passed the gate act, or take it back to observing."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import PromoteFleetOperator

with DAG(
    "promote_fleet",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "to": Param(
            "auto",
            type="string",
            enum=["auto", "observe"],
            title="To",
            description="auto: its plans are written from the next hour on. observe: what was scheduled is taken back.",
        ),
        "reason": forms.reason(),
    },
    default_args={"pre_execute": forms.refuse_unknown, "retries": 0, "execution_timeout": timedelta(minutes=5)},
    doc_md="Moves one fleet at the gate by a person's word. Only a fleet that waits at approve can go to auto.",
):
    PromoteFleetOperator(task_id="promote")
