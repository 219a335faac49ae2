"""Scaling policies that act: called by hand, by alarms, or tracking a target by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.adjustments import adjusted, step

if TYPE_CHECKING:
    from sandbox import Cloud

LABEL = "app/web/50dc6c495c0c9188/targetgroup/web/943f017f100becff"


def group(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0])


def desired(cloud: Cloud) -> int:
    return int(group(cloud)["DesiredCapacity"])


def cause(cloud: Cloud) -> str:
    return str(cloud.client("autoscaling").describe_scaling_activities()["Activities"][0]["Cause"])


def a_policy(cloud: Cloud, name: str = "out", **request: Any) -> dict[str, Any]:
    answer = cloud.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName="web", PolicyName=name, **{"AdjustmentType": "ChangeInCapacity", **request}
    )
    return dict(answer)


def a_target(cloud: Cloud, name: str = "track", **changes: Any) -> dict[str, Any]:
    configuration = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
        **changes,
    }
    answer = cloud.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName="web",
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={key: value for key, value in configuration.items() if value is not None},
        EstimatedInstanceWarmup=60,
    )
    return dict(answer)


def execute(cloud: Cloud, name: str = "out", **more: Any) -> None:
    cloud.client("autoscaling").execute_policy(AutoScalingGroupName="web", PolicyName=name, **more)


def an_alarm(cloud: Cloud, arn: str, threshold: float = 70.0) -> None:
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="busy",
        Namespace="App",
        MetricName="Load",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=threshold,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )


def write(cloud: Cloud, *values: float) -> None:
    cloud.write_metric("App", "Load", {}, start=cloud.now(), step=timedelta(minutes=1), values=values)


def write_cpu(cloud: Cloud, *values: float) -> None:
    named = {"AutoScalingGroupName": "web"}
    cloud.write_metric("AWS/EC2", "CPUUtilization", named, start=cloud.now(), step=timedelta(minutes=1), values=values)


@pytest.mark.parametrize(
    ("capacity", "kind", "adjustment", "least", "expected"),
    [
        (4, "ExactCapacity", 7, 0, 7),
        (4, "ChangeInCapacity", -3, 0, 1),
        (10, "PercentChangeInCapacity", 25, 0, 12),
        (4, "PercentChangeInCapacity", 10, 0, 5),
        (10, "PercentChangeInCapacity", -25, 0, 8),
        (4, "PercentChangeInCapacity", -10, 0, 3),
        (4, "PercentChangeInCapacity", 25, 2, 6),
    ],
)
def test_adjustments_round_as_on_aws(capacity: int, kind: str, adjustment: int, least: int, expected: int) -> None:
    assert adjusted(capacity, kind, adjustment, least) == expected


@pytest.mark.parametrize(("difference", "expected"), [(0, 1), (9.9, 1), (10, 3), (500, 3), (-1, None)])
def test_a_step_holds_its_lower_bound(difference: float, expected: int | None) -> None:
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
    ]
    assert step(steps, difference) == expected


def test_a_simple_policy_is_executed_within_the_bounds(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=3, desired=1)
    a_policy(cloud, ScalingAdjustment=5)
    execute(cloud)
    assert desired(cloud) == 3
    assert "a user request executed policy out changing the desired capacity from 1 to 3." in cause(cloud)


def test_the_cooldown_of_a_simple_policy_holds(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    a_policy(cloud, ScalingAdjustment=1, Cooldown=120)
    execute(cloud)
    with pytest.raises(ClientError, match="ScalingActivityInProgress"):
        execute(cloud, HonorCooldown=True)
    cloud.advance(120)
    execute(cloud, HonorCooldown=True)
    assert desired(cloud) == 3


def test_a_step_policy_is_executed_by_the_step_that_the_metric_has_reached(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=2)
    cloud.advance(600)
    steps = [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 20.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 20.0, "ScalingAdjustment": 4},
    ]
    a_policy(cloud, PolicyType="StepScaling", StepAdjustments=steps, EstimatedInstanceWarmup=60)
    execute(cloud, MetricValue=75, BreachThreshold=70)
    assert desired(cloud) == 3
    execute(cloud, MetricValue=95, BreachThreshold=70)
    assert desired(cloud) == 6
    with pytest.raises(ClientError, match="MetricValue and BreachThreshold"):
        execute(cloud)


def test_an_alarm_calls_a_step_policy_which_does_not_count_twice_what_still_warms_up(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=2)
    cloud.advance(600)
    steps = [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}]
    policy = a_policy(cloud, PolicyType="StepScaling", StepAdjustments=steps, EstimatedInstanceWarmup=60)
    an_alarm(cloud, policy["PolicyARN"])
    write(cloud, *[90] * 10)
    cloud.advance(70)
    assert desired(cloud) == 4
    assert "a monitor alarm busy in state ALARM triggered policy out changing the desired capacity" in cause(cloud)
    cloud.advance(120)  # booting
    assert desired(cloud) == 4
    cloud.advance(120)  # warm, and still in alarm
    assert desired(cloud) == 6


def test_an_alarm_that_lasts_calls_a_simple_policy_after_each_cooldown(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    policy = a_policy(cloud, ScalingAdjustment=1, Cooldown=150)
    an_alarm(cloud, policy["PolicyARN"])
    write(cloud, *[90] * 10)
    history = []
    for _ in range(7):
        cloud.advance(60)
        history.append(desired(cloud))
    assert history == [1, 2, 2, 2, 3, 3, 3]


def test_suspended_alarm_notifications_reach_no_policy(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    policy = a_policy(cloud, ScalingAdjustment=1)
    an_alarm(cloud, policy["PolicyARN"])
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["AlarmNotification"])
    write(cloud, 90, 90, 90)
    cloud.advance(200)
    assert desired(cloud) == 1


def test_target_tracking_makes_its_two_alarms_and_takes_them_along(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloudwatch = cloud.client("cloudwatch")
    names = [each["AlarmName"] for each in a_target(cloud)["Alarms"]]
    assert names[0].startswith("TargetTracking-web-AlarmHigh-")
    assert names[1].startswith("TargetTracking-web-AlarmLow-")
    alarms = {alarm["AlarmName"]: alarm for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    high, low = (alarms[name] for name in names)
    assert (high["ComparisonOperator"], high["Threshold"], high["EvaluationPeriods"]) == ("GreaterThanThreshold", 50, 3)
    assert (low["ComparisonOperator"], low["Threshold"], low["EvaluationPeriods"]) == ("LessThanThreshold", 45, 15)
    assert high["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": "web"}]
    (policy,) = cloud.client("autoscaling").describe_policies(AutoScalingGroupName="web")["ScalingPolicies"]
    assert [each["AlarmName"] for each in policy["Alarms"]] == names
    assert policy["TargetTrackingConfiguration"]["TargetValue"] == 50
    cloud.client("autoscaling").delete_policy(AutoScalingGroupName="web", PolicyName="track")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_target_tracking_scales_out_in_proportion(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=20, desired=4)
    a_target(cloud)
    cloud.advance(600)
    write_cpu(cloud, 80, 80, 80)
    cloud.advance(189)
    assert desired(cloud) == 4
    cloud.advance(1)
    assert desired(cloud) == 7  # 4 x 80 / 50


def test_an_attached_instance_counts_as_warm(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=20)
    run = cloud.client("ec2").run_instances(ImageId="ami-12c6146b", InstanceType="m6i.large", MinCount=2, MaxCount=2)
    cloud.advance(600)
    cloud.client("autoscaling").attach_instances(
        AutoScalingGroupName="web", InstanceIds=[instance["InstanceId"] for instance in run["Instances"]]
    )
    a_target(cloud)
    write_cpu(cloud, 100, 100, 100)
    cloud.advance(190)
    assert desired(cloud) == 4


def test_target_tracking_scales_in_slowly_and_never_while_something_warms_up(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=20, min_size=1, desired=8)
    a_target(cloud)
    cloud.advance(600)
    write_cpu(cloud, *[20] * 40)
    cloud.advance(14 * 60)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=9)
    cloud.advance(170)
    assert desired(cloud) == 9
    cloud.advance(60)
    assert desired(cloud) == 4  # 9 x 20 / 50


def test_without_scale_in_there_is_no_low_alarm(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=2)
    assert len(a_target(cloud, DisableScaleIn=True)["Alarms"]) == 1
    cloud.advance(600)
    write_cpu(cloud, *[5] * 30)
    cloud.advance(1800)
    assert desired(cloud) == 2


def test_two_targets_scale_in_only_together_and_to_the_larger_capacity(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=20, desired=10)
    a_target(cloud)
    custom = {"Namespace": "App", "MetricName": "Load", "Statistic": "Average"}
    a_target(
        cloud, "other", PredefinedMetricSpecification=None, CustomizedMetricSpecification=custom, TargetValue=100.0
    )
    cloud.advance(600)
    write_cpu(cloud, *[10] * 60)
    write(cloud, *[99] * 30, *[60] * 30)
    cloud.advance(29 * 60)
    assert desired(cloud) == 10
    cloud.advance(17 * 60)
    assert desired(cloud) == 6


def test_requests_for_each_target_are_tracked(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=20, desired=2)
    requests = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": LABEL}
    a_target(cloud, PredefinedMetricSpecification=requests, TargetValue=100.0)
    cloud.advance(600)
    named = {"TargetGroup": "targetgroup/web/943f017f100becff"}
    cloud.write_metric(
        "AWS/ApplicationELB",
        "RequestCountPerTarget",
        named,
        start=cloud.now(),
        step=timedelta(minutes=1),
        values=[300] * 3,
    )
    cloud.advance(190)
    assert desired(cloud) == 6


def test_policies_of_one_name_live_apart_in_two_groups(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    cloud.create_fleet("api")
    autoscaling = cloud.client("autoscaling")
    for name in ("web", "api"):
        autoscaling.put_scaling_policy(
            AutoScalingGroupName=name, PolicyName="out", AdjustmentType="ChangeInCapacity", ScalingAdjustment=1
        )
    assert len(autoscaling.describe_policies()["ScalingPolicies"]) == 2
    autoscaling.delete_policy(AutoScalingGroupName="api", PolicyName="out")
    (left,) = autoscaling.describe_policies()["ScalingPolicies"]
    assert left["AutoScalingGroupName"] == "web"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"PolicyType": "Guessing"}, "PolicyType Guessing"),
        ({"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"}, "StepAdjustments is required"),
        ({"AdjustmentType": "ChangeInCapacity"}, "ScalingAdjustment is required"),
        (
            {
                "PolicyType": "TargetTrackingScaling",
                "TargetTrackingConfiguration": {
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"},
                    "TargetValue": 1.0,
                },
            },
            "ResourceLabel",
        ),
    ],
)
def test_bad_policies_are_refused(cloud: Cloud, request_: dict[str, Any], words: str) -> None:
    cloud.create_fleet("web")
    with pytest.raises(ClientError, match=words):
        cloud.client("autoscaling").put_scaling_policy(AutoScalingGroupName="web", PolicyName="bad", **request_)
