"""The promise: of two deployments on one group one writes, by plan or by hand, and the other is told who holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from arranging import a_cloud_of_four
from by_hand import FLEET_FILE, Desk, a_desk, sizes, the_fleet
from telling import MONDAY, a_fleet, a_ledger, a_plan, a_turn, an_order, carry_out, floors, writes

from predictive_scaling.errors import NotAllowed
from predictive_scaling.fleet_spec import Ownership
from predictive_scaling.fleets import HELD_BY
from predictive_scaling.operators import RollbackOperator, ScaleInOperator, ScaleOutOperator, SetCapacityOperator
from predictive_scaling.ownership import Claim, hold
from predictive_scaling.permission import May, Permission
from predictive_scaling.schedule import Naming
from predictive_scaling.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.store import SqlLedger

PLAN = Permission(May.PLAN)
BY_HAND = [
    ScaleOutOperator(task_id="add", fleet="web", amount=1, reason="a sale"),
    ScaleInOperator(task_id="remove", fleet="web", amount=1, reason="it is over"),
    SetCapacityOperator(task_id="set", fleet="web", desired=6, reason="a test"),
]


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


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A person's desk in the deployment blue."""
    with a_cloud_of_four() as cloud:
        be(monkeypatch, "blue")
        yield a_desk(cloud, tmp_path, monkeypatch)


def be(monkeypatch: pytest.MonkeyPatch, deployment: str) -> None:
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__DEPLOYMENT", deployment)


def set_to(desired: int, **options: Any) -> SetCapacityOperator:
    return SetCapacityOperator(task_id="set", fleet="web", desired=desired, reason="a test", **options)


@pytest.mark.parametrize("operator", BY_HAND, ids=lambda operator: operator.task_id)
def test_a_hand_of_another_deployment_is_refused_before_any_intent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, operator: Any
) -> None:
    desk.carry_out(set_to(5))
    assert the_fleet(desk.cloud).observe().tags[HELD_BY] == "blue"
    before = desk.ledger.events(fleet="web")
    be(monkeypatch, "green")
    with pytest.raises(AirflowFailException, match=r"deployment 'blue' holds the group, and we are 'green'.*take_over"):
        desk.carry_out(operator, run=2)
    assert sizes(desk.cloud) == (2, 5, 20)
    assert desk.ledger.events(fleet="web") == before, "not even an intent"


def test_what_another_holds_by_now_is_not_rolled_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.carry_out(set_to(5))
    (event, *_) = desk.ledger.events(fleet="web")
    be(monkeypatch, "green")
    undo = RollbackOperator(task_id="back", event_id=event.id, reason="a mistake", force=True)
    with pytest.raises(AirflowFailException, match="deployment 'blue' holds the group"):
        desk.carry_out(undo, run=2)
    assert sizes(desk.cloud) == (2, 5, 20)


def test_whoever_takes_over_holds_it_from_then_on(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    desk.carry_out(set_to(5))
    be(monkeypatch, "green")
    (tmp_path / "fleets" / "web.yaml").write_text(f"{FLEET_FILE}ownership: take_over\n")
    desk.carry_out(set_to(6), run=2)
    be(monkeypatch, "blue")
    (tmp_path / "fleets" / "web.yaml").write_text(FLEET_FILE)
    with pytest.raises(AirflowFailException, match="deployment 'green' holds the group"):
        desk.carry_out(set_to(7), run=3)
    assert sizes(desk.cloud) == (2, 6, 20)


def test_a_claim_costs_one_write_in_the_life_of_a_group_and_what_writes_nothing_claims_nothing(desk: Desk) -> None:
    desk.carry_out(set_to(5, only_plan=True))
    with pytest.raises(AirflowFailException, match="outside"):
        desk.carry_out(set_to(99), run=2)
    assert HELD_BY not in the_fleet(desk.cloud).observe().tags
    desk.cloud.faults.forget_calls()
    for run, size in enumerate((5, 6, 7), start=3):
        desk.carry_out(set_to(size), run=run)
    assert desk.cloud.calls()["autoscaling.CreateOrUpdateTags"] == 1


def test_before_the_first_write_awss_own_predictive_policy_is_named_and_stops_it(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
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
    blue = Deployment("blue", cloud, tmp_path)
    with pytest.raises(NotAllowed, match="native predictive policy 'acts' scales the group too") as refused:
        blue.acts(5)
    assert "'looks'" not in str(refused.value), "what only forecasts is no rival"
    assert (floors(cloud), HELD_BY in a_fleet(cloud).observe().tags) == ({}, False)

    autoscaling.delete_policy(AutoScalingGroupName="web", PolicyName="acts")
    cloud.faults.forget_calls()
    blue.acts(5)
    blue.acts(6)
    assert cloud.calls()["autoscaling.DescribePolicies"] == 1, "once in the life of a group"
