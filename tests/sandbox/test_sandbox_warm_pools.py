"""Warm pools: filled ahead, quick to start, and cold again when they are empty."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud


def group(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0])


def states(cloud: Cloud) -> dict[str, int]:
    return dict(Counter(instance["LifecycleState"] for instance in group(cloud)["Instances"]))


def pool(cloud: Cloud) -> dict[str, int]:
    answer = cloud.client("autoscaling").describe_warm_pool(AutoScalingGroupName="web")
    return dict(Counter(instance["LifecycleState"] for instance in answer["Instances"]))


def put_pool(cloud: Cloud, **request: Any) -> None:
    cloud.client("autoscaling").put_warm_pool(AutoScalingGroupName="web", **request)


def set_desired(cloud: Cloud, desired: int) -> None:
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=desired)


def test_a_pool_is_as_large_as_the_group_could_still_grow(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=5, desired=2)
    put_pool(cloud)
    assert pool(cloud) == {"Warmed:Pending": 3}
    cloud.advance(120)
    assert pool(cloud) == {"Warmed:Stopped": 3}
    assert (group(cloud)["WarmPoolSize"], states(cloud)) == (3, {"InService": 2})
    assert group(cloud)["WarmPoolConfiguration"]["PoolState"] == "Stopped"


@pytest.mark.parametrize(
    ("request_", "size"),
    [({"MaxGroupPreparedCapacity": 4}, 2), ({"MaxGroupPreparedCapacity": 3, "MinSize": 2}, 2), ({"MinSize": 9}, 9)],
)
def test_the_prepared_capacity_and_the_minimum_set_the_size(cloud: Cloud, request_: dict[str, Any], size: int) -> None:
    cloud.create_fleet("web", max_size=5, desired=2)
    put_pool(cloud, **request_)
    assert sum(pool(cloud).values()) == size


def test_an_instance_from_the_pool_serves_sooner_and_the_next_one_boots_cold(cloud: Cloud) -> None:
    cloud.configure(warm_boot_seconds=30)
    cloud.create_fleet("web", max_size=9)
    put_pool(cloud, MaxGroupPreparedCapacity=1)
    cloud.advance(120)
    set_desired(cloud, 2)
    assert (states(cloud), pool(cloud)) == ({"Pending": 2}, {})
    cloud.advance(30)
    assert states(cloud) == {"InService": 1, "Pending": 1}
    cloud.advance(90)
    assert states(cloud) == {"InService": 2}
    descriptions = [
        activity["Description"].rsplit(":", 1)[0]
        for activity in cloud.client("autoscaling").describe_scaling_activities()["Activities"]
    ]
    assert sorted(descriptions) == [
        "Launching a new EC2 instance",
        "Launching a new EC2 instance from warm pool",
        "Launching a new EC2 instance into warm pool",
    ]


def test_a_stopped_pool_does_not_run_and_a_running_one_does(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=2)
    put_pool(cloud, PoolState="Running")
    cloud.advance(120)
    assert pool(cloud) == {"Warmed:Running": 2}
    cloud.client("autoscaling").delete_warm_pool(AutoScalingGroupName="web", ForceDelete=True)
    assert pool(cloud) == {}
    put_pool(cloud)
    cloud.advance(120)
    ids = [
        each["InstanceId"]
        for each in cloud.client("autoscaling").describe_auto_scaling_instances()["AutoScalingInstances"]
    ]
    reservations = cloud.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
    assert {each["Instances"][0]["State"]["Name"] for each in reservations} == {"stopped"}


def test_a_pool_grows_back_when_the_group_shrinks(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=3, desired=3)
    put_pool(cloud)
    cloud.advance(120)
    assert pool(cloud) == {}
    set_desired(cloud, 1)
    assert pool(cloud) == {"Warmed:Pending": 2}


def test_a_deleted_group_leaves_nothing_running(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=3, desired=1)
    put_pool(cloud)
    cloud.advance(120)
    cloud.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    reservations = cloud.client("ec2").describe_instances()["Reservations"]
    assert {each["Instances"][0]["State"]["Name"] for each in reservations} == {"terminated"}


def test_an_unknown_pool_state_is_refused(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    with pytest.raises(ClientError, match="PoolState Lukewarm"):
        put_pool(cloud, PoolState="Lukewarm")
