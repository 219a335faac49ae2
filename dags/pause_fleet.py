"""By hand: lay your word over one fleet's plan, for a while."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param

from predictive_scaling.operators import PauseFleetOperator

KINDS = {
    "freeze": "Freeze: neither out nor in",
    "no_scale_in": "No scale-in",
    "no_scale_out": "No scale-out",
    "hold": "Hold at a number",
}

with DAG(
    "pause_fleet",
    schedule=None,
    catchup=False,
    tags=["predictive-scaling"],
    params={
        "fleet": Param(type="string", minLength=1, title="Fleet", description="The name in its fleet file."),
        "kind": Param("freeze", type="string", enum=list(KINDS), values_display=KINDS, title="Kind"),
        "size": Param(
            None,
            type=["null", "integer"],
            minimum=0,
            maximum=10000,
            title="Size",
            description="For hold: the number of instances, within the fleet file's min and max.",
        ),
        "hours": Param(
            4,
            type=["null", "number"],
            exclusiveMinimum=0,
            maximum=720,
            title="Hours",
            description="It ends by itself after them. Empty: it holds until you trigger resume_fleet.",
        ),
        "reason": Param(type="string", minLength=5, title="Reason", description="Kept in the ledger, with your name."),
    },
    default_args={"retries": 0, "execution_timeout": timedelta(minutes=10)},
    doc_md="Written at once as scheduled actions, the return among them: it ends though nobody runs any more.",
):
    PauseFleetOperator(task_id="pause")
