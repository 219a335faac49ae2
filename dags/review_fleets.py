"""Every day: hold each fleet's forecast against its last weeks, and move it at the gate."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG

from predictive_scaling import forms
from predictive_scaling.operators import ListShardsOperator, ReviewFleetsOperator

with DAG(
    "review_fleets",
    schedule="17 4 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["predictive-scaling"],
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(minutes=30),
    },
    doc_md="Lets a fleet's forecast move capacity only while it has proved better than reacting alone.",
):
    shards = ListShardsOperator(task_id="list_shards")
    ReviewFleetsOperator.partial(task_id="review", map_index_template="shard {{ task.shard }}").expand(
        shard=shards.output
    )
