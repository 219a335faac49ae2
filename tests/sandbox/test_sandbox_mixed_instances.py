"""Mixed instances: types, weights, on-demand and Spot as the policy of the group says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox import Cloud


def a_group(
    cloud: Cloud, overrides: list[dict[str, str]], distribution: dict[str, Any], desired: int, maximum: int = 20
) -> None:
    cloud.client("ec2").create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "m6i.large"}
    )
    template = {"LaunchTemplateSpecification": {"LaunchTemplateName": "web"}, "Overrides": overrides}
    cloud.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=maximum,
        DesiredCapacity=desired,
        AvailabilityZones=["us-east-1a"],
        MixedInstancesPolicy={"LaunchTemplate": template, "InstancesDistribution": distribution},
    )


def instances(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"])


def bought(cloud: Cloud) -> dict[tuple[str, str], int]:
    """Count the instances of the group by type and by on-demand or spot."""
    ids = [instance["InstanceId"] for instance in instances(cloud)]
    reservations = cloud.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
    found = [instance for reservation in reservations for instance in reservation["Instances"]]
    return dict(Counter((each["InstanceType"], each.get("InstanceLifecycle", "on-demand")) for each in found))


def types(*names: str) -> list[dict[str, str]]:
    return [{"InstanceType": name} for name in names]


def test_base_and_percentage_divide_on_demand_from_spot(cloud: Cloud) -> None:
    distribution = {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 25}
    a_group(cloud, types("m6i.large"), distribution, desired=10)
    assert bought(cloud) == {("m6i.large", "on-demand"): 4, ("m6i.large", "spot"): 6}


def test_the_first_override_is_preferred_and_the_next_one_helps_out(cloud: Cloud) -> None:
    cloud.shortages.add(instance_type="m6i.large", limit=2)
    a_group(cloud, types("m6i.large", "m5.large"), {}, desired=3)
    assert bought(cloud) == {("m6i.large", "on-demand"): 2, ("m5.large", "on-demand"): 1}


def test_the_lowest_price_for_a_unit_wins(cloud: Cloud) -> None:
    overrides = [
        {"InstanceType": "m6i.xlarge", "WeightedCapacity": "2"},
        {"InstanceType": "c6i.large", "WeightedCapacity": "1"},
    ]
    a_group(cloud, overrides, {"OnDemandAllocationStrategy": "lowest-price"}, desired=2)
    assert bought(cloud) == {("c6i.large", "on-demand"): 2}


def test_weights_count_as_capacity_and_may_exceed_the_desired_one(cloud: Cloud) -> None:
    a_group(cloud, [{"InstanceType": "m6i.2xlarge", "WeightedCapacity": "4"}], {}, desired=10)
    assert [instance["WeightedCapacity"] for instance in instances(cloud)] == ["4", "4", "4"]
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=8)
    assert len(instances(cloud)) == 2


def test_a_scale_in_keeps_the_balance_of_on_demand_and_spot(cloud: Cloud) -> None:
    a_group(cloud, types("m6i.large"), {"OnDemandPercentageAboveBaseCapacity": 50}, desired=8)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    assert bought(cloud) == {("m6i.large", "on-demand"): 2, ("m6i.large", "spot"): 2}


def test_spot_that_is_not_there_fails_in_the_words_of_auto_scaling(cloud: Cloud) -> None:
    cloud.shortages.add(purchase="spot")
    a_group(cloud, types("m6i.large"), {"OnDemandPercentageAboveBaseCapacity": 0}, desired=1)
    (failure,) = cloud.client("autoscaling").describe_scaling_activities()["Activities"]
    assert failure["StatusCode"] == "Failed"
    assert failure["StatusMessage"] == (
        "Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available that "
        "matches your request. Launching EC2 instance failed."
    )


def test_a_full_spot_quota_fails_too(cloud: Cloud) -> None:
    cloud.configure(standard_spot_vcpus=2)
    a_group(cloud, types("m6i.large"), {"OnDemandPercentageAboveBaseCapacity": 0}, desired=2)
    assert bought(cloud) == {("m6i.large", "spot"): 1}
    newest = cloud.client("autoscaling").describe_scaling_activities()["Activities"]
    assert any("MaxSpotInstanceCountExceeded" in activity.get("StatusMessage", "") for activity in newest)
