"""Auto Scaling groups: the checks that AWS makes, by its own codes, and nothing lost in an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

COOLDOWN_SECONDS = 300


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def group(cloud: Cloud, name: str) -> dict[str, Any]:
    answer = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    (found,) = answer["AutoScalingGroups"]
    return dict(found)


def a_request(**changes: Any) -> dict[str, Any]:
    request = {
        "AutoScalingGroupName": "web",
        "MinSize": 0,
        "MaxSize": 5,
        "AvailabilityZones": ["us-east-1a"],
        "LaunchTemplate": {"LaunchTemplateName": "web"},
    }
    return {**request, **changes}


def a_launch_template(cloud: Cloud, name: str = "web") -> None:
    data = {"ImageId": "ami-12c6146b", "InstanceType": "m6i.large"}
    cloud.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)


def test_a_group_is_created_through_the_api(cloud: Cloud) -> None:
    a_launch_template(cloud)
    cloud.client("autoscaling").create_auto_scaling_group(**a_request(DesiredCapacity=2))
    assert group(cloud, "web")["DesiredCapacity"] == 2
    assert group(cloud, "web")["CreatedTime"] == cloud.now()


def test_a_name_in_use_is_refused_and_the_group_survives(cloud: Cloud) -> None:
    a_launch_template(cloud)
    autoscaling = cloud.client("autoscaling")
    autoscaling.create_auto_scaling_group(**a_request(DesiredCapacity=2))
    with pytest.raises(ClientError) as caught:
        autoscaling.create_auto_scaling_group(**a_request())
    assert refusal(caught)[0] == "AlreadyExists"
    assert "already exists" in refusal(caught)[1]
    assert len(group(cloud, "web")["Instances"]) == 2


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"MinSize": 3, "MaxSize": 2}, "Max bound, 2, must be greater than or equal to min bound, 3"),
        ({"DesiredCapacity": 6}, "Desired capacity:6 must be between the specified min size:0 and max size:5"),
        ({"MinSize": 2, "DesiredCapacity": 1}, "Desired capacity:1 must be between"),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(cloud: Cloud, sizes: dict[str, int], words: str) -> None:
    a_launch_template(cloud)
    with pytest.raises(ClientError) as caught:
        cloud.client("autoscaling").create_auto_scaling_group(**a_request(**sizes))
    assert refusal(caught)[0] == "ValidationError"
    assert words in refusal(caught)[1]


def test_more_groups_than_the_quota_are_refused(cloud: Cloud) -> None:
    cloud.configure(max_groups=1)
    a_launch_template(cloud)
    autoscaling = cloud.client("autoscaling")
    autoscaling.create_auto_scaling_group(**a_request())
    with pytest.raises(ClientError) as caught:
        autoscaling.create_auto_scaling_group(**a_request(AutoScalingGroupName="other"))
    assert refusal(caught)[0] == "LimitExceeded"
    assert autoscaling.describe_account_limits()["MaxNumberOfAutoScalingGroups"] == 1


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("set_desired_capacity", {"DesiredCapacity": 1}),
        ("update_auto_scaling_group", {"MinSize": 1}),
        ("put_scheduled_update_group_action", {"ScheduledActionName": "a", "Recurrence": "0 8 * * *", "MinSize": 1}),
        ("describe_scaling_activities", {}),
        ("describe_scheduled_actions", {}),
        ("delete_auto_scaling_group", {}),
        ("suspend_processes", {}),
        ("resume_processes", {}),
    ],
)
def test_an_unknown_group_is_refused_in_the_words_of_aws(
    cloud: Cloud, operation: str, arguments: dict[str, Any]
) -> None:
    call = getattr(cloud.client("autoscaling"), operation)
    with pytest.raises(ClientError) as caught:
        call(AutoScalingGroupName="ghost", **arguments)
    assert refusal(caught)[0] == "ValidationError"
    assert "AutoScalingGroup 'ghost' not found" in refusal(caught)[1]


@pytest.mark.parametrize(("desired", "words"), [(6, "above max value 5"), (0, "below min value 1")])
def test_a_desired_capacity_outside_the_bounds_is_refused(cloud: Cloud, desired: int, words: str) -> None:
    cloud.create_fleet("web", min_size=1, max_size=5, desired=1)
    with pytest.raises(ClientError) as caught:
        cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=desired)
    assert refusal(caught)[0] == "ValidationError"
    assert words in refusal(caught)[1]
    assert group(cloud, "web")["DesiredCapacity"] == 1


def test_the_cooldown_blocks_only_a_caller_who_honours_it(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=5)
    autoscaling = cloud.client("autoscaling")
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1, HonorCooldown=True)
    with pytest.raises(ClientError) as caught:
        autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2, HonorCooldown=True)
    assert refusal(caught)[0] == "ScalingActivityInProgress"
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=2)
    cloud.advance(COOLDOWN_SECONDS)
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3, HonorCooldown=True)
    assert group(cloud, "web")["DesiredCapacity"] == 3


@pytest.mark.parametrize(
    ("change", "desired"),
    [
        ({"MinSize": 3}, 3),
        ({"MinSize": 1}, 2),
        ({"MaxSize": 1, "MinSize": 0}, 1),
        ({"MaxSize": 8}, 2),
        ({"DesiredCapacity": 4}, 4),
    ],
)
def test_an_update_moves_the_desired_capacity_only_as_far_as_the_bounds_ask(
    cloud: Cloud, change: dict[str, int], desired: int
) -> None:
    cloud.create_fleet("web", min_size=2, max_size=5, desired=2)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", **change)
    assert group(cloud, "web")["DesiredCapacity"] == desired


def test_an_update_that_is_refused_changes_nothing(cloud: Cloud) -> None:
    cloud.create_fleet("web", min_size=1, max_size=5, desired=2)
    with pytest.raises(ClientError) as caught:
        cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=3, DesiredCapacity=4)
    assert refusal(caught)[0] == "ValidationError"
    assert (group(cloud, "web")["MaxSize"], group(cloud, "web")["DesiredCapacity"]) == (5, 2)


def test_an_update_keeps_the_fields_that_it_does_not_name(cloud: Cloud) -> None:
    a_launch_template(cloud)
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateName": "web", "Version": "$Default"},
            "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}],
        },
        "InstancesDistribution": {"OnDemandBaseCapacity": 1},
    }
    request = a_request(MixedInstancesPolicy=policy, DefaultInstanceWarmup=30, DefaultCooldown=60)
    del request["LaunchTemplate"]
    autoscaling = cloud.client("autoscaling")
    autoscaling.create_auto_scaling_group(**request)
    before = group(cloud, "web")
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=9, TerminationPolicies=["OldestInstance"])
    after = group(cloud, "web")
    assert after.pop("MaxSize") == 9
    assert after.pop("TerminationPolicies") == ["OldestInstance"]
    assert after["DefaultInstanceWarmup"] == 30
    assert after["DefaultCooldown"] == 60
    assert after == {key: value for key, value in before.items() if key not in ("MaxSize", "TerminationPolicies")}


def test_a_group_with_instances_is_deleted_only_by_force(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=2)
    autoscaling = cloud.client("autoscaling")
    with pytest.raises(ClientError) as caught:
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web")
    assert refusal(caught)[0] == "ResourceInUse"
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    reservations = cloud.client("ec2").describe_instances()["Reservations"]
    assert {i["State"]["Name"] for r in reservations for i in r["Instances"]} == {"terminated"}


def test_groups_come_in_pages(cloud: Cloud) -> None:
    for number in range(5):
        cloud.create_fleet(f"web-{number}")
    autoscaling = cloud.client("autoscaling")
    pages = list(autoscaling.get_paginator("describe_auto_scaling_groups").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["AutoScalingGroups"]) for page in pages] == [2, 2, 1]
    names = [each["AutoScalingGroupName"] for page in pages for each in page["AutoScalingGroups"]]
    assert names == [f"web-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("arguments", "code"), [({"MaxRecords": 101}, "ValidationError"), ({"NextToken": "nonsense"}, "InvalidNextToken")]
)
def test_an_impossible_page_is_refused(cloud: Cloud, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.client("autoscaling").describe_auto_scaling_groups(**arguments)
    assert refusal(caught)[0] == code
