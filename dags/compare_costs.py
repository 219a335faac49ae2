"""By hand: what a daily load would cost always on, by the hour, on spot and by the request."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import CompareCostsOperator

with DAG(
    "compare_costs",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "profile": Param(
            "samples/daily-profile.yaml",
            type="string",
            pattern=r"\.ya?ml$",
            title="Profile",
            description="A file beside the folder of the fleets: a day's load, capacities and unit prices.",
        ),
        "risk_limit": Param(
            None,
            type=["null", "number"],
            minimum=0,
            maximum=1,
            title="Risk limit",
            description="The share of a load that may rest on what fails all at once; empty for the file's own.",
        ),
    },
    default_args={"pre_execute": forms.refuse_unknown, "retries": 0, "execution_timeout": timedelta(minutes=5)},
    doc_md="Computes the cheapest mix for a profile, and prints and keeps it beside being always on for the peak.",
):
    CompareCostsOperator(task_id="compare", profile="{{ params.profile }}", risk_limit="{{ params.risk_limit }}")
