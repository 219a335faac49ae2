"""A plan that goes further than was agreed waits here for a person; apply_plans starts a run for each question."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import ApprovePlanOperator, RecordAnswerOperator

with DAG(
    "approve_plans",
    schedule=None,
    catchup=False,
    max_active_runs=1000,  # one that waits is as good as idle, and must not keep another from being asked
    tags=["predictive-scaling"],
    params={"question": Param(type="string", minLength=1, title="Question", description="Its id in the ledger.")},
    # A retry costs nothing, for the first answer is the one that is kept; and nobody asks, or answers, a second time.
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 10,
        "retry_delay": timedelta(seconds=5),
        "retry_exponential_backoff": 2,
        "max_retry_delay": timedelta(minutes=5),
    },
    doc_md="Answer under Required Actions, or on the page Scaling. At the deadline the safe answer holds.",
):
    answer = ApprovePlanOperator(task_id="approve")
    record = RecordAnswerOperator(task_id="record", asked_by="approve", execution_timeout=timedelta(minutes=5))
    answer >> record
