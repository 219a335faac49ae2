"""The promise, in Airflow itself: forms check what is typed, waiting holds no worker, a mistake can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from killing import kill_during_the_write

from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from deployment import Stack

# The chain is told on every database; what is done by hand goes the same way, on the one of production.
pytestmark = pytest.mark.parametrize("stack", ["postgres"], indirect=True)


def desired(stack: Stack, group: str) -> int:
    (found,) = stack.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])[
        "AutoScalingGroups"
    ]
    return int(found["DesiredCapacity"])


def test_what_a_person_adds_serves_and_is_put_back_by_its_number(stack: Stack) -> None:
    stack.airflow.wait_for_dags("scale_manually", "roll_back")
    stack.unschedule("api-checkout")  # no floor moves it meanwhile
    before = desired(stack, "api-checkout")
    stack.cloud.control("config", {"boot_seconds": 10, "health_seconds": 5})

    form = {"fleet": "api-checkout", "change": "add", "amount": 2, "reason": "a sale"}
    run = stack.airflow.trigger("scale_manually", form)
    ended = stack.airflow.wait_for_run("scale_manually", run)

    log = stack.airflow.task_log("scale_manually", run, "add")
    assert ended["state"] == "success", log
    assert f"api-checkout: desired {before} -> {before + 2}, read back and verified" in log
    assert "from the decision to in service" in log
    assert "on their way" in log, "the trigger's own lines, from the triggerer, stand in the same log"
    states = {task["task_id"]: task["state"] for task in stack.airflow.tasks("scale_manually", run)}
    assert {task for task, state in states.items() if state == "success"} == {"choose", "add", "for_hours"}
    assert {task for task, state in states.items() if state == "skipped"} == {"remove", "set", "keep"}
    mine = [event for event in stack.ledger.events(fleet="api-checkout", limit=1000) if event.by.run_id == run]
    assert [event.kind for event in reversed(mine)] == [EventKind.INTENT, EventKind.APPLIED, EventKind.APPLIED]
    assert {event.by.actor for event in mine} == {"admin"}

    back = stack.airflow.trigger("roll_back", {"event_id": mine[0].id, "reason": "the wrong fleet"})
    ended = stack.airflow.wait_for_run("roll_back", back)
    assert ended["state"] == "success", stack.airflow.task_log("roll_back", back, "roll_back")
    assert desired(stack, "api-checkout") == before
    assert stack.ledger.open_operation("api-checkout") is None


def test_a_task_killed_during_the_raise_is_retried_and_raises_once(stack: Stack) -> None:
    stack.airflow.wait_for_dags("scale_manually")
    before = desired(stack, "api-checkout")
    stack.cloud.control("faults", {"service": "autoscaling", "operation": "UpdateAutoScalingGroup", "latency": 8.0})
    form = {"fleet": "api-checkout", "change": "set", "amount": before + 1, "reason": "a test of nerves"}
    run = stack.airflow.trigger("scale_manually", form)
    kill_during_the_write(stack, "api-checkout", run)
    stack.cloud.clear_faults()

    assert stack.airflow.wait_for_run("scale_manually", run)["state"] == "success"
    assert desired(stack, "api-checkout") == before + 1
    assert stack.ledger.open_operation("api-checkout") is None
    mine = [event for event in stack.ledger.events(fleet="api-checkout", limit=1000) if event.by.run_id == run]
    assert any("looked at the group after scale_manually.set" in event.reason for event in mine)
    intents = sum(event.kind is EventKind.INTENT for event in mine)
    assert intents == sum(
        event.kind in {EventKind.APPLIED, EventKind.FAILED} and event.call is not None for event in mine
    )


@pytest.mark.parametrize(
    ("dag", "form"),
    [
        ("scale_manually", {"fleet": "web-shop", "change": "double", "amount": 1, "reason": "a sale"}),
        ("scale_manually", {"fleet": "web-shop", "change": "add", "amount": -1, "reason": "a sale"}),
        ("scale_manually", {"fleet": "web-shop", "change": "add", "amount": 1, "reason": ""}),
        ("scale_manually", {"fleet": "web-shop", "change": "add", "amount": 1}),
        ("roll_back", {"event_id": "seven", "reason": "a mistake"}),
    ],
)
def test_a_form_that_is_filled_in_wrong_starts_nothing(stack: Stack, dag: str, form: dict[str, Any]) -> None:
    stack.airflow.wait_for_dags(dag)
    with pytest.raises(RuntimeError, match="400"):
        stack.airflow.trigger(dag, form)


def test_a_number_beyond_the_fleet_file_fails_at_once_and_writes_nothing(stack: Stack) -> None:
    stack.airflow.wait_for_dags("scale_manually")
    before = desired(stack, "web-shop")
    form = {"fleet": "web-shop", "change": "set", "amount": 999, "reason": "a typo"}
    run = stack.airflow.trigger("scale_manually", form)
    assert stack.airflow.wait_for_run("scale_manually", run)["state"] == "failed"
    assert "desired 999 is outside 3..20 of the fleet file" in stack.airflow.task_log("scale_manually", run, "set")
    assert desired(stack, "web-shop") == before
