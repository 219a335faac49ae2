"""The metrics that the cloud publishes by itself, and the queues that it keeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Cloud


def minutes(
    cloud: Cloud, namespace: str, name: str, dimension: tuple[str, str], since: datetime, statistic: str = "Average"
) -> list[float]:
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
        StartTime=since,
        EndTime=cloud.now(),
        Period=60,
        Statistics=[statistic],
    )
    return [point[statistic] for point in sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GroupDesiredCapacity", [3, 3, 3, 3]),
        ("GroupInServiceInstances", [0, 3, 3, 3]),
        ("GroupMinSize", [1, 1, 1, 1]),
        ("GroupMaxSize", [7, 7, 7, 7]),
    ],
)
def test_every_minute_the_sizes_of_a_group_are_published(cloud: Cloud, name: str, expected: list[float]) -> None:
    start = cloud.now()
    cloud.create_fleet("web", min_size=1, max_size=7, desired=3)
    cloud.advance(240)
    assert minutes(cloud, "AWS/AutoScaling", name, ("AutoScalingGroupName", "web"), start) == expected


def test_a_group_publishes_what_it_was_told_to_collect_and_nothing_else(cloud: Cloud) -> None:
    cloud.create_fleet("template")
    autoscaling = cloud.client("autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=1,
        MaxSize=7,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": "template"},
    )

    def seen() -> set[str]:
        since = cloud.now()
        cloud.advance(120)
        names = ("GroupDesiredCapacity", "GroupInServiceInstances", "GroupMinSize", "GroupMaxSize")
        group = ("AutoScalingGroupName", "web")
        return {name for name in names if minutes(cloud, "AWS/AutoScaling", name, group, since)}

    assert seen() == set()
    for name in ("GroupMinSize", "GroupMaxSize"):
        autoscaling.enable_metrics_collection(AutoScalingGroupName="web", Granularity="1Minute", Metrics=[name])
    assert seen() == {"GroupMinSize", "GroupMaxSize"}
    autoscaling.enable_metrics_collection(AutoScalingGroupName="web", Granularity="1Minute")
    assert len(seen()) == 4


def test_the_depth_of_a_queue_is_published(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    start = cloud.now()
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    cloud.advance(60)
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    cloud.advance(60)
    depth = minutes(cloud, "AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", "jobs"), start)
    assert depth == [2.0, 1.0]


def test_so_is_how_many_messages_were_sent_whatever_became_of_them(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="jobs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    start = cloud.now()
    for body in ("one", "one", "two"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="all", MessageDeduplicationId=body)
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    cloud.advance(120)
    sent = minutes(cloud, "AWS/SQS", "NumberOfMessagesSent", ("QueueName", "jobs.fifo"), start, "Sum")
    assert sent == [2.0, 0.0]


def test_a_jump_of_the_clock_leaves_a_gap_instead_of_inventing_history(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    start = cloud.now()
    cloud.advance(60)
    cloud.clock(now=start + timedelta(hours=3))
    cloud.advance(60)
    assert len(minutes(cloud, "AWS/AutoScaling", "GroupMinSize", ("AutoScalingGroupName", "web"), start)) == 2


def test_messages_in_hand_are_published_apart_from_those_that_wait(cloud: Cloud) -> None:
    sqs = cloud.client("sqs")
    address = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    for body in "abc":
        sqs.send_message(QueueUrl=address, MessageBody=body)
    sqs.receive_message(QueueUrl=address, MaxNumberOfMessages=1, VisibilityTimeout=600)
    cloud.advance(120)
    found = {
        name: cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName=f"ApproximateNumberOfMessages{name}",
            Dimensions=[{"Name": "QueueName", "Value": "jobs"}],
            StartTime=cloud.now() - timedelta(minutes=5),
            EndTime=cloud.now(),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"][-1]["Maximum"]
        for name in ("Visible", "NotVisible", "Delayed")
    }
    assert found == {"Visible": 2, "NotVisible": 1, "Delayed": 0}
