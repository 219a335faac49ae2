"""A new version of a launch template begins as a copy; an image may be a parameter of Systems Manager."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

import sandbox

IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


def test_a_version_takes_over_what_it_does_not_say() -> None:
    with sandbox.running() as cloud:
        ec2 = cloud.client("ec2")
        data = {"InstanceType": "t3.small", "KeyName": "ops"}
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
        for source in ({"SourceVersion": "1"}, {}):
            ec2.create_launch_template_version(
                LaunchTemplateName="web", LaunchTemplateData={"InstanceType": "t3.large"}, **source
            )
        rows = ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
        found = {row["VersionNumber"]: row["LaunchTemplateData"] for row in rows}
        assert found[2] == {"InstanceType": "t3.large", "KeyName": "ops"}
        assert found[3] == {"InstanceType": "t3.large"}


def test_an_image_is_looked_up_when_an_instance_is_launched() -> None:
    with sandbox.running() as cloud:
        ec2, wanted = cloud.client("ec2"), cloud.client("ssm").get_parameter(Name=IMAGE)["Parameter"]["Value"]
        started = ec2.run_instances(ImageId=f"resolve:ssm:{IMAGE}", MinCount=1, MaxCount=1, InstanceType="t3.small")
        assert started["Instances"][0]["ImageId"] == wanted
        with pytest.raises(ClientError, match="The parameter /no/such of image"):
            ec2.run_instances(ImageId="resolve:ssm:/no/such", MinCount=1, MaxCount=1, InstanceType="t3.small")
