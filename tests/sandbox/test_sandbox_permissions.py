"""IAM while it is enforced: a call needs a statement that names its action, its resource and its conditions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox import Cloud

MARKED = {"StringEquals": {"autoscaling:ResourceTag/team": "blue"}}


def allow(*actions: str, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **rest}


def a_user(cloud: Cloud, *statements: dict[str, Any]) -> Callable[..., Any]:
    """Make a user with these statements, enforce IAM, and give how the user reaches a service."""
    iam = cloud.client("iam")
    iam.create_user(UserName="ada")
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName="ada", PolicyName="all", PolicyDocument=document)
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    cloud.configure(iam=1)
    return lambda service: client(cloud, service, key["AccessKeyId"], key["SecretAccessKey"])


def client(cloud: Cloud, service: str, key_id: str, secret: str, **more: Any) -> Any:
    once = Config(retries={"total_max_attempts": 1})
    keys: dict[str, Any] = {"aws_access_key_id": key_id, "aws_secret_access_key": secret, **more}
    return boto3.client(service, endpoint_url=cloud.url, region_name="us-east-1", config=once, **keys)


def refused(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_everything_passes_until_it_is_enforced(cloud: Cloud) -> None:
    client(cloud, "sqs", "x", "y").list_queues()
    cloud.configure(iam=1)
    code, message = refused(client(cloud, "sqs", "x", "y").list_queues)
    assert (code, message) == ("InvalidClientTokenId", "The security token included in the request is invalid.")
    cloud.client("sqs").list_queues()


def test_what_is_allowed_passes_and_the_rest_is_named(cloud: Cloud) -> None:
    reach = a_user(cloud, allow("autoscaling:Describe*", "cloudwatch:getmetricdata"))
    reach("autoscaling").describe_auto_scaling_groups()
    code, message = refused(
        lambda: reach("autoscaling").set_desired_capacity(AutoScalingGroupName="a", DesiredCapacity=1)
    )
    assert code == "AccessDenied"
    assert "user/ada is not authorized to perform: autoscaling:SetDesiredCapacity" in message


@pytest.mark.parametrize(
    ("service", "operation", "code", "action"),
    [
        ("ec2", "describe_instances", "UnauthorizedOperation", "ec2:DescribeInstances"),
        ("sqs", "list_queues", "AccessDeniedException", "sqs:ListQueues"),
        ("elbv2", "describe_target_groups", "AccessDenied", "elasticloadbalancing:DescribeTargetGroups"),
        ("cloudwatch", "list_metrics", "AccessDeniedException", "cloudwatch:ListMetrics"),
    ],
)
def test_each_protocol_tells_it_in_its_own_code(
    cloud: Cloud, service: str, operation: str, code: str, action: str
) -> None:
    reach = a_user(cloud, allow("autoscaling:*"))
    found = refused(getattr(reach(service), operation))
    assert found[0] == code
    assert action in found[1]


def test_a_denial_goes_before_everything(cloud: Cloud) -> None:
    reach = a_user(cloud, allow("*"), {**allow("sqs:List*"), "Effect": "Deny"})
    reach("autoscaling").describe_auto_scaling_groups()
    assert "sqs:ListQueues" in refused(reach("sqs").list_queues)[1]


@pytest.mark.parametrize("of", ["name", "tag"])
def test_a_group_is_told_by_its_name_and_by_its_tags(cloud: Cloud, of: str) -> None:
    for name in ("ours", "theirs"):
        cloud.create_fleet(name, min_size=1, max_size=5, desired=2)
    tag = {"ResourceId": "ours", "ResourceType": "auto-scaling-group", "Key": "team", "Value": "blue"}
    cloud.client("autoscaling").create_or_update_tags(Tags=[{**tag, "PropagateAtLaunch": False}])
    cloud.advance(300)
    only = {"Resource": "arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/ours"}
    limit = only if of == "name" else {"Condition": MARKED}
    writes = allow("autoscaling:Update*", "autoscaling:Terminate*", "autoscaling:CreateOrUpdateTags", **limit)
    autoscaling = a_user(cloud, allow("autoscaling:Describe*"), writes)("autoscaling")
    groups = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    instances = {group["AutoScalingGroupName"]: group["Instances"][0]["InstanceId"] for group in groups}

    def change(name: str) -> None:
        autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MaxSize=6)
        autoscaling.create_or_update_tags(Tags=[{**tag, "ResourceId": name, "Key": "x", "PropagateAtLaunch": False}])

    def terminate(name: str) -> None:
        autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instances[name], ShouldDecrementDesiredCapacity=True
        )

    change("ours")
    terminate("ours")
    assert "autoScalingGroupName/theirs" in refused(lambda: change("theirs"))[1]
    assert "autoScalingGroupName/theirs" in refused(lambda: terminate("theirs"))[1]


def test_a_call_is_told_by_the_tags_it_brings(cloud: Cloud) -> None:
    cloud.create_fleet("template")
    asked = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    autoscaling = a_user(cloud, allow("autoscaling:CreateAutoScalingGroup", Condition=asked))("autoscaling")

    def create(team: str) -> None:
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=team,
            MinSize=0,
            MaxSize=1,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateName": "template"},
            Tags=[{"Key": "Name", "Value": team}, {"Key": "team", "Value": team}],
        )

    create("blue")
    assert "autoscaling:CreateAutoScalingGroup" in refused(lambda: create("green"))[1]


@pytest.mark.parametrize("mixed", [False, True])
def test_who_gives_a_group_a_template_with_a_parameter_for_an_image_must_be_allowed_to_read_it(
    cloud: Cloud, *, mixed: bool
) -> None:
    data = {"ImageId": "resolve:ssm:/an/image", "InstanceType": "t3.small"}
    cloud.client("ec2").create_launch_template(LaunchTemplateName="template", LaunchTemplateData=data)
    given = {"LaunchTemplateName": "template", "Version": "$Latest"}
    launch: dict[str, Any] = {"LaunchTemplate": given}
    if mixed:
        launch = {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": given}}}
    group: dict[str, Any] = {"MinSize": 0, "MaxSize": 1, "AvailabilityZones": ["us-east-1a"], **launch}
    autoscaling = a_user(cloud, allow("autoscaling:*"))("autoscaling")
    code, message = refused(lambda: autoscaling.create_auto_scaling_group(AutoScalingGroupName="web", **group))
    assert code == "AccessDenied"
    assert "not authorized to perform: ssm:GetParameters" in message
    cloud.client("autoscaling").create_auto_scaling_group(AutoScalingGroupName="web", **group)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=2)
    assert (
        "ssm:GetParameters"
        in refused(lambda: autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", **launch))[1]
    )


def test_a_condition_that_cannot_be_judged_does_not_hold(cloud: Cloud) -> None:
    reach = a_user(cloud, allow("sqs:*", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.1"}}))
    assert refused(reach("sqs").list_queues)[0] == "AccessDeniedException"


def test_a_role_that_was_assumed_has_the_roles_policies(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    trust = {"Version": "2012-10-17", "Statement": [allow("sts:AssumeRole")]}
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": allow("sqs:ListQueues")})
    policy = iam.create_policy(PolicyName="list", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="reader", PolicyArn=policy)
    cloud.configure(iam=1)
    keys = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="she")["Credentials"]
    key_id, secret, token = (keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    client(cloud, "sqs", key_id, secret, aws_session_token=token).list_queues()
    code, message = refused(client(cloud, "sns", key_id, secret, aws_session_token=token).list_topics)
    assert "assumed-role/reader/she is not authorized to perform: sns:ListTopics" in message
    assert code == "AccessDenied"
