"""The demo's content: three fleets that serve, with a believable month behind them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import sandbox
from sandbox.seed import seed_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 20, 15, 32, 40, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def demo() -> Iterator[sandbox.Cloud]:
    with sandbox.running() as cloud:
        cloud.clock(now=NOW, speed=0)
        seed_demo(NOW)
        yield cloud


def read(
    cloud: sandbox.Cloud, namespace: str, name: str, dimension: tuple[str, str], **more: Any
) -> dict[datetime, float]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}]}
    stat = {"Metric": metric, "Period": more.get("period", 300), "Stat": more.get("statistic", "Average")}
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": stat}],
        StartTime=more.get("since", NOW - 28 * DAY),
        EndTime=more.get("until", cloud.now()),
    )
    (result,) = answer["MetricDataResults"]
    return dict(zip(result["Timestamps"], result["Values"], strict=True))


def test_the_demo_fleets_serve_and_are_healthy(demo: sandbox.Cloud) -> None:
    groups = demo.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert [group["AutoScalingGroupName"] for group in groups] == ["web-shop", "api-checkout", "batch-video"]
    for group in groups:
        assert group["MinSize"] <= group["DesiredCapacity"] <= group["MaxSize"]
        assert [i["LifecycleState"] for i in group["Instances"]] == ["InService"] * group["DesiredCapacity"]
        for arn in group["TargetGroupARNs"]:
            targets = demo.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            assert {target["TargetHealth"]["State"] for target in targets} == {"healthy"}
    assert demo.client("sqs").get_queue_url(QueueName="batch-video-jobs")["QueueUrl"]
    assert demo.now() == NOW


def test_the_web_shop_peaks_in_the_evening_of_berlin(demo: sandbox.Cloud) -> None:
    balancer = ("LoadBalancer", "app/web-shop/50dc6c495c0c9188")
    hourly = read(demo, "AWS/ApplicationELB", "RequestCount", balancer, statistic="Sum", period=3600)
    last_days = {t: v / 60 for t, v in hourly.items() if NOW - 4 * DAY < t < NOW - timedelta(hours=2)}
    assert 1_100 < min(last_days.values()) < 1_900
    assert 7_000 < max(last_days.values()) < 11_000
    peak = max(last_days, key=lambda instant: last_days[instant])
    assert peak.astimezone(UTC).hour in (18, 19)  # 19 to 20 hours in Berlin's winter


def test_the_history_has_a_gap_and_a_spike_and_ends_now(demo: sandbox.Cloud) -> None:
    points = read(
        demo, "AWS/ApplicationELB", "RequestCount", ("LoadBalancer", "app/web-shop/50dc6c495c0c9188"), statistic="Sum"
    )
    times = sorted(points)
    assert times[0] <= NOW - 28 * DAY + timedelta(hours=2)
    assert NOW - times[-1] < timedelta(minutes=10)
    gaps = np.diff([t.timestamp() for t in times])
    assert sorted(set(gaps.tolist())) == [300.0, 7500.0]
    spike = NOW.replace(minute=15, second=0) - 5 * DAY
    assert points[spike] > 1.6 * points[spike - timedelta(minutes=10)]


def test_the_checkout_reports_use_and_instances_that_multiply_to_its_load(demo: sandbox.Cloud) -> None:
    fleet = ("AutoScalingGroupName", "api-checkout")
    use = read(demo, "AWS/EC2", "CPUUtilization", fleet)
    instances = read(demo, "AWS/AutoScaling", "GroupInServiceInstances", fleet)
    shared = sorted(set(use) & set(instances))
    total = np.array([use[t] * instances[t] for t in shared])
    assert len(shared) > 7_900
    assert 0 <= min(use.values()) <= max(use.values()) <= 100
    assert min(instances.values()) >= 2
    assert len(set(instances.values())) > 5
    assert np.percentile(total, 98) > 3 * np.percentile(total, 5)


def test_the_night_batch_has_hours_without_a_job(demo: sandbox.Cloud) -> None:
    jobs = read(demo, "Video", "JobsInProgress", ("Queue", "batch-video-jobs"))
    by_hour: dict[int, list[float]] = {}
    for instant, value in jobs.items():
        by_hour.setdefault(instant.astimezone(UTC).hour, []).append(value)
    assert np.median(by_hour[2]) > 50
    assert np.median(by_hour[10]) == 0
    assert min(jobs.values()) == 0


def test_data_go_on_being_published_without_a_hole(demo: sandbox.Cloud) -> None:
    since = NOW.replace(minute=0, second=0)
    demo.advance(3600)
    for namespace, name, dimension in (
        ("AWS/ApplicationELB", "RequestCount", ("LoadBalancer", "app/web-shop/50dc6c495c0c9188")),
        ("AWS/EC2", "CPUUtilization", ("AutoScalingGroupName", "api-checkout")),
        ("Video", "JobsInProgress", ("Queue", "batch-video-jobs")),
        ("AWS/AutoScaling", "GroupDesiredCapacity", ("AutoScalingGroupName", "web-shop")),
    ):
        times = sorted(read(demo, namespace, name, dimension, since=since))
        assert {b - a for a, b in pairwise(times)} == {timedelta(minutes=5)}
        assert demo.now() - times[-1] <= timedelta(minutes=10)


def test_the_use_of_the_checkout_falls_when_somebody_adds_instances(demo: sandbox.Cloud) -> None:
    fleet = ("AutoScalingGroupName", "api-checkout")
    autoscaling = demo.client("autoscaling")
    (group,) = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["api-checkout"])["AutoScalingGroups"]
    before = read(demo, "AWS/EC2", "CPUUtilization", fleet)
    twice = min(2 * group["DesiredCapacity"], group["MaxSize"])
    autoscaling.set_desired_capacity(AutoScalingGroupName="api-checkout", DesiredCapacity=twice)
    demo.advance(1200)
    after = read(demo, "AWS/EC2", "CPUUtilization", fleet)
    assert after[max(after)] < 0.75 * before[max(before)]


def test_every_group_bears_the_tag_that_lets_it_be_written_to(demo: sandbox.Cloud) -> None:
    groups = demo.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    tags = {row["AutoScalingGroupName"]: {tag["Key"]: tag["Value"] for tag in row["Tags"]} for row in groups}
    assert {name: found.get("predictive-scaling") for name, found in tags.items()} == {
        "api-checkout": "yes",
        "batch-video": "yes",
        "web-shop": "yes",
    }
