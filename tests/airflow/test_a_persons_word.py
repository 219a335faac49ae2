"""The promise, in Airflow itself: a person pauses, resumes and stops from a form, and is obeyed before it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from demo.cycle import await_cycle
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from deployment import Stack

# The chain is told on every database; what is done by hand goes the same way, on the one of production.
pytestmark = pytest.mark.parametrize("stack", ["postgres"], indirect=True)

FLEET = "api-checkout"


def carried_out(stack: Stack, dag_id: str, form: dict[str, Any]) -> str:
    run = stack.airflow.trigger(dag_id, form)
    assert stack.airflow.wait_for_run(dag_id, run)["state"] == "success", form
    return run


def holding(stack: Stack) -> set[tuple[int, int | None]]:
    """Give what our scheduled actions hold: the floors, each with the maximum it states."""
    rows = stack.cloud.client("autoscaling").describe_scheduled_actions(AutoScalingGroupName=FLEET)
    return {(row["MinSize"], row.get("MaxSize")) for row in rows["ScheduledUpdateGroupActions"]}


def test_a_fleet_is_kept_at_a_size_between_two_at_a_number_and_resumed(stack: Stack) -> None:
    await_cycle(stack.airflow)
    size = stack.desired(FLEET) + 1
    kept = {"fleet": FLEET, "change": "set", "amount": size, "hours": 2, "reason": "a guest"}
    carried_out(stack, "scale_manually", kept)
    assert (size, size) in holding(stack), "neither plan nor load moves it until then"

    between = {"fleet": FLEET, "kind": "bounds", "least": 5, "most": 7, "hours": 2, "reason": "a campaign"}
    carried_out(stack, "pause_fleet", between)
    assert {most for _, most in holding(stack)} >= {7}
    assert min(least for least, most in holding(stack) if most == 7) >= 5

    carried_out(stack, "pause_fleet", {"fleet": FLEET, "kind": "hold", "size": 3, "hours": 2, "reason": "a release"})
    assert (3, 3) in holding(stack)
    assert any(most and most > 3 for _, most in holding(stack)), "the return stands in AWS already"

    run = carried_out(stack, "resume_fleet", {"fleet": FLEET, "reason": "it is out"})

    assert (3, 3) not in holding(stack)
    overridden = [event for event in stack.ledger.events(fleet=FLEET) if event.kind is EventKind.OVERRIDDEN]
    assert {event.by.actor for event in overridden[:6]} == {"admin"}
    assert [event.by.run_id for event in overridden[:4]].count(run) == 3, "it ended all three, and no more"


def test_the_kill_switch_takes_everything_back_until_it_is_lifted(stack: Stack) -> None:
    await_cycle(stack.airflow)
    carried_out(stack, "apply_plans", {})
    assert stack.floors(FLEET)

    carried_out(stack, "kill_switch", {"action": "stop", "reason": "everything looks wrong"})
    assert len(stack.floors(FLEET)) <= 1, "nothing but the return to the minimum"
    run = carried_out(stack, "apply_plans", {})
    assert "everything looks wrong" in stack.airflow.task_log("apply_plans", run, "apply")
    assert len(stack.floors(FLEET)) <= 1

    carried_out(stack, "kill_switch", {"action": "lift", "reason": "found it"})
    assert len(stack.floors(FLEET)) > 1


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"kind": "hold", "size": None}, "fill in Size"),
        ({"kind": "hold", "size": 4000}, "is outside 2..40 of the fleet file"),
        ({"fleet": "batch-video"}, "mode is observe"),
        ({"fleet": "nobody"}, "choose one of"),
    ],
)
def test_a_form_that_cannot_be_obeyed_changes_nothing(stack: Stack, form: dict[str, Any], complaint: str) -> None:
    whole = {"fleet": FLEET, "kind": "freeze", "hours": 1, "reason": "a release", **form}
    run = stack.airflow.trigger("pause_fleet", whole)
    assert stack.airflow.wait_for_run("pause_fleet", run)["state"] == "failed"
    assert complaint in stack.airflow.task_log("pause_fleet", run, "pause")
