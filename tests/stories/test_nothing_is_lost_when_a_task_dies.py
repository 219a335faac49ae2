"""The promise: whatever moment a task dies at, the next one converges. No doubled action, no lost row."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aftermath import assert_every_intent_has_one_certain_outcome
from dying import APPLY, die
from rights import ONCE, REGION
from telling import (
    NINE,
    PATIENCE,
    a_fleet,
    a_ledger,
    a_plan,
    a_turn,
    an_order,
    carry_out,
    floors,
    told,
)

from predictive_scaling.errors import CloudUnavailable, FleetBusy, OutcomeUnknown
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.store import SqlLedger

MANY = [3 + hour % 4 for hour in range(60)]
"""Enough steps for two batches."""
MOMENTS = [
    "before:put:1",
    "after:put:1",
    "before:put:2",
    "after:put:2",
    "before:delete:1",
    "after:delete:1",
    "before:observe:2",
    "after:observe:2",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_retry_converges_after_a_kill(cloud: sandbox.Cloud, tmp_path: Path, moment: str) -> None:
    ledger = a_ledger(tmp_path)
    yesterdays = a_plan(5, 7, first=NINE + timedelta(minutes=30))
    carry_out(an_order(yesterdays, a_turn(run=0)), a_fleet(cloud), ledger)
    later = [*MANY, 9]
    die(cloud, tmp_path, moment, APPLY, *later)
    left_open = ledger.open_operation("web")
    assert left_open is not None, "the intent was durable"

    carry_out(an_order(a_plan(*later), a_turn(run=1, attempt=2)), a_fleet(cloud), ledger)

    wanted = {(step.at.isoformat(), step.capacity) for step in a_plan(*later).steps[1:]}
    actions = a_fleet(cloud).observe().actions
    assert {(action.start.isoformat(), action.min_size) for action in actions if action.start} == wanted
    assert len(actions) == len(wanted), "no action is doubled"
    assert_every_intent_has_one_certain_outcome(ledger)


def test_a_kill_before_anything_was_intended_leaves_nothing(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    die(cloud, tmp_path, "after:observe:1", APPLY, 5)
    assert told(a_ledger(tmp_path)) == []
    assert floors(cloud) == {}


def test_a_call_that_timed_out_without_effect_is_found_missing_and_made_again(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger = a_ledger(tmp_path)
    slow = cloud.faults.add(
        service="autoscaling", operation="BatchPut.*", error="InternalFailure", status=500, latency=4.0
    )
    assert slow.latency == 4.0
    with pytest.raises(OutcomeUnknown, match="no answer from AWS"):
        carry_out(an_order(a_plan(5)), a_fleet(cloud, read_timeout=1.5), ledger)
    cloud.faults.clear()

    carry_out(an_order(a_plan(5), a_turn(attempt=2)), a_fleet(cloud), ledger)

    assert told(ledger) == ["intent", "unknown", "failed", "intent", "applied"]
    assert floors(cloud) == {"09:00": 5, "10:00": 2}


def test_another_run_waits_for_an_open_operation_and_settles_it_once_it_is_old(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    ledger = a_ledger(tmp_path)
    die(cloud, tmp_path, "after:put:1", APPLY, 5)

    soon = a_turn(run=2, later=timedelta(minutes=1))
    with pytest.raises(FleetBusy):
        carry_out(an_order(a_plan(6), soon), a_fleet(cloud), ledger)
    real_age = a_turn(run=2, later=_since_opened(ledger) + PATIENCE)
    carry_out(an_order(a_plan(5), real_age), a_fleet(cloud), ledger)

    assert told(ledger) == ["intent", "applied"]
    assert ledger.open_operation("web") is None


def test_a_cloud_that_is_down_changes_nothing_and_says_so(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "region_name": REGION,
        "config": ONCE,
        "aws_access_key_id": "x",
        "aws_secret_access_key": "y",
    }
    down = boto3.client("autoscaling", endpoint_url="http://127.0.0.1:9", **options)
    ledger = a_ledger(tmp_path)
    with pytest.raises(CloudUnavailable, match=r"describing group web: AWS cannot be reached"):
        carry_out(an_order(a_plan(5)), AutoScalingFleet(down, "web"), ledger)
    assert told(ledger) == []


def _since_opened(ledger: SqlLedger) -> timedelta:
    """Ledgers stamp real time, stories stand on a Monday in January."""
    from telling import MONDAY

    held = ledger.open_operation("web")
    assert held is not None
    assert held.opened_at is not None
    return held.opened_at - MONDAY
