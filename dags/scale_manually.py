"""By hand: set, add or remove instances of one fleet now, followed to the end."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, task

from predictive_scaling import forms
from predictive_scaling.operators import PauseFleetOperator, ScaleInOperator, ScaleOutOperator, SetCapacityOperator

CHANGES = {"add": "Add so many instances", "remove": "Remove so many", "set": "Set desired capacity to this number"}
FALLBACKS = {
    "as the file says": "As the fleet file says",
    "elsewhere, keep": "Keep those that came",
    "elsewhere, on_demand, keep": "Buy on demand what Spot refuses, keep those that came",
    "elsewhere, rollback": "Put everything back",
}

with DAG(
    "scale_manually",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "change": forms.choice("add", CHANGES, "Change"),
        "amount": Param(
            type="integer",
            minimum=0,
            maximum=10000,
            title="Instances",
            description="Within the fleet file's bounds and what a pause allows. Removing spares protected ones and "
            "the last that serves.",
        ),
        "hours": forms.hours(
            None, "Keep it so for hours", "Neither plan nor load moves it until then. Empty: they may at once."
        ),
        "reason": forms.reason(),
        "on_failure": forms.choice(
            "as the file says",
            FALLBACKS,
            "If instances do not come",
            "Other zones and types of the group's own list are tried first.",
        ),
        "dry_run": forms.dry_run(),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 3,
        "retry_delay": timedelta(seconds=10),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Changes one fleet now. Waiting for instances to serve, or to be gone, holds no worker.",
):

    @task.branch
    def choose(params: dict[str, str]) -> str:
        """Take the path of the change that was asked for."""
        return params["change"]

    @task.short_circuit(trigger_rule="none_failed_min_one_success")
    def for_hours(params: dict[str, str]) -> bool:
        """Go on only where it is to be kept so for a while."""
        return bool(params["hours"] and not params["dry_run"])

    whose = {"fleet": "{{ params.fleet }}", "reason": "{{ params.reason }}"}
    form = {**whose, "only_plan": "{{ params.dry_run }}"}
    amount = "{{ params.amount }}"
    on_failure = "{{ '' if params.on_failure == 'as the file says' else params.on_failure }}"
    changes = [
        ScaleOutOperator(task_id="add", amount=amount, on_failure=on_failure, **form),
        ScaleInOperator(task_id="remove", amount=amount, **form),
        SetCapacityOperator(task_id="set", desired=amount, **form),
    ]
    keep = PauseFleetOperator(task_id="keep", kind="freeze", hours="{{ params.hours }}", **whose)
    choose() >> changes >> for_hours() >> keep
