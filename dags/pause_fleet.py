"""By hand: lay your word over one fleet's plan, for a while."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from predictive_scaling import forms
from predictive_scaling.operators import PauseFleetOperator

KINDS = {
    "freeze": "Freeze: neither out nor in",
    "no_scale_in": "No scale-in",
    "no_scale_out": "No scale-out",
    "hold": "Hold at a number",
    "bounds": "Keep between two numbers",
}

with DAG(
    "pause_fleet",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "kind": forms.choice("freeze", KINDS, "Kind"),
        "size": forms.instances("Size", "For hold alone: how many instances, within the fleet file's min and max."),
        "least": forms.instances("Least", "For bounds: never fewer, whatever is planned. Empty: as planned."),
        "most": forms.instances("Most", "For bounds: never more, whatever comes. Empty: the fleet's usual maximum."),
        "hours": forms.hours(4, "Hours", "It ends by itself after them. Empty: until you trigger resume_fleet."),
        "reason": forms.reason(),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 3,
        "retry_delay": timedelta(seconds=20),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Written at once as scheduled actions, the return among them: it ends though nobody runs any more.",
):
    PauseFleetOperator(
        task_id="pause",
        fleet="{{ params.fleet }}",
        kind="{{ params.kind }}",
        reason="{{ params.reason }}",
        hours="{{ params.hours }}",
        sizes={name: f"{{{{ params.{name} }}}}" for name in ("size", "least", "most")},
    )
