"""Every hour: bring the metric history of all fleets up to now, shard by shard."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG

from predictive_scaling import forms
from predictive_scaling.assets import METRIC_HISTORY
from predictive_scaling.operators import CheckPullOperator, ListShardsOperator, PullMetricsOperator

with DAG(
    "pull_metrics",
    schedule="2 * * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["predictive-scaling"],
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(minutes=20),
    },
    doc_md="Pulls what is new of every fleet's metric and stores it. `forecast_demand` follows, a run a shard.",
):
    shards = ListShardsOperator(task_id="list_shards")
    pull = PullMetricsOperator.partial(
        task_id="pull", outlets=[METRIC_HISTORY], map_index_template="shard {{ task.shard }}"
    ).expand(shard=shards.output)
    CheckPullOperator(task_id="check", shards=shards.output, pulled=pull.output)
