"""The promise: with exactly the permissions we ask for, and IAM enforced, the product works; one less is named."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from rights import a_user, client_of, connect_with
from telling import MONDAY, a_ledger, a_plan, a_turn, an_order, carry_out, floors, writes

from demo.local_airflow import ROOT
from forecasting import Policy
from predictive_scaling.aws_client import client
from predictive_scaling.errors import PredictiveScalingError
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.fleets import HELD_BY
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.metric import Metric
from predictive_scaling.ownership import Claim, hold
from predictive_scaling.permission import May, Permission
from predictive_scaling.schedule import Naming
from predictive_scaling.settle import settle
from predictive_scaling.sources import Request
from predictive_scaling.sources.cloudwatch import CloudWatchSource
from predictive_scaling.triggers import fleet as triggers

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.store import SqlLedger

AUTO = json.loads((ROOT / "include" / "iam" / "auto.json").read_text())
OBSERVE = json.loads((ROOT / "include" / "iam" / "observe.json").read_text())
ACTIONS = sorted({action for statement in AUTO["Statement"] for action in statement["Action"]})


def less(action: str) -> list[str]:
    """Give both policies without one action."""
    return [
        json.dumps({**policy, "Statement": [_less(action, each) for each in policy["Statement"]]})
        for policy in (OBSERVE, AUTO)
    ]


def _less(action: str, statement: dict[str, list[str]]) -> dict[str, object]:
    return {**statement, "Action": [name for name in statement["Action"] if name != action]}


def enforced(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch, policies: list[str]) -> AutoScalingFleet:
    """Be a user with these policies alone; give the group as the user reaches it."""
    keys = a_user(cloud, "product", policies)
    connect_with(keys, cloud, monkeypatch)
    cloud.faults.forget_calls()
    return AutoScalingFleet(client_of(cloud, "autoscaling", keys), "web")


def an_hour(fleet: AutoScalingFleet, ledger: SqlLedger) -> None:
    """Pull, claim, write a plan, write another that takes some of it back, and look at the activities."""
    web = FleetSpec(name="web", group="web", metric=Metric(namespace="A", name="B"), policy=Policy(1, 9, 100.0))
    read = CloudWatchSource().read([Request(fleet=web, since=MONDAY - timedelta(hours=1))], until=MONDAY)
    if read.problems:
        raise PredictiveScalingError(read.problems["web"])
    claim = Claim(deployment="blue", naming=Naming("ps", "web"))
    hold(fleet, settle("web", fleet, ledger, a_turn()), claim, Permission(May.PLAN), now=MONDAY)
    carry_out(an_order(a_plan(5, 9)), fleet, ledger)
    carry_out(an_order(a_plan(5), a_turn(run=2)), fleet, ledger)
    fleet.activities()


def test_an_hour_with_exactly_what_we_ask_for(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, ledger = enforced(cloud, monkeypatch, less("")), a_ledger(tmp_path)
    an_hour(fleet, ledger)
    assert floors(cloud) == {"09:00": 5, "10:00": 2}
    assert fleet.observe().tags[HELD_BY] == "blue"
    assert ledger.open_operation("web") is None


@pytest.mark.parametrize("action", ACTIONS)
def test_one_action_less_is_refused_by_its_name(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    fleet, ledger = enforced(cloud, monkeypatch, less(action)), a_ledger(tmp_path)
    with pytest.raises(PredictiveScalingError, match=f"is not authorized to perform: {action}"):
        an_hour(fleet, ledger)
    assert ledger.open_operation("web") is None, "refused is certain: nothing stays open"


def test_a_group_that_is_not_marked_is_out_of_reach(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, ledger = enforced(cloud, monkeypatch, less("")), a_ledger(tmp_path)
    tag = {"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "predictive-scaling"}
    cloud.client("autoscaling").delete_tags(Tags=[tag])
    with pytest.raises(PredictiveScalingError, match="autoscaling:CreateOrUpdateTags"):
        an_hour(fleet, ledger)
    assert (floors(cloud), writes(cloud)) == ({}, 1), "it was asked once, and refused"


def test_a_role_is_asked_for_where_the_connection_points_and_nowhere_else(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = cloud.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}})
    role = iam.create_role(RoleName="product", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="product", PolicyName="auto", PolicyDocument=json.dumps(AUTO))
    keys = a_user(cloud, "airflow", [trust.replace("}}", ', "Resource": "*"}}')])
    connect_with(keys, cloud, monkeypatch, role_arn=role)

    fleet = AutoScalingFleet(client("autoscaling", connection="aws_default", region=None), "web")
    an_hour(fleet, a_ledger(tmp_path))
    assert floors(cloud) == {"09:00": 5, "10:00": 2}

    async def from_the_triggerer() -> int:
        async with AsyncExitStack() as stack:
            autoscaling = await triggers.opened("autoscaling", stack, connection="aws_default", region=None)
            return len((await autoscaling.describe_auto_scaling_groups())["AutoScalingGroups"])

    assert asyncio.run(from_the_triggerer()) == 1
    assert cloud.calls()["sts.AssumeRole"] >= 2
