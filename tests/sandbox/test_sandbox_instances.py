"""Instances in time: they boot, become healthy, drain and go, and every step leaves an activity."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud


def instances(cloud: Cloud, name: str = "web") -> list[dict[str, Any]]:
    answer = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return list(answer["AutoScalingGroups"][0]["Instances"])


def states(cloud: Cloud) -> dict[str, int]:
    return dict(Counter(instance["LifecycleState"] for instance in instances(cloud)))


def health(cloud: Cloud, target_group: str | None) -> dict[str, int]:
    answer = cloud.client("elbv2").describe_target_health(TargetGroupArn=target_group)
    return dict(Counter(target["TargetHealth"]["State"] for target in answer["TargetHealthDescriptions"]))


def activities(cloud: Cloud, **request: Any) -> list[dict[str, Any]]:
    return list(cloud.client("autoscaling").describe_scaling_activities(**request)["Activities"])


def set_desired(cloud: Cloud, desired: int) -> None:
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=desired)


def test_the_life_of_a_fleet_from_a_scheduled_rise_to_a_drained_fall(cloud: Cloud) -> None:
    target_group = cloud.create_fleet("web", max_size=5, desired=1, balanced=True)
    cloud.advance(140)
    assert (states(cloud), health(cloud, target_group)) == ({"InService": 1}, {"healthy": 1})
    for name, minutes, desired in (("up", 10, 3), ("down", 20, 1)):
        cloud.client("autoscaling").put_scheduled_update_group_action(
            AutoScalingGroupName="web",
            ScheduledActionName=name,
            StartTime=cloud.now() + timedelta(minutes=minutes),
            DesiredCapacity=desired,
        )
    story = []
    for seconds in (599, 1, 119, 1, 19, 1, 460, 59, 1):
        cloud.advance(seconds)
        story.append((states(cloud), health(cloud, target_group)))
    assert story == [
        ({"InService": 1}, {"healthy": 1}),
        ({"InService": 1, "Pending": 2}, {"healthy": 1}),
        ({"InService": 1, "Pending": 2}, {"healthy": 1}),
        ({"InService": 3}, {"healthy": 1, "initial": 2}),
        ({"InService": 3}, {"healthy": 1, "initial": 2}),
        ({"InService": 3}, {"healthy": 3}),
        ({"InService": 1, "Terminating": 2}, {"healthy": 1, "draining": 2}),
        ({"InService": 1, "Terminating": 2}, {"healthy": 1, "draining": 2}),
        ({"InService": 1}, {"healthy": 1}),
    ]


def test_an_activity_tells_why_and_from_when_to_when(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(120)
    set_desired(cloud, 2)
    begun = activities(cloud, AutoScalingGroupName="web")[0]
    assert begun["StatusCode"] == "InProgress"
    assert "EndTime" not in begun
    assert begun["Cause"] == (
        "At 2026-01-05T08:02:00Z a user request explicitly set group desired capacity changing the desired capacity "
        "from 1 to 2.  At 2026-01-05T08:02:00Z an instance was started in response to a difference between desired "
        "and actual capacity, increasing the capacity from 1 to 2."
    )
    cloud.advance(120)
    (ended,) = activities(cloud, ActivityIds=[begun["ActivityId"]])
    assert (ended["StatusCode"], ended["Progress"]) == ("Successful", 100)
    assert ended["EndTime"] - ended["StartTime"] == timedelta(seconds=120)


def test_a_scheduled_rise_and_a_fall_name_their_causes(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=4)
    cloud.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName="web", ScheduledActionName="ps-web", StartTime="2026-01-05T08:05:00Z", MinSize=2
    )
    cloud.advance(300)
    launch, _, run = activities(cloud)
    assert run["Description"] == "Executing scheduled action ps-web"
    assert run["Cause"] == "At 2026-01-05T08:05:00Z the scheduled action ps-web executed. Setting min size from 0 to 2."
    assert "a scheduled action update of AutoScalingGroup constraints to min: 2, max: 4, desired: 2" in launch["Cause"]
    cloud.advance(300)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MinSize=0, DesiredCapacity=1)
    fall = activities(cloud)[0]
    assert "shrinking the capacity from 2 to 1" in fall["Cause"]
    assert "was selected for termination" in fall["Cause"]


def test_activities_come_newest_first_in_pages(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=9)
    for desired in range(1, 6):
        set_desired(cloud, desired)
        cloud.advance(1)
    paginator = cloud.client("autoscaling").get_paginator("describe_scaling_activities")
    pages = list(paginator.paginate(AutoScalingGroupName="web", PaginationConfig={"PageSize": 2}))
    assert [len(page["Activities"]) for page in pages] == [2, 2, 1]
    times = [activity["StartTime"] for page in pages for activity in page["Activities"]]
    assert times == sorted(times, reverse=True)


def test_the_boot_time_varies_within_the_jitter_and_repeats_with_the_seed(cloud: Cloud) -> None:
    def boot_times() -> list[float]:
        cloud.configure(boot_seconds=100, boot_jitter=0.5, seed=7)
        cloud.create_fleet("web", max_size=20, desired=20)
        cloud.advance(200)
        return sorted((a["EndTime"] - a["StartTime"]).total_seconds() for a in activities(cloud))

    first = boot_times()
    assert 50 <= first[0] < first[-1] <= 150
    cloud.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    cloud.client("ec2").delete_launch_template(LaunchTemplateName="web")
    assert boot_times() == first


def test_a_suspended_launch_waits_for_its_resumption(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    set_desired(cloud, 2)
    assert states(cloud) == {}
    autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    assert states(cloud) == {"Pending": 2}


def test_a_scale_in_spares_protected_instances(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=3)
    cloud.advance(120)
    spared = [instance["InstanceId"] for instance in instances(cloud)][:2]
    cloud.client("autoscaling").set_instance_protection(
        AutoScalingGroupName="web", InstanceIds=spared, ProtectedFromScaleIn=True
    )
    set_desired(cloud, 0)
    assert [instance["InstanceId"] for instance in instances(cloud)] == spared


def test_an_instance_that_never_booted_is_cancelled(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    set_desired(cloud, 0)
    cloud.advance(300)
    assert states(cloud) == {}
    assert [activity["StatusCode"] for activity in activities(cloud)] == ["Successful", "Cancelled"]


def test_an_instance_terminated_in_ec2_is_replaced(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(120)
    (lost,) = instances(cloud)
    cloud.client("ec2").terminate_instances(InstanceIds=[lost["InstanceId"]])
    (new,) = instances(cloud)
    assert new["InstanceId"] != lost["InstanceId"]
    assert new["LifecycleState"] == "Pending"


def test_one_instance_can_be_terminated_with_or_without_replacement(cloud: Cloud) -> None:
    cloud.create_fleet("web", min_size=1, desired=2)
    cloud.advance(120)
    first, second = (instance["InstanceId"] for instance in instances(cloud))
    autoscaling = cloud.client("autoscaling")
    autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    assert states(cloud) == {"InService": 1}
    with pytest.raises(ClientError, match="min size constraint"):
        autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    answer = autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=second, ShouldDecrementDesiredCapacity=False
    )
    assert answer["Activity"]["Description"] == f"Terminating EC2 instance: {second}"
    assert states(cloud) == {"Pending": 1}
    with pytest.raises(ClientError, match="No managed instance found for instance ID: i-0"):
        autoscaling.terminate_instance_in_auto_scaling_group(InstanceId="i-0", ShouldDecrementDesiredCapacity=True)


def test_an_instance_on_standby_leaves_the_target_group(cloud: Cloud) -> None:
    target_group = cloud.create_fleet("web", desired=2, balanced=True)
    cloud.advance(200)
    chosen = instances(cloud)[0]["InstanceId"]
    cloud.client("autoscaling").enter_standby(
        AutoScalingGroupName="web", InstanceIds=[chosen], ShouldDecrementDesiredCapacity=True
    )
    assert states(cloud) == {"Standby": 1, "InService": 1}
    assert health(cloud, target_group) == {"healthy": 1, "draining": 1}


def test_instances_carry_virtual_launch_times(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    (reservation,) = cloud.client("ec2").describe_instances()["Reservations"]
    assert reservation["Instances"][0]["LaunchTime"] == cloud.now()


def test_a_target_registered_by_hand_becomes_healthy_and_drains(cloud: Cloud) -> None:
    elbv2 = cloud.client("elbv2")
    vpc = cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    group = elbv2.create_target_group(Name="by-hand", Protocol="HTTP", Port=80, TargetType="ip", VpcId=vpc)
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    targets = [{"Id": "10.0.0.7", "Port": 80}]
    elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
    assert health(cloud, arn) == {"initial": 1}
    cloud.advance(20)
    assert health(cloud, arn) == {"healthy": 1}
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=[*targets, {"Id": "10.0.0.8"}])
    assert health(cloud, arn) == {"draining": 1}
    cloud.advance(60)
    assert health(cloud, arn) == {}
