"""One sandbox cloud and one kind of fleet for all stories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rights import marked

import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    """A cloud with one Auto Scaling group, `web`, marked as ours, its clock standing at Monday 08:00:20 UTC."""
    with sandbox.running() as running:
        running.clock(now="2026-01-05T08:00:20+00:00", speed=0)
        ec2 = running.client("ec2")
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        template = {"ImageId": image, "InstanceType": "t3.micro"}
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=template)
        running.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="web",
            MinSize=2,
            MaxSize=20,
            DesiredCapacity=2,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateName": "web"},
        )
        marked(running)
        yield running
