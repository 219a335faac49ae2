"""Lifecycle hooks: instances wait on their way in and out, and somebody decides."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


def instances(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"])


def states(cloud: Cloud) -> dict[str, int]:
    return dict(Counter(instance["LifecycleState"] for instance in instances(cloud)))


def latest(cloud: Cloud, words: str) -> dict[str, Any]:
    activities = cloud.client("autoscaling").describe_scaling_activities()["Activities"]
    return dict(next(activity for activity in activities if words in activity["Description"]))


def a_hook(cloud: Cloud, name: str = "ready", **changes: Any) -> None:
    request = {
        "AutoScalingGroupName": "web",
        "LifecycleHookName": name,
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": 300,
        **changes,
    }
    cloud.client("autoscaling").put_lifecycle_hook(**request)


def act(cloud: Cloud, operation: str, name: str = "ready", **more: Any) -> None:
    request = {"AutoScalingGroupName": "web", "LifecycleHookName": name, **more}
    getattr(cloud.client("autoscaling"), operation)(**request)


def set_desired(cloud: Cloud, desired: int) -> None:
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=desired)


def test_an_instance_waits_after_its_boot_until_it_is_told_to_go_on(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    a_hook(cloud)
    set_desired(cloud, 1)
    assert states(cloud) == {"Pending": 1}
    cloud.advance(120)
    assert states(cloud) == {"Pending:Wait": 1}
    assert latest(cloud, "Launching")["StatusCode"] == "MidLifecycleAction"
    (instance,) = instances(cloud)
    act(cloud, "complete_lifecycle_action", InstanceId=instance["InstanceId"], LifecycleActionResult="CONTINUE")
    assert states(cloud) == {"Pending:Proceed": 1}
    cloud.advance(5)
    assert states(cloud) == {"InService": 1}
    assert latest(cloud, "Launching")["StatusCode"] == "Successful"


def test_a_launch_that_nobody_completes_is_abandoned_and_replaced(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    a_hook(cloud)
    set_desired(cloud, 1)
    (first,) = instances(cloud)
    cloud.advance(120 + 300)
    (second,) = instances(cloud)
    assert second["InstanceId"] != first["InstanceId"]
    assert second["LifecycleState"] == "Pending"
    launches = [
        activity
        for activity in cloud.client("autoscaling").describe_scaling_activities()["Activities"]
        if first["InstanceId"] in activity["Description"] and "Launching" in activity["Description"]
    ]
    assert launches[0]["StatusCode"] == "Cancelled"
    assert launches[0]["StatusMessage"].startswith("Instance failed to complete user's Lifecycle Action: ")
    assert launches[0]["StatusMessage"].endswith("was abandoned: Heartbeat Timeout")


def test_with_the_default_continue_a_silent_hook_lets_go(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    a_hook(cloud, DefaultResult="CONTINUE", HeartbeatTimeout=30)
    set_desired(cloud, 1)
    cloud.advance(120 + 30 + 5)
    assert states(cloud) == {"InService": 1}


def test_a_heartbeat_gives_more_time(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    a_hook(cloud)
    set_desired(cloud, 1)
    cloud.advance(120 + 299)
    (instance,) = instances(cloud)
    act(cloud, "record_lifecycle_action_heartbeat", InstanceId=instance["InstanceId"])
    cloud.advance(299)
    assert instances(cloud)[0]["InstanceId"] == instance["InstanceId"]
    cloud.advance(1)
    assert instances(cloud)[0]["InstanceId"] != instance["InstanceId"]


def test_heartbeats_end_with_the_global_timeout(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    a_hook(cloud, HeartbeatTimeout=30, DefaultResult="CONTINUE")
    set_desired(cloud, 1)
    cloud.advance(120)
    (instance,) = instances(cloud)
    for _ in range(100 * 30 // 25 - 1):
        cloud.advance(25)
        act(cloud, "record_lifecycle_action_heartbeat", InstanceId=instance["InstanceId"])
    assert states(cloud) == {"Pending:Wait": 1}
    cloud.advance(25 + 5)
    assert states(cloud) == {"InService": 1}


def test_an_instance_waits_on_its_way_out_after_it_has_drained(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1, balanced=True)
    a_hook(cloud, LifecycleTransition=TERMINATING, DefaultResult="ABANDON")
    cloud.advance(200)
    (instance,) = instances(cloud)
    set_desired(cloud, 0)
    assert states(cloud) == {"Terminating": 1}
    assert latest(cloud, "Terminating")["StatusCode"] == "WaitingForELBConnectionDraining"
    cloud.advance(60)
    assert states(cloud) == {"Terminating:Wait": 1}
    act(cloud, "complete_lifecycle_action", InstanceId=instance["InstanceId"], LifecycleActionResult="ABANDON")
    assert states(cloud) == {}
    assert latest(cloud, "Terminating")["StatusCode"] == "Successful"


def test_all_hooks_must_agree(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    a_hook(cloud, "one")
    a_hook(cloud, "two")
    set_desired(cloud, 1)
    cloud.advance(120)
    instance_id = instances(cloud)[0]["InstanceId"]
    act(cloud, "complete_lifecycle_action", "one", InstanceId=instance_id, LifecycleActionResult="CONTINUE")
    assert states(cloud) == {"Pending:Wait": 1}
    act(cloud, "complete_lifecycle_action", "two", InstanceId=instance_id, LifecycleActionResult="CONTINUE")
    assert states(cloud) == {"Pending:Proceed": 1}


def test_a_queue_is_told_and_its_token_completes_the_action(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName="hooks")["QueueUrl"]
    cloud.create_fleet("web")
    a_hook(
        cloud,
        NotificationTargetARN="arn:aws:sqs:us-east-1:123456789012:hooks",
        RoleARN="arn:aws:iam::123456789012:role/hooks",
        NotificationMetadata="blue",
    )
    set_desired(cloud, 1)
    cloud.advance(120)
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    trial, told = (json.loads(message["Body"]) for message in received)
    assert trial["Event"] == "autoscaling:TEST_NOTIFICATION"
    assert told["EC2InstanceId"] == instances(cloud)[0]["InstanceId"]
    assert (told["LifecycleTransition"], told["NotificationMetadata"]) == (LAUNCHING, "blue")
    assert (told["Origin"], told["Destination"]) == ("EC2", "AutoScalingGroup")
    token = told["LifecycleActionToken"]
    act(cloud, "complete_lifecycle_action", LifecycleActionToken=token, LifecycleActionResult="CONTINUE")
    assert states(cloud) == {"Pending:Proceed": 1}


def test_a_hook_is_described_changed_and_deleted(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    autoscaling = cloud.client("autoscaling")
    a_hook(cloud)
    autoscaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="ready", DefaultResult="CONTINUE")
    (hook,) = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"]
    assert hook == {
        "LifecycleHookName": "ready",
        "AutoScalingGroupName": "web",
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": 300,
        "GlobalTimeout": 30_000,
        "DefaultResult": "CONTINUE",
    }
    act(cloud, "delete_lifecycle_hook")
    assert autoscaling.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"] == []


@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        ("put_lifecycle_hook", {"LifecycleTransition": "sideways"}, "LifecycleTransition"),
        ("put_lifecycle_hook", {"LifecycleTransition": LAUNCHING, "HeartbeatTimeout": 5}, "Heartbeat timeout"),
        ("put_lifecycle_hook", {"LifecycleTransition": LAUNCHING, "DefaultResult": "MAYBE"}, "CONTINUE or ABANDON"),
        (
            "complete_lifecycle_action",
            {"InstanceId": "i-0123456789abcdef0", "LifecycleActionResult": "CONTINUE"},
            "No active Lifecycle Action found with instance ID i-0123456789abcdef0",
        ),
        ("delete_lifecycle_hook", {}, "No Lifecycle Hook found"),
    ],
)
def test_bad_hooks_and_actions_are_refused(cloud: Cloud, operation: str, request_: dict[str, Any], words: str) -> None:
    cloud.create_fleet("web")
    with pytest.raises(ClientError, match=words):
        act(cloud, operation, **request_)
