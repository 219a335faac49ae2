"""When a fleet's load asks for another size than it has: the watch changes it, and a run tells of it or tries again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetWatcher

from predictive_scaling import forms
from predictive_scaling.assets import LOAD_SIGNAL
from predictive_scaling.operators import ReactToLoadOperator
from predictive_scaling.settings import watch
from predictive_scaling.triggers.load import LoadTrigger

WATCH = watch()  # Triggers are made when this file is parsed, and so their settings are read here.
SIGNAL = Asset(
    name=LOAD_SIGNAL,
    uri="x-predictive-scaling://load-signal",
    watchers=[
        AssetWatcher(
            name=f"load_{number}_of_{WATCH.shards}",
            trigger=LoadTrigger(
                shard=f"{number}-of-{WATCH.shards}", every=WATCH.every, queue=queue, connection=WATCH.connection
            ),
        )
        for number, queue in enumerate(WATCH.queue_each, start=1)
    ],
)

with DAG(
    "react_to_load",
    schedule=[SIGNAL],
    catchup=False,
    max_active_runs=4,
    tags=["predictive-scaling"],
    default_args={
        "pre_execute": forms.refuse_unknown,
        "retries": 2,
        "retry_delay": timedelta(seconds=10),
        "execution_timeout": timedelta(minutes=5),
    },
    doc_md="For fleets with `reaction:` in their files. The triggerer watches and changes them; a run tells of it.",
):
    ReactToLoadOperator(task_id="react")
