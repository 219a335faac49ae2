"""The promise, in Airflow itself: an apply task that is killed in the middle of a write is retried and converges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from killing import kill_during_the_write

from demo.cycle import await_cycle
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from deployment import Stack


# The chain is told on every database; both moments on the one of production.
@pytest.mark.parametrize(
    ("stack", "took_effect"),
    [("sqlite", True), ("postgres", False), ("postgres", True)],
    indirect=["stack"],
    ids=["sqlite, after the call", "postgres, after the intent", "postgres, after the call"],
)
def test_its_retry_converges(stack: Stack, took_effect: bool) -> None:  # noqa: FBT001 - a parameter of the story
    await_cycle(stack.airflow)
    # Another story may have taken plans back: what other fleets still had to write would meet the faults first.
    stack.airflow.wait_for_run("apply_plans", stack.airflow.trigger("apply_plans"))
    wanted = stack.floors("web-shop")
    stack.unschedule("web-shop")
    slow = {"service": "autoscaling", "operation": "BatchPut.*", "latency": 8.0}
    stack.cloud.control("faults", slow if took_effect else {**slow, "error": "InternalFailure", "status": 500})

    run = stack.airflow.trigger("apply_plans")
    kill_during_the_write(stack, "web-shop", run)
    stack.cloud.clear_faults()
    ended = stack.airflow.wait_for_run("apply_plans", run)

    assert ended["state"] == "success"
    (task,) = stack.airflow.tasks("apply_plans", run)
    assert task["try_number"] == 2
    assert set(stack.floors("web-shop").values()) >= set(wanted.values()) - {None}
    assert not stack.is_held("web-shop", run)
    mine = [event for event in stack.ledger.events(fleet="web-shop", limit=1000) if event.by.run_id == run]
    assert sum(event.kind is EventKind.INTENT for event in mine) == sum(
        event.kind in {EventKind.APPLIED, EventKind.FAILED} and event.call is not None for event in mine
    )
    assert "looked at the group after apply_plans.apply" in " ".join(event.reason for event in mine)
