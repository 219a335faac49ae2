"""By hand: what policies would have done to a fleet in each mode of scaling, on the fleet's own history."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling import forms
from predictive_scaling.operators import ReplayPolicyOperator

USUAL = ["reactive", "floor", "steered", "aws_hourly"]
MODES = [*USUAL, "predictive", "hybrid"]

with DAG(
    "replay_policy",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": forms.fleet(),
        "days": Param(3, type="number", minimum=0.5, maximum=21, title="Days", description="The last days measured."),
        "modes": Param(USUAL, type="array", items={"enum": MODES}, examples=MODES, minItems=1, title="Modes"),
        "policies": forms.variations(
            "Beside it",
            "Other policies by name, each with the keys that differ from the fleet's file; at most 5.",
            example={"surer": {"quantile": 0.97}, "wider": {"max": 60, "headroom": 0.2}},
        ),
        "boot_minutes": Param(
            5,
            type="number",
            minimum=0,
            maximum=60,
            title="Boot time",
            description="Minutes until a new instance serves.",
        ),
        "price_per_hour": Param(
            None,
            type=["null", "number"],
            minimum=0,
            title="Price",
            description="Of one instance for one hour; empty: as in the fleet's file.",
        ),
    },
    default_args={"pre_execute": forms.refuse_unknown, "retries": 0, "execution_timeout": timedelta(minutes=30)},
    doc_md="Replays a fleet's policy, and others beside it, and prints how long each was short and what it paid.",
):
    ReplayPolicyOperator(task_id="replay")
