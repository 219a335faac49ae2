"""By hand: stop all writing, for every fleet, and take back what was scheduled; or lift the stop."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from predictive_scaling import forms
from predictive_scaling.operators import KillSwitchOperator

ACTIONS = {"stop": "Stop: write nothing more, take back what is scheduled", "lift": "Lift the stop"}

with DAG(
    "kill_switch",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "action": forms.choice("stop", ACTIONS, "Action"),
        "reason": forms.reason(),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "execution_timeout": timedelta(minutes=30),
    },
    doc_md="Heeded by every task before its next fleet. Floors return to min; capacity that is there stays.",
):
    KillSwitchOperator(task_id="switch")
