"""Events of Auto Scaling: a rule of EventBridge puts them into a queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox import Cloud


@pytest.fixture
def heard(cloud: Cloud) -> str:
    """A queue that hears everything of Auto Scaling."""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    queue: str = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.autoscaling"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "q", "Arn": arn}])
    return queue


def told(cloud: Cloud, queue: str) -> list[dict[str, Any]]:
    messages = cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in messages]


def test_a_launch_and_an_end_are_told_when_they_are_over(cloud: Cloud, heard: str) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(60)
    assert told(cloud, heard) == []
    cloud.advance(120)
    (event,) = told(cloud, heard)
    assert (event["detail-type"], event["source"]) == ("EC2 Instance Launch Successful", "aws.autoscaling")
    assert event["detail"]["AutoScalingGroupName"] == "web"
    assert event["resources"][1].endswith(event["detail"]["EC2InstanceId"])
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    cloud.advance(120)
    (end,) = told(cloud, heard)
    assert end["detail-type"] == "EC2 Instance Terminate Successful"
    assert end["detail"]["EC2InstanceId"] == event["detail"]["EC2InstanceId"]


def test_a_launch_that_fails_is_told_with_its_reason(cloud: Cloud, heard: str) -> None:
    cloud.configure(standard_vcpus=0, launch_retry_seconds=10_000)
    cloud.create_fleet("web", desired=1)
    cloud.advance(60)
    event = told(cloud, heard)[0]
    assert event["detail-type"] == "EC2 Instance Launch Unsuccessful"
    assert "vCPU" in event["detail"]["StatusMessage"]


def test_a_lifecycle_action_is_told_without_a_target_of_its_own(cloud: Cloud, heard: str) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(180)
    told(cloud, heard)
    cloud.client("autoscaling").put_lifecycle_hook(
        AutoScalingGroupName="web",
        LifecycleHookName="farewell",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
    )
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    cloud.advance(120)
    (event,) = told(cloud, heard)
    assert event["detail-type"] == "EC2 Instance-terminate Lifecycle Action"
    assert event["detail"]["LifecycleHookName"] == "farewell"
    assert event["detail"]["LifecycleActionToken"]


def test_events_may_be_lost_as_on_aws(cloud: Cloud, heard: str) -> None:
    cloud.configure(lost_events=1)
    cloud.create_fleet("web", desired=1)
    cloud.advance(180)
    assert told(cloud, heard) == []
    cloud.configure(lost_events=0)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    cloud.advance(120)
    assert len(told(cloud, heard)) == 1


def test_a_spot_price_is_what_the_costs_count(cloud: Cloud) -> None:
    rows = cloud.client("ec2").describe_spot_price_history(InstanceTypes=["m5.large"], StartTime=cloud.now())
    prices = {row["AvailabilityZone"]: float(row["SpotPrice"]) for row in rows["SpotPriceHistory"]}
    assert prices["us-east-1a"] == pytest.approx(0.096 * 0.35)
    assert all(row["Timestamp"] <= cloud.now() for row in rows["SpotPriceHistory"])
