"""Where a task's link leads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from budgeting import a_fleet_of

from predictive_scaling.links import console_address


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-central-1", "https://eu-central-1.console.aws.amazon.com/ec2/home?region=eu-central-1#"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/ec2/home?region=cn-north-1#"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/ec2/home?region=us-gov-west-1#"),
        (None, "https://console.aws.amazon.com/ec2/home#"),
    ],
)
def test_a_group_is_shown_in_the_console_of_its_own_partition(region: str | None, console: str) -> None:
    address = console_address(replace(a_fleet_of(), region=region))
    assert address.startswith(f"{console}AutoScalingGroupDetails:id=")
