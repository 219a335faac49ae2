"""By hand: put back what one operation changed, named by any of its events in the ledger."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import RollbackOperator

with DAG(
    "roll_back",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "event_id": Param(
            type="integer", minimum=1, title="Event", description="The number of an event, as the ledger lists it."
        ),
        "reason": forms.reason(),
        "force": Param(
            default=False,
            type="boolean",
            title="Force",
            description="Put it back even where somebody else changed the group since.",
        ),
        "dry_run": forms.dry_run(),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 3,
        "retry_delay": timedelta(seconds=10),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="Restores the sizes, scheduled actions or traffic that the event's whole operation moved, and nothing else.",
):
    RollbackOperator(
        task_id="roll_back",
        event_id="{{ params.event_id }}",
        reason="{{ params.reason }}",
        force="{{ params.force }}",
        only_plan="{{ params.dry_run }}",
    )
