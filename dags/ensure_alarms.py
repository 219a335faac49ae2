"""By hand, and hourly once the watch listens to a queue: keep the alarms that wake it as the fleet files say."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import EnsureAlarmsOperator
from predictive_scaling.settings import watch

with DAG(
    "ensure_alarms",
    schedule="47 * * * *" if watch().queues else None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["predictive-scaling"],
    params={
        "topic": Param(
            "",
            type="string",
            pattern=r"^(arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:\S+)?$",
            title="Topic",
            description="The ARN of an SNS topic of yours; empty: a topic and a queue are made, and named in the log.",
        ),
        "dry_run": forms.dry_run("Say what would be written."),
    },
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(minutes=10),
    },
    doc_md="One alarm for each fleet with `reaction:` or `burst:` in its file; one that is as it should be is kept.",
):
    EnsureAlarmsOperator(task_id="ensure", topic="{{ params.topic }}", only_plan="{{ params.dry_run }}")
