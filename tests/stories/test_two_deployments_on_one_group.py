"""Two deployments, each with a ledger of its own, on one group: one writes, the other is told who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telling import MONDAY, a_fleet, a_ledger, a_plan, a_turn, an_order, carry_out, floors, writes

from predictive_scaling.errors import NotAllowed
from predictive_scaling.fleet_spec import Ownership
from predictive_scaling.fleets import HELD_BY
from predictive_scaling.ownership import Claim, hold, judge_policies
from predictive_scaling.permission import May, Permission
from predictive_scaling.schedule import Naming
from predictive_scaling.settle import settle

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.store import SqlLedger

PLAN = Permission(May.PLAN)


class Deployment:
    """One of two that were both told to steer the group `web`."""

    def __init__(self, name: str, cloud: sandbox.Cloud, folder: Path) -> None:
        (folder / name).mkdir()
        self.name, self.cloud = name, cloud
        self.ledger: SqlLedger = a_ledger(folder / name)

    def acts(self, *capacities: int, how: Ownership = Ownership.REFUSE) -> tuple[str, ...]:
        """Take a turn: look, make sure that the group is ours, write."""
        fleet = a_fleet(self.cloud)
        claim = Claim(deployment=self.name, naming=Naming("ps", "web"), how=how)
        observed = settle("web", fleet, self.ledger, a_turn())
        held = hold(fleet, observed, claim, PLAN, now=MONDAY)
        carry_out(an_order(a_plan(*capacities), write=held.permitted.may is May.PLAN), fleet, self.ledger)
        return held.notes


def test_one_writes_and_the_other_is_told_who_holds_it(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    blue, green = Deployment("blue", cloud, tmp_path), Deployment("green", cloud, tmp_path)
    blue.acts(5, 6)
    written, calls = floors(cloud), writes(cloud)
    with pytest.raises(NotAllowed) as refused:
        green.acts(9)
    assert "fleet web: the group is not ours alone: deployment 'blue' holds the group" in str(refused.value)
    assert f"remove the group's tag {HELD_BY}" in str(refused.value)
    assert green.acts(9, how=Ownership.YIELD)
    assert (floors(cloud), writes(cloud)) == (written, calls), "nothing was written"
    assert not green.ledger.events(fleet="web")[1:], "it remembers what it would have done, once"

    green.acts(9, how=Ownership.TAKE_OVER)
    with pytest.raises(NotAllowed, match="deployment 'green' holds the group"):
        blue.acts(5, 6)
    assert floors(cloud) == {"09:00": 9, "10:00": 2}


def test_the_claim_costs_one_write_in_the_life_of_a_group(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    blue = Deployment("blue", cloud, tmp_path)
    blue.acts(5)
    blue.acts(6)
    assert cloud.calls()["autoscaling.CreateOrUpdateTags"] == 1


def test_a_closer_look_finds_the_policies(cloud: sandbox.Cloud) -> None:
    autoscaling = cloud.client("autoscaling")
    autoscaling.put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
            "TargetValue": 50,
        },
    )
    specification = {
        "TargetValue": 50,
        "PredefinedMetricPairSpecification": {"PredefinedMetricType": "ASGCPUUtilization"},
    }
    for name, mode in (("looks", "ForecastOnly"), ("acts", "ForecastAndScale")):
        autoscaling.put_scaling_policy(
            AutoScalingGroupName="web",
            PolicyName=name,
            PolicyType="PredictiveScaling",
            PredictiveScalingConfiguration={"MetricSpecifications": [specification], "Mode": mode},
        )
    policies = a_fleet(cloud).policies()
    assert {policy.name for policy in policies} == {"cpu", "looks", "acts"}
    (rival,) = judge_policies(policies)
    assert "'acts'" in rival.what
