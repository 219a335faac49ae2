"""When a fleet's load asks for another size than it has: the watch changes it, and a run tells of it or tries again."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetWatcher

from predictive_scaling.assets import LOAD_SIGNAL
from predictive_scaling.operators import ReactToLoadOperator
from predictive_scaling.triggers.load import LoadTrigger

# Triggers are made when this file is parsed, so their settings stand here and in the environment.
SHARDS = int(os.environ.get("PREDICTIVE_SCALING_WATCH_SHARDS", "1"))
EVERY = float(os.environ.get("PREDICTIVE_SCALING_CHECK_INTERVAL", "30"))
QUEUE = os.environ.get("PREDICTIVE_SCALING_ALARM_QUEUE", "")  # the URL of an SQS queue that alarms are sent to

SIGNAL = Asset(
    name=LOAD_SIGNAL,
    uri="x-predictive-scaling://load-signal",
    watchers=[
        AssetWatcher(
            name=f"load_{number}_of_{SHARDS}",
            trigger=LoadTrigger(shard=f"{number}-of-{SHARDS}", every=EVERY, queue=QUEUE if number == 1 else ""),
        )
        for number in range(1, SHARDS + 1)
    ],
)

with DAG(
    "react_to_load",
    schedule=[SIGNAL],
    catchup=False,
    max_active_runs=4,
    tags=["predictive-scaling"],
    default_args={"retries": 2, "retry_delay": timedelta(seconds=10), "execution_timeout": timedelta(minutes=5)},
    doc_md="For fleets with `reaction:` in their files. The triggerer watches and changes them; a run tells of it.",
):
    ReactToLoadOperator(task_id="react")
