"""The promise, in Airflow itself: forms check what is typed, waiting holds no worker, a mistake can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from killing import kill_before_the_answer

from predictive_scaling.follow import is_conclusion
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.raised import is_raise

if TYPE_CHECKING:
    from deployment import Stack

    from predictive_scaling.ledger.records import Event

# The chain is told on every database; what is done by hand goes the same way, on the one of production.
pytestmark = pytest.mark.parametrize("stack", ["postgres"], indirect=True)


def test_what_a_person_adds_serves_and_is_put_back_by_its_number(stack: Stack) -> None:
    stack.airflow.wait_for_dags("scale_manually", "roll_back")
    stack.unschedule("api-checkout")  # no floor moves it meanwhile
    before = stack.desired("api-checkout")
    # The second look, after 15 seconds, finds them in service.
    stack.cloud.control("config", {"boot_seconds": 8, "health_seconds": 4})

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
    assert stack.desired("api-checkout") == before
    assert not stack.is_held("api-checkout", run, back)


UNANSWERED: dict[str, Any] = {"service": "autoscaling", "after": True, "latency": 18.0}
"""What is written takes effect, and the answer comes when nobody waits for it any more."""


def killed_before_the_answer(stack: Stack, asked: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Trigger a run for each fleet, kill its task once its write has taken effect, and see its retry succeed."""
    stack.cloud.control("faults", {**UNANSWERED, "operation": "UpdateAutoScalingGroup|TerminateInstance.*"})
    stack.cloud.calls(reset=True)
    before = {fleet: stack.desired(fleet) for fleet in asked}
    runs = {fleet: stack.airflow.trigger(dag, form) for fleet, (dag, form) in asked.items()}
    kill_before_the_answer(stack, runs, before)
    stack.cloud.clear_faults()
    for fleet, (dag, _) in asked.items():
        assert stack.airflow.wait_for_run(dag, runs[fleet])["state"] == "success", (dag, fleet)
    return runs


def written(stack: Stack) -> dict[str, int]:
    """Count the calls that moved a capacity."""
    verbs = ("UpdateAutoScalingGroup", "TerminateInstanceInAutoScalingGroup")
    return {verb: stack.cloud.calls().get(f"autoscaling.{verb}", 0) for verb in verbs}


def assert_told_to_its_end(stack: Stack, fleet: str, run: str) -> list[Event]:
    """Nothing of it is open, every intent has its outcome, every raise its end; give the events of the run."""
    assert not stack.is_held(fleet, run)
    mine = [event for event in stack.ledger.events(fleet=fleet, limit=1000) if event.by.run_id == run]
    intents = [event.call for event in mine if event.kind is EventKind.INTENT]
    outcomes = [event.call for event in mine if event.kind in {EventKind.APPLIED, EventKind.FAILED} and event.call]
    assert sorted(map(str, intents)) == sorted(map(str, outcomes))
    assert any("looked at the group after" in event.reason for event in mine)
    raised = {event.operation_id for event in mine if is_raise(event)}
    assert raised <= {event.operation_id for event in mine if is_conclusion(event)}
    return mine


def test_tasks_killed_before_the_answer_are_retried_and_change_once(stack: Stack) -> None:
    stack.airflow.wait_for_dags("scale_manually", "roll_back")
    stack.cloud.control("config", {"boot_seconds": 1, "health_seconds": 1, "drain_seconds": 1})
    for fleet in ("api-checkout", "web-shop"):
        stack.unschedule(fleet)  # no floor moves it meanwhile
    stack.cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web-shop", MinSize=3)
    checkout, shop = stack.desired("api-checkout"), stack.desired("web-shop")

    add = {"fleet": "api-checkout", "change": "add", "amount": 2, "reason": "a test of nerves"}
    remove = {"fleet": "web-shop", "change": "remove", "amount": 1, "reason": "a test of nerves"}
    forms = {"api-checkout": ("scale_manually", add), "web-shop": ("scale_manually", remove)}
    runs = killed_before_the_answer(stack, forms)

    assert written(stack) == {"UpdateAutoScalingGroup": 1, "TerminateInstanceInAutoScalingGroup": 1}
    assert (stack.desired("api-checkout"), stack.desired("web-shop")) == (checkout + 2, shop - 1)
    assert stack.size("web-shop") == shop - 1, "and the one that was let go is gone"
    (added, *_) = assert_told_to_its_end(stack, "api-checkout", runs["api-checkout"])
    assert_told_to_its_end(stack, "web-shop", runs["web-shop"])

    back = {"event_id": added.id, "reason": "the wrong fleet"}
    put = {"fleet": "web-shop", "change": "set", "amount": shop, "reason": "as it was"}
    runs = killed_before_the_answer(stack, {"api-checkout": ("roll_back", back), "web-shop": ("scale_manually", put)})

    assert written(stack) == {"UpdateAutoScalingGroup": 2, "TerminateInstanceInAutoScalingGroup": 0}
    assert (stack.desired("api-checkout"), stack.desired("web-shop")) == (checkout, shop)
    for fleet, run in runs.items():
        assert_told_to_its_end(stack, fleet, run)


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


@pytest.mark.parametrize(
    ("dag", "task", "form"),
    [
        ("scale_manually", "choose", {"fleet": "web-shop", "change": "add", "amount": 1, "reason": "a sale"}),
        ("apply_plans", "apply", {}),
    ],
)
def test_a_misspelt_key_is_refused_before_anything_is_done(
    stack: Stack, dag: str, task: str, form: dict[str, Any]
) -> None:
    stack.airflow.wait_for_dags(dag)
    run = stack.airflow.trigger(dag, {**form, "dryrun": True})
    assert stack.airflow.wait_for_run(dag, run)["state"] == "failed"
    assert "key 'dryrun' is unknown: did you mean dry_run?" in stack.airflow.task_log(dag, run, task)
    states = {each["task_id"]: (each["state"], each["try_number"]) for each in stack.airflow.tasks(dag, run)}
    assert states.pop(task) == ("failed", 1), "no retry mends it"
    assert {state for state, _ in states.values()} <= {"upstream_failed"}
    assert [event for event in stack.ledger.events(limit=1000) if event.by.run_id == run] == []


def test_a_number_beyond_the_fleet_file_fails_at_once_and_writes_nothing(stack: Stack) -> None:
    stack.airflow.wait_for_dags("scale_manually")
    before = stack.desired("web-shop")
    form = {"fleet": "web-shop", "change": "set", "amount": 999, "reason": "a typo"}
    run = stack.airflow.trigger("scale_manually", form)
    assert stack.airflow.wait_for_run("scale_manually", run)["state"] == "failed"
    assert "desired 999 is outside 3..20 of the fleet file" in stack.airflow.task_log("scale_manually", run, "set")
    assert stack.desired("web-shop") == before
