"""The promise: instances that do not come are sought in other zones, of other types, on demand; or all is put back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aftermath import assert_nothing_is_left
from airflow.sdk.exceptions import AirflowFailException
from arranging import a_cloud_of_four
from by_hand import Desk, a_desk, seen, sizes

from predictive_scaling.operators import RollbackOperator, ScaleOutOperator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox

EVERY = timedelta(seconds=0.05)
SPOT = "spot"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Four instances bought on demand; what is above them is Spot, of either of two types, in either of two zones."""
    with a_cloud_of_four(launch_retry_seconds=30) as cloud:
        cloud.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName="web",
            MixedInstancesPolicy={
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": {"LaunchTemplateName": "web", "Version": "$Latest"},
                    "Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "c5.large"}],
                },
                "InstancesDistribution": {
                    "OnDemandBaseCapacity": 4,
                    "OnDemandPercentageAboveBaseCapacity": 0,
                    "SpotAllocationStrategy": "price-capacity-optimized",
                },
            },
        )
        yield a_desk(cloud, tmp_path, monkeypatch)


def add(amount: int, on_failure: str = "elsewhere, on_demand, keep") -> ScaleOutOperator:
    given: dict[str, Any] = {"every": EVERY, "timeout": timedelta(minutes=2), "on_failure": on_failure}
    return ScaleOutOperator(task_id="add", fleet="web", amount=amount, reason="a sale", **given)


def newcomers(cloud: sandbox.Cloud, known: set[str]) -> list[dict[str, Any]]:
    """Give what EC2 tells of the instances that came since."""
    ids = [each.id for each in seen(cloud).instances if each.id not in known]
    found = cloud.client("ec2").describe_instances(InstanceIds=ids)["Reservations"] if ids else []
    return [instance for each in found for instance in each["Instances"]]


def ids(cloud: sandbox.Cloud) -> set[str]:
    return {each.id for each in seen(cloud).instances}


def distribution(cloud: sandbox.Cloud) -> dict[str, Any]:
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web"])[
        "AutoScalingGroups"
    ]
    found: dict[str, Any] = group["MixedInstancesPolicy"]["InstancesDistribution"]
    return found


@pytest.mark.parametrize("shortage", [{"zone": "us-east-1a"}, {"instance_type": "m5.large"}, {"instance_type": "c5.*"}])
def test_another_zone_or_type_of_the_groups_own_list_is_taken(desk: Desk, shortage: dict[str, Any]) -> None:
    known = ids(desk.cloud)
    desk.cloud.shortages.add(**shortage, purchase=SPOT)
    assert desk.carry_out(add(2, "keep"))["to"] == 6
    came = newcomers(desk.cloud, known)
    assert [each["InstanceLifecycle"] for each in came] == [SPOT, SPOT]
    if "zone" in shortage:
        assert {each["Placement"]["AvailabilityZone"] for each in came} == {"us-east-1b"}
    else:
        left = "c5.large" if shortage["instance_type"] == "m5.large" else "m5.large"
        assert {each["InstanceType"] for each in came} == {left}


def test_what_spot_does_not_give_is_bought_on_demand_and_can_be_put_back(desk: Desk) -> None:
    cloud, known = desk.cloud, ids(desk.cloud)
    cloud.shortages.add(purchase=SPOT, limit=1)
    assert desk.carry_out(add(3))["to"] == 7
    assert seen(cloud).serving_units == 7
    bought = sorted(str(each.get("InstanceLifecycle")) for each in newcomers(cloud, known))
    assert bought == ["None", "None", SPOT], "what Spot gave stays"
    assert distribution(cloud) == {
        "OnDemandBaseCapacity": 6,
        "OnDemandPercentageAboveBaseCapacity": 0,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    assert_nothing_is_left(desk.ledger)

    (mix,) = [each for each in desk.ledger.events(fleet="web") if each.after == {"on_demand": 6} and not each.error][:1]
    desk.carry_out(RollbackOperator(task_id="back", event_id=mix.id, reason="Spot is back"), run=2)
    assert distribution(cloud)["OnDemandBaseCapacity"] == 4
    assert sizes(cloud) == (2, 7, 20), "of the rest nothing goes back"


def test_what_nobody_gives_is_put_back_with_the_way_the_group_buys(desk: Desk) -> None:
    cloud, known = desk.cloud, ids(desk.cloud)
    cloud.shortages.add(purchase=SPOT)
    cloud.shortages.add(purchase="on-demand", limit=5)
    with pytest.raises(AirflowFailException, match=r"7 were asked for.*let go 1 that came; desired is 4"):
        desk.carry_out(add(3, "on_demand, rollback"))
    cloud.advance(900)
    assert ids(cloud) == known
    assert (sizes(cloud), distribution(cloud)["OnDemandBaseCapacity"]) == ((2, 4, 20), 4)
    assert_nothing_is_left(desk.ledger)


def test_a_full_spot_quota_is_answered_the_same_way_and_a_retry_buys_no_more(desk: Desk) -> None:
    cloud = desk.cloud
    cloud.configure(standard_spot_vcpus=0)
    desk.carry_out(add(2))
    desk.carry_out(add(2), attempt=2)
    assert (sizes(cloud), distribution(cloud)["OnDemandBaseCapacity"]) == ((2, 6, 20), 6)
