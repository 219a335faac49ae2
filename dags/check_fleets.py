"""By hand: look for what is wrong with the groups of fleets, before they are written to."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import CheckFleetsOperator

with DAG(
    "check_fleets",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleets": Param(
            "", type="string", title="Fleets", description="Names in their fleet files, with commas. Empty: all."
        ),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 1,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(minutes=30),
    },
    doc_md="Quotas, sizes, timeouts, hooks and other owners: what was found, what is wanted, the mend. Reads only.",
):
    CheckFleetsOperator(task_id="check", fleets="{{ params.fleets }}")
