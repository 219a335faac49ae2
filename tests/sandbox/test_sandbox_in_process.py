"""The sandbox without HTTP, and the isolation of one use from the next."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from moto import mock_aws

import sandbox


def test_it_works_without_a_server_and_with_any_client() -> None:
    with sandbox.in_process() as cloud:
        cloud.clock(now="2026-01-05T08:00:00+00:00", speed=0)
        cloud.configure(boot_jitter=0)
        cloud.create_fleet("web", desired=2)
        autoscaling = boto3.client("autoscaling", region_name="us-east-1")
        cloud.advance(120)
        (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        assert [instance["LifecycleState"] for instance in group["Instances"]] == ["InService", "InService"]
        assert cloud.calls() == {"autoscaling.DescribeAutoScalingGroups": 1}


def test_faults_and_missing_operations_answer_alike_without_a_server() -> None:
    with sandbox.in_process() as cloud:
        autoscaling = cloud.client("autoscaling")
        cloud.faults.add(service="autoscaling", error="Throttling", count=1)
        with pytest.raises(ClientError, match="Throttling"):
            autoscaling.describe_auto_scaling_groups()
        with pytest.raises(ClientError, match="NotImplemented"):
            autoscaling.describe_instance_refreshes(AutoScalingGroupName="web")
        cloud.faults.add(service="autoscaling", drop=True, count=1)
        with pytest.raises(ConnectionClosedError):
            autoscaling.describe_auto_scaling_groups()


def test_one_use_knows_nothing_of_the_one_before() -> None:
    with sandbox.running() as cloud:
        cloud.create_fleet("web", desired=1)
        cloud.faults.add(error="Throttling")
        cloud.configure(boot_seconds=1)
    with sandbox.in_process() as cloud:
        assert cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
        assert cloud.configure().boot_seconds == 120


def test_a_second_sandbox_in_one_process_is_refused() -> None:
    with sandbox.in_process(), pytest.raises(RuntimeError, match="already running"), sandbox.running():
        pass
    with sandbox.running() as cloud:
        assert cloud.url.startswith("http://127.0.0.1:")


def test_moto_is_itself_again_afterwards() -> None:
    with sandbox.in_process():
        pass
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="us-east-1")
        data = {"ImageId": "ami-12c6146b", "InstanceType": "m6i.large"}
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        autoscaling = boto3.client("autoscaling", region_name="us-east-1")
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="web",
            MinSize=1,
            MaxSize=1,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateName": "web"},
        )
        (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        assert group["Instances"][0]["LifecycleState"] == "InService"
