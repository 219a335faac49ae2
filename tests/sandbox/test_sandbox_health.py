"""Instances that go: chosen by policy, called unhealthy, killed, or taken back by EC2."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud


def instances(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"])


def ids(cloud: Cloud) -> list[str]:
    return [instance["InstanceId"] for instance in instances(cloud)]


def states(cloud: Cloud) -> dict[str, int]:
    return dict(Counter(instance["LifecycleState"] for instance in instances(cloud)))


def causes(cloud: Cloud) -> str:
    activities = cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    return " ".join(activity["Cause"] for activity in activities)


def update(cloud: Cloud, **changes: Any) -> None:
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", **changes)


def set_desired(cloud: Cloud, desired: int) -> None:
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=desired)


def call_unhealthy(cloud: Cloud, instance_id: str, **more: Any) -> None:
    cloud.client("autoscaling").set_instance_health(InstanceId=instance_id, HealthStatus="Unhealthy", **more)


def order(cloud: Cloud, verb: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = requests.post(f"{cloud.url}/_sandbox/{verb}", json=body, timeout=10)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(("policy", "kept"), [("OldestInstance", [2, 3]), ("NewestInstance", [0, 1])])
def test_the_termination_policy_chooses_within_the_fullest_zone(cloud: Cloud, policy: str, kept: list[int]) -> None:
    cloud.create_fleet("web")
    update(cloud, TerminationPolicies=[policy])
    for desired in (1, 2, 3, 4):
        set_desired(cloud, desired)
        cloud.advance(60)
    before = ids(cloud)
    set_desired(cloud, 2)
    assert ids(cloud) == [before[number] for number in kept]


def test_the_oldest_launch_template_leaves_first(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    template = {"LaunchTemplateName": "web", "Version": "$Latest"}
    update(cloud, TerminationPolicies=["OldestLaunchTemplate"], LaunchTemplate=template)
    cloud.client("ec2").create_launch_template_version(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "c6i.large"}
    )
    set_desired(cloud, 2)
    set_desired(cloud, 1)
    assert [instance["InstanceType"] for instance in instances(cloud)] == ["c6i.large"]


def test_a_scale_in_waits_for_the_deregistration_delay_of_the_target_group(cloud: Cloud) -> None:
    target_group = cloud.create_fleet("web", desired=1, balanced=True)
    cloud.advance(200)
    elbv2 = cloud.client("elbv2")
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "240"}
    elbv2.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=[delay])
    assert delay in elbv2.describe_target_group_attributes(TargetGroupArn=target_group)["Attributes"]
    set_desired(cloud, 0)
    cloud.advance(239)
    assert states(cloud) == {"Terminating": 1}
    cloud.advance(1)
    assert states(cloud) == {}


def test_an_unhealthy_instance_is_replaced(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(600)
    (sick,) = ids(cloud)
    call_unhealthy(cloud, sick)
    (fresh,) = instances(cloud)
    assert (fresh["InstanceId"] != sick, fresh["LifecycleState"]) == (True, "Pending")
    assert "an instance was taken out of service in response to a user health-check." in causes(cloud)


def test_a_young_instance_is_left_alone_for_the_grace_period(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    update(cloud, HealthCheckGracePeriod=300)
    cloud.advance(120 + 299)
    (sick,) = ids(cloud)
    call_unhealthy(cloud, sick)
    assert ids(cloud) == [sick]
    assert instances(cloud)[0]["HealthStatus"] == "Healthy"
    call_unhealthy(cloud, sick, ShouldRespectGracePeriod=False)
    assert ids(cloud) != [sick]


def test_a_suspended_replacement_waits_for_its_resumption(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(600)
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["ReplaceUnhealthy"])
    (sick,) = instances(cloud)
    call_unhealthy(cloud, sick["InstanceId"])
    assert [(each["InstanceId"], each["HealthStatus"]) for each in instances(cloud)] == [
        (sick["InstanceId"], "Unhealthy")
    ]
    autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["ReplaceUnhealthy"])
    assert states(cloud) == {"Pending": 1}


def test_without_health_checks_a_dead_instance_goes_unnoticed(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(120)
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["HealthCheck"])
    (dead,) = ids(cloud)
    cloud.client("ec2").terminate_instances(InstanceIds=[dead])
    assert ids(cloud) == [dead]
    autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=[])
    assert ids(cloud) != [dead]


def test_an_instance_stopped_in_ec2_is_replaced(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(120)
    (stopped,) = ids(cloud)
    cloud.client("ec2").stop_instances(InstanceIds=[stopped])
    assert ids(cloud) != [stopped]
    assert "in response to an EC2 health check indicating it has been terminated or stopped." in causes(cloud)


def test_a_killed_instance_is_replaced_at_once(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(120)
    (lost,) = ids(cloud)
    assert order(cloud, "kill", {"instance_id": lost})[0] == 200
    assert ids(cloud) != [lost]
    assert len(ids(cloud)) == 1


def test_an_interruption_gives_two_minutes_notice(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(120)
    (lost,) = ids(cloud)
    status, reply = order(cloud, "interrupt", {"instance_id": lost})
    assert (status, reply["gone_at"]) == (200, "2026-01-05T08:04:00+00:00")
    cloud.advance(119)
    assert ids(cloud) == [lost]
    cloud.advance(1)
    assert ids(cloud) != [lost]
    assert states(cloud) == {"Pending": 1}


def test_a_group_that_rebalances_starts_the_replacement_at_the_notice(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    update(cloud, CapacityRebalance=True)
    cloud.advance(120)
    (lost,) = ids(cloud)
    order(cloud, "interrupt", {"instance_id": lost})
    assert states(cloud) == {"InService": 1, "Pending": 1}
    cloud.advance(120)
    assert lost not in ids(cloud)
    assert states(cloud) == {"InService": 1}
    assert "in response to an EC2 instance rebalance recommendation." in causes(cloud)


def test_an_interruption_is_announced_on_the_event_bus(cloud: Cloud) -> None:
    sqs, events = cloud.client("sqs"), cloud.client("events")
    queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
    events.put_rule(Name="spot", EventPattern='{"source": ["aws.ec2"]}')
    events.put_targets(Rule="spot", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:123456789012:notices"}])
    cloud.create_fleet("web", desired=1)
    order(cloud, "interrupt", {"instance_id": ids(cloud)[0]})
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert ["Rebalance" in received[0]["Body"], "Interruption Warning" in received[1]["Body"]] == [True, True]


def test_an_unknown_instance_cannot_be_killed(cloud: Cloud) -> None:
    status, reply = order(cloud, "kill", {"instance_id": "i-0"})
    assert status == 400
    assert "i-0" in reply["error"]


def test_a_suspended_termination_keeps_what_is_too_much(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=2)
    cloud.advance(120)
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Terminate"])
    set_desired(cloud, 1)
    assert states(cloud) == {"InService": 2}
    autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["Terminate"])
    assert states(cloud) == {"InService": 1}


def test_while_registration_is_suspended_an_instance_serves_outside_the_target_group(cloud: Cloud) -> None:
    target_group = cloud.create_fleet("web", balanced=True)
    autoscaling, elbv2 = cloud.client("autoscaling"), cloud.client("elbv2")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["AddToLoadBalancer"])
    set_desired(cloud, 1)
    cloud.advance(200)
    assert states(cloud) == {"InService": 1}
    assert elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"] == []
    autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["AddToLoadBalancer"])
    assert len(elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]) == 1


def test_an_unknown_process_is_refused(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    with pytest.raises(ClientError, match="Lunch is not a valid scaling process"):
        cloud.client("autoscaling").suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Lunch"])
