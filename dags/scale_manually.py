"""By hand: set, add or remove instances of one fleet now, followed to the end."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, task

from predictive_scaling.operators import ScaleInOperator, ScaleOutOperator, SetCapacityOperator

CHANGES = {"add": "Add so many instances", "remove": "Remove so many", "set": "Set desired capacity to this number"}
FALLBACKS = {"elsewhere, keep": "Keep those that came", "elsewhere, rollback": "Put everything back"}

with DAG(
    "scale_manually",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": Param(type="string", minLength=1, title="Fleet", description="The name in its fleet file."),
        "change": Param("add", type="string", enum=list(CHANGES), values_display=CHANGES, title="Change"),
        "amount": Param(
            type="integer",
            minimum=0,
            maximum=10000,
            title="Instances",
            description="Within the fleet file's bounds. Removing spares protected ones and the last that serves.",
        ),
        "reason": Param(type="string", minLength=5, title="Reason", description="Kept in the ledger, with your name."),
        "on_failure": Param(
            "elsewhere, keep",
            type="string",
            enum=list(FALLBACKS),
            values_display=FALLBACKS,
            title="If instances do not come",
            description="Other zones and types of the group's own list are tried first.",
        ),
        "dry_run": Param(default=False, type="boolean", title="Dry run", description="Say what would be done only."),
    },
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10), "execution_timeout": timedelta(minutes=10)},
    doc_md="Changes one fleet now. Waiting for instances to serve, or to be gone, holds no worker.",
):

    @task.branch
    def choose(params: dict[str, str]) -> str:
        """Take the path of the change that was asked for."""
        return params["change"]

    form = {"fleet": "{{ params.fleet }}", "reason": "{{ params.reason }}", "only_plan": "{{ params.dry_run }}"}
    amount = "{{ params.amount }}"
    choose() >> [
        ScaleOutOperator(task_id="add", amount=amount, on_failure="{{ params.on_failure }}", **form),
        ScaleInOperator(task_id="remove", amount=amount, **form),
        SetCapacityOperator(task_id="set", desired=amount, **form),
    ]
