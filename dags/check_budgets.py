"""By hand: hold what the fleets have in place, or what is to be added, against their budgets."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import CostGateOperator

with DAG(
    "check_budgets",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleets": Param("", type="string", title="Fleets", description="Names, separated by spaces; empty is all."),
        "amount": Param(0, type="integer", title="Instances", description="To be added; 0 judges what is in place."),
        "hours": Param(1.0, type="number", exclusiveMinimum=0, maximum=720, title="Hours", description="For so long."),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Reads the meters and tells every budget's sum in the ledger. Changes no fleet.",
):
    CostGateOperator(
        task_id="judge", fleets="{{ params.fleets }}", amount="{{ params.amount }}", hours="{{ params.hours }}"
    )
