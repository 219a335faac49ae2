"""By hand: what each mode of scaling would have done to a fleet, on the fleet's own history."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import ReplayPolicyOperator

MODES = ["reactive", "predictive", "hybrid", "aws_hourly"]

with DAG(
    "replay_policy",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "days": Param(3, type="number", minimum=0.5, maximum=21, title="Days", description="The last days measured."),
        "modes": Param(MODES, type="array", items={"enum": MODES}, examples=MODES, minItems=1, title="Modes"),
        "boot_minutes": Param(
            5,
            type="number",
            minimum=0,
            maximum=60,
            title="Boot time",
            description="Minutes until a new instance serves.",
        ),
        "price_per_hour": Param(
            0.0, type="number", minimum=0, title="Price", description="Of one instance for one hour."
        ),
    },
    default_args={"retries": 0, "execution_timeout": timedelta(minutes=30)},
    doc_md="Replays a fleet's policy and prints, for each mode, how long it was short and what it paid.",
):
    ReplayPolicyOperator(task_id="replay")
