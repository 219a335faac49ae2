"""The permissions we ask for to scale by hand are exactly the calls we make: none missing, none to spare."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from by_hand import a_desk, at_work, the_fleet
from rights import marked

import sandbox
from demo.local_airflow import ROOT
from predictive_scaling.change import change
from predictive_scaling.fleets import ScheduledAction
from predictive_scaling.operators import InventoryOperator, RollbackOperator, ScaleInOperator, ScaleOutOperator
from predictive_scaling.workplace import Move

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

IAM_NAMES = {"elbv2": "elasticloadbalancing"}


def test_scaling_by_hand_needs_what_its_policy_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements = json.loads((ROOT / "include" / "iam" / "scale.json").read_text())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    with sandbox.running() as cloud:
        cloud.create_fleet("web", min_size=2, max_size=20, desired=3, balanced=True)
        marked(cloud)
        cloud.advance(900)
        desk = a_desk(cloud, tmp_path, monkeypatch)
        cloud.faults.forget_calls()
        every = timedelta(seconds=0.05)
        desk.carry_out(ScaleOutOperator(task_id="add", fleet="web", amount=1, reason="x", every=every))
        desk.carry_out(ScaleInOperator(task_id="remove", fleet="web", amount=1, reason="x", every=every))
        InventoryOperator(task_id="list").execute({})
        the_fleet(cloud).policies()  # as a reaction does before its first write
        action = ScheduledAction(name="a", start=cloud.now() + timedelta(days=1), min_size=3)
        put = Move(
            call="put 1 of 1",
            reason="x",
            before={},
            after={"a": action.as_json()},
            send=lambda fleet: fleet.put([action]),
        )
        operation = change("apply_plan", [put], at_work(the_fleet(cloud), desk.ledger)).operation_id
        desk.carry_out(RollbackOperator(task_id="back", operation_id=operation, reason="x"), run=2)
        made = {_iam_name(call) for call in cloud.calls()}
    assert made == allowed


def _iam_name(call: str) -> str:
    service, operation = call.split(".")
    return f"{IAM_NAMES.get(service, service)}:{operation}"
