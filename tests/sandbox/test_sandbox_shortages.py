"""Launches that fail after the call has succeeded: shortages and quotas show in the activities alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

SHORT = (
    "We currently do not have sufficient m6i.large capacity in the Availability Zone you requested (us-east-1a). Our "
    "system will be working on provisioning additional capacity. You can currently get m6i.large capacity by not "
    "specifying an Availability Zone in your request or choosing us-east-1b, us-east-1c, us-east-1d, us-east-1e, "
    "us-east-1f. Launching EC2 instance failed."
)


def group(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0])


def zones(cloud: Cloud) -> dict[str, int]:
    return dict(Counter(instance["AvailabilityZone"] for instance in group(cloud)["Instances"]))


def failures(cloud: Cloud) -> list[dict[str, Any]]:
    activities = cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    return [activity for activity in activities if activity["StatusCode"] == "Failed"]


def set_desired(cloud: Cloud, desired: int) -> None:
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=desired)


def test_a_group_spreads_over_its_zones(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=4)
    assert zones(cloud) == {"us-east-1a": 2, "us-east-1b": 2}


def test_a_zone_that_is_short_fails_in_the_activities_and_the_other_zone_serves(cloud: Cloud) -> None:
    cloud.shortages.add(zone="us-east-1a")
    cloud.create_fleet("web")
    set_desired(cloud, 2)
    assert zones(cloud) == {"us-east-1b": 2}
    first = failures(cloud)[-1]
    assert first["StatusMessage"] == SHORT
    assert first["Description"] == f"Launching a new EC2 instance.  Status Reason: {SHORT}"
    assert first["Progress"] == 100
    assert first["StartTime"] == first["EndTime"] == cloud.now()
    assert '"Availability Zone": "us-east-1a"' in first["Details"]


def test_desired_stays_and_the_launch_is_tried_again(cloud: Cloud) -> None:
    cloud.configure(launch_retry_seconds=60)
    cloud.create_fleet("web", desired=1)
    cloud.shortages.add(limit=1)
    set_desired(cloud, 3)
    assert (group(cloud)["DesiredCapacity"], len(group(cloud)["Instances"])) == (3, 1)
    assert len(failures(cloud)) == 2
    cloud.advance(59)
    assert len(failures(cloud)) == 2
    cloud.advance(1)
    assert len(failures(cloud)) == 4
    cloud.shortages.clear()
    assert len(group(cloud)["Instances"]) == 1
    cloud.advance(60)
    assert len(group(cloud)["Instances"]) == 3
    cloud.advance(600)
    assert len(failures(cloud)) == 4


def test_a_failing_launch_is_given_up_when_nobody_wants_it_any_more(cloud: Cloud) -> None:
    cloud.shortages.add()
    cloud.create_fleet("web", desired=1)
    before = len(failures(cloud))
    set_desired(cloud, 0)
    cloud.advance(600)
    assert len(failures(cloud)) == before


def test_a_deleted_launch_template_fails_launches(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    template = group(cloud)["LaunchTemplate"]["LaunchTemplateId"]
    cloud.client("ec2").delete_launch_template(LaunchTemplateName="web")
    set_desired(cloud, 1)
    assert failures(cloud)[0]["StatusMessage"] == (
        "You must use a valid fully-formed launch template. The specified launch template, with template ID "
        f"{template}, does not exist. Launching EC2 instance failed."
    )


def test_a_full_quota_fails_launches_as_vcpu_limit(cloud: Cloud) -> None:
    cloud.configure(standard_vcpus=5)
    cloud.create_fleet("web", desired=3)
    assert len(group(cloud)["Instances"]) == 2
    assert failures(cloud)[0]["StatusMessage"] == (
        "You have requested more vCPU capacity than your current vCPU limit of 5 allows for the instance bucket that "
        "the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request "
        "an adjustment to this limit. Launching EC2 instance failed."
    )
    cloud.configure(standard_vcpus=6)
    cloud.advance(60)
    assert len(group(cloud)["Instances"]) == 3


def test_a_terminated_instance_gives_its_vcpus_back(cloud: Cloud) -> None:
    cloud.configure(standard_vcpus=2)
    cloud.create_fleet("web", desired=1)
    set_desired(cloud, 0)
    set_desired(cloud, 1)
    assert len(group(cloud)["Instances"]) == 1


@pytest.mark.parametrize(
    ("instance_type", "purchase", "setting", "code"),
    [
        ("g5.xlarge", "on-demand", "graphics_vcpus", "L-DB2E81BA"),
        ("p3.2xlarge", "on-demand", "p_vcpus", "L-417A185B"),
        ("p3.2xlarge", "spot", "p_spot_vcpus", "L-7212CCBC"),
        ("p5.48xlarge", "spot", "p_spot_vcpus", "L-C4BD4855"),
        ("inf1.xlarge", "spot", "inf_spot_vcpus", "L-B5D1601B"),
        ("trn1.2xlarge", "spot", "trn_spot_vcpus", "L-6B0D517C"),
        ("dl1.24xlarge", "on-demand", "other_vcpus", "L-6E869C2A"),
    ],
)
def test_each_family_has_its_quota_on_demand_and_as_spot(
    cloud: Cloud, instance_type: str, purchase: str, setting: str, code: str
) -> None:
    cloud.configure(**{setting: 0})
    quota = cloud.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
    assert quota["Value"] == 0
    ec2 = cloud.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    market = {"InstanceMarketOptions": {"MarketType": "spot"}} if purchase == "spot" else {}
    with pytest.raises(ClientError, match=r"VcpuLimitExceeded|MaxSpotInstanceCountExceeded"):
        ec2.run_instances(ImageId=image, InstanceType=instance_type, MinCount=1, MaxCount=1, **market)


def test_ec2_itself_refuses_by_its_own_codes(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    request = {"ImageId": "ami-12c6146b", "InstanceType": "g4dn.xlarge", "MinCount": 1, "MaxCount": 1}
    cloud.configure(graphics_vcpus=0)
    with pytest.raises(ClientError) as caught:
        ec2.run_instances(**request)
    assert caught.value.response["Error"]["Code"] == "VcpuLimitExceeded"
    cloud.configure(graphics_vcpus=8)
    cloud.shortages.add(instance_type=r"g4dn\..*", purchase="on-demand")
    with pytest.raises(ClientError) as caught:
        ec2.run_instances(**request)
    assert caught.value.response["Error"]["Code"] == "InsufficientInstanceCapacity"


@pytest.mark.parametrize(
    ("code", "setting", "words"),
    [
        ("L-1216C47A", "standard_vcpus", "Running On-Demand Standard"),
        ("L-DB2E81BA", "graphics_vcpus", "Running On-Demand G and VT"),
        ("L-34B43A08", "standard_spot_vcpus", "All Standard"),
        ("L-3819A6DF", "graphics_spot_vcpus", "All G and VT Spot"),
        ("L-417A185B", "p_vcpus", "Running On-Demand P"),
        ("L-1945791B", "inf_vcpus", "Running On-Demand Inf"),
        ("L-2C3B7624", "trn_vcpus", "Running On-Demand Trn"),
    ],
)
def test_service_quotas_tells_the_quota_in_force(cloud: Cloud, code: str, setting: str, words: str) -> None:
    cloud.configure(**{setting: 48})
    quotas = cloud.client("service-quotas")
    quota = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
    assert (quota["Value"], quota["Adjustable"]) == (48.0, True)
    assert words in quota["QuotaName"]
    assert quota in quotas.list_service_quotas(ServiceCode="ec2")["Quotas"]


def test_an_unknown_quota_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        cloud.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode="L-00000000")


def test_shortages_are_set_over_http_and_end_with_a_reset(cloud: Cloud) -> None:
    address = f"{cloud.url}/_sandbox/shortages"
    rule = {"instance_type": "g5.*", "zone": "us-east-1a", "purchase": "spot", "limit": 3}
    assert requests.post(address, json=rule, timeout=10).json() == {"shortages": [rule]}
    assert requests.get(address, timeout=10).json() == {"shortages": [rule]}
    cloud.reset()
    assert requests.get(address, timeout=10).json() == {"shortages": []}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"zones": "a"}, ["zones", "zone"]),
        ({"zone": "("}, ["zone", "'('", "regular expression"]),
        ({"limit": -1}, ["limit", "-1", "whole number"]),
    ],
)
def test_a_bad_shortage_is_refused(cloud: Cloud, rule: dict[str, Any], words: list[str]) -> None:
    answer = requests.post(f"{cloud.url}/_sandbox/shortages", json=rule, timeout=10)
    assert answer.status_code == 400
    for word in words:
        assert word in answer.json()["error"]
