"""After each pull of a shard: forecast its fleets 48 hours ahead."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, PartitionedAssetTimetable

from predictive_scaling import forms
from predictive_scaling.assets import DEMAND_FORECAST, METRIC_HISTORY
from predictive_scaling.operators import ForecastDemandOperator

with DAG(
    "forecast_demand",
    schedule=PartitionedAssetTimetable(assets=METRIC_HISTORY),
    catchup=False,
    max_active_runs=4,
    tags=["predictive-scaling"],
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(minutes=30),
    },
    doc_md="Forecasts the fleets of one shard, or of all when triggered by hand. `apply_plans` follows.",
):
    ForecastDemandOperator(task_id="forecast", outlets=[DEMAND_FORECAST])
