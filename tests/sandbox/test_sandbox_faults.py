"""Faults and counts: what a client sees when AWS throttles it, fails, or fails to tell that it succeeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

if TYPE_CHECKING:
    from sandbox import Cloud


def desired(cloud: Cloud, name: str = "web") -> int:
    answer = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return int(answer["AutoScalingGroups"][0]["DesiredCapacity"])


def code_of(call: Any) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_calls_are_counted_by_service_and_operation_until_forgotten(cloud: Cloud) -> None:
    for _ in range(3):
        cloud.client("autoscaling").describe_auto_scaling_groups()
    cloud.client("cloudwatch").list_metrics()
    cloud.client("elbv2").describe_target_groups()
    cloud.client("ec2").describe_vpcs()
    cloud.client("sqs").list_queues()
    assert cloud.calls() == {
        "autoscaling.DescribeAutoScalingGroups": 3,
        "cloudwatch.ListMetrics": 1,
        "elbv2.DescribeTargetGroups": 1,
        "ec2.DescribeVpcs": 1,
        "sqs.ListQueues": 1,
    }
    cloud.faults.forget_calls()
    assert cloud.calls() == {}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("autoscaling", "describe_auto_scaling_groups"),
        ("cloudwatch", "list_metrics"),
        ("elbv2", "describe_target_groups"),
        ("ec2", "describe_vpcs"),
        ("sqs", "list_queues"),
        ("s3", "list_buckets"),
        ("lambda", "list_functions"),
    ],
)
def test_every_protocol_carries_the_error_of_a_fault(cloud: Cloud, service: str, operation: str) -> None:
    cloud.faults.add(service=service, error="Throttling", count=1)
    call = getattr(cloud.client(service), operation)
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["Error"]["Code"] == "Throttling"
    assert caught.value.response["Error"]["Message"] == "Rate exceeded"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    call()


def test_a_rule_strikes_only_what_it_names_and_only_so_often(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    autoscaling = cloud.client("autoscaling")
    cloud.faults.add(service="autoscaling", operation="(Put|Set).*", error="ServiceUnavailable", status=503, count=2)
    outcomes = [
        code_of(lambda: autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1))
        for _ in range(3)
    ]
    assert outcomes == ["ServiceUnavailable", "ServiceUnavailable", "ok"]
    assert code_of(autoscaling.describe_auto_scaling_groups) == "ok"


def test_a_client_that_retries_gets_through(cloud: Cloud) -> None:
    cloud.faults.add(service="cloudwatch", error="InternalServiceFault", status=500, count=2)
    patient = cloud.client("cloudwatch", config=Config(retries={"total_max_attempts": 4, "mode": "standard"}))
    assert patient.list_metrics()["ResponseMetadata"]["RetryAttempts"] == 2
    assert cloud.calls() == {"cloudwatch.ListMetrics": 3}


def test_a_token_bucket_lets_the_burst_through_and_throttles_the_rest(cloud: Cloud) -> None:
    cloud.faults.add(service="autoscaling", error="Throttling", rate=0, burst=6)
    autoscaling = cloud.client("autoscaling")
    outcomes = [code_of(autoscaling.describe_auto_scaling_groups) for _ in range(20)]
    assert outcomes == ["ok"] * 6 + ["Throttling"] * 14


def test_a_token_bucket_fills_up_again(cloud: Cloud) -> None:
    rule = cloud.faults.add(service="autoscaling", error="Throttling", rate=1_000_000, burst=1)
    autoscaling = cloud.client("autoscaling")
    assert {code_of(autoscaling.describe_auto_scaling_groups) for _ in range(10)} == {"ok"}
    assert rule.count is None


def test_an_error_after_the_effect_leaves_the_effect(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    cloud.faults.add(
        service="autoscaling", operation="SetDesiredCapacity", error="RequestTimeout", status=408, after=True, count=1
    )
    autoscaling = cloud.client("autoscaling")
    outcome = code_of(lambda: autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3))
    assert outcome == "RequestTimeout"
    assert desired(cloud) == 3


def test_an_error_before_the_effect_prevents_it(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    cloud.faults.add(operation="SetDesiredCapacity", error="RequestTimeout", status=408, count=1)
    autoscaling = cloud.client("autoscaling")
    assert code_of(lambda: autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)) != "ok"
    assert desired(cloud) == 0


def test_an_answer_that_comes_too_late_hides_an_effect(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    cloud.faults.add(operation="SetDesiredCapacity", after=True, latency=1.0, count=1)
    impatient = cloud.client("autoscaling", config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        impatient.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    assert desired(cloud) == 3


@pytest.mark.parametrize(("after", "size"), [(True, 3), (False, 0)])
def test_a_connection_may_be_closed_with_or_without_the_effect(cloud: Cloud, *, after: bool, size: int) -> None:
    cloud.create_fleet("web")
    cloud.faults.add(operation="SetDesiredCapacity", drop=True, after=after, count=1)
    with pytest.raises(ConnectionClosedError):
        cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    assert desired(cloud) == size


def test_a_rule_may_let_the_first_calls_pass(cloud: Cloud) -> None:
    cloud.faults.add(service="autoscaling", error="InternalFailure", status=500, skip=2, count=1)
    autoscaling = cloud.client("autoscaling")
    outcomes = [code_of(autoscaling.describe_auto_scaling_groups) for _ in range(4)]
    assert outcomes == ["ok", "ok", "InternalFailure", "ok"]


def test_a_rule_may_be_over_by_itself_in_the_clouds_own_time(cloud: Cloud) -> None:
    cloud.faults.add(service="autoscaling", error="Throttling", seconds=300)
    autoscaling = cloud.client("autoscaling")
    assert code_of(autoscaling.describe_auto_scaling_groups) == "Throttling"
    cloud.advance(299)
    assert code_of(autoscaling.describe_auto_scaling_groups) == "Throttling"
    cloud.advance(1)
    assert code_of(autoscaling.describe_auto_scaling_groups) == "ok"


def test_a_probability_strikes_some_calls_and_repeats_with_the_seed(cloud: Cloud) -> None:
    autoscaling = cloud.client("autoscaling")

    def outcomes() -> list[str]:
        cloud.configure(seed=5)
        return [code_of(autoscaling.describe_auto_scaling_groups) for _ in range(40)]

    cloud.faults.add(error="InternalFailure", probability=0.5)
    first = outcomes()
    assert 5 < first.count("InternalFailure") < 35
    assert outcomes() == first


def test_a_rule_may_only_be_slow(cloud: Cloud) -> None:
    rule = cloud.faults.add(service="sqs", latency=0.01, count=1)
    cloud.client("sqs").list_queues()
    assert rule.count == 0


def test_cleared_rules_strike_no_more(cloud: Cloud) -> None:
    cloud.faults.add(error="Throttling")
    cloud.faults.clear()
    cloud.client("autoscaling").describe_auto_scaling_groups()


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("autoscaling", "describe_instance_refreshes", {"AutoScalingGroupName": "web"}),
        ("cloudwatch", "describe_alarm_history", {}),
        ("ec2", "get_spot_placement_scores", {"TargetCapacity": 1}),
        ("lambda", "get_account_settings", {}),
        ("pricing", "describe_services", {}),
    ],
)
def test_an_operation_that_does_not_exist_here_says_so_in_its_protocol(
    cloud: Cloud, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(cloud.client(service), operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert "is not implemented by the sandbox" in caught.value.response["Error"]["Message"]


def test_a_name_that_moto_trips_over_becomes_a_readable_error(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.client("autoscaling").execute_policy(PolicyName="ghost")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert "ghost" in caught.value.response["Error"]["Message"]
