"""What AWS says in prose is told apart by what has to change."""

from __future__ import annotations

import pytest

from predictive_scaling.fleets import Activity
from predictive_scaling.launch_failure import FailureKind, LaunchFailure, classify

SAID = [
    ("We currently do not have sufficient g4dn.xlarge capacity in the Availability Zone you requested", "capacity"),
    ("Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available", "capacity"),
    ("Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity", "capacity"),
    ("Your requested instance type (p5.48xlarge) is not supported in your requested Availability Zone.", "capacity"),
    ("You have requested more vCPU capacity than your current vCPU limit of 0 allows for the bucket", "quota"),
    ("VcpuLimitExceeded - You have requested more vCPU capacity than allowed", "quota"),
    ("There are not enough free addresses in subnet 'subnet-0a1b' to satisfy the request.", "quota"),
    ("The image id '[ami-0deadbeef]' does not exist. Launching EC2 instance failed.", "template"),
    ("You must use a valid fully-formed launch template. The launch template lt-1 does not exist.", "template"),
    ("The key pair 'ops' does not exist. Launching EC2 instance failed.", "template"),
    ("You are not authorized to perform this operation. Encoded authorization failure message: xyz", "permission"),
    ("Client.InternalError: Client error on launch", "permission"),
    ("You are not authorized to use launch template: lt-1", "permission"),
    ("The requested Availability Zone is no longer supported. Please retry your request by not specifying", "capacity"),
    ("You are not subscribed to this service. Please see https://aws.amazon.com/.", "permission"),
    ("20 instance(s) are already running. Launching EC2 instance failed.", "quota"),
    ("Invalid device name upload. Launching EC2 instance failed.", "template"),
    ("Value (ephemeral) for parameter virtualName is invalid. Expected format: 'ephemeralNUMBER'.", "template"),
    ("Placement groups may not be used with instances of type 'm1.large'. Launching EC2 instance failed.", "template"),
    ("The moon stands wrong.", "other"),
]


@pytest.mark.parametrize(("message", "kind"), SAID)
def test_each_kind_is_known_by_awss_own_words(message: str, kind: str) -> None:
    failure = classify(Activity(id="a", description="Launching a new EC2 instance", status="Failed", message=message))
    assert failure.kind.value == kind
    assert message.rstrip(".") in str(failure), "the words of AWS are kept"
    assert LaunchFailure.from_json(failure.as_json()) == failure


def test_every_kind_comes_with_its_mend() -> None:
    told = {str(LaunchFailure(kind=kind, reason="x")).rsplit("; ", 1)[1] for kind in FailureKind}
    assert len(told) == len(FailureKind)


def test_only_a_launch_that_did_not_come_is_a_failed_launch() -> None:
    assert Activity(id="a", description="Launching a new EC2 instance: i-1", status="Failed").failed_launch
    assert Activity(id="a", description="Launching a new EC2 instance: i-1", status="Cancelled").failed_launch
    assert not Activity(id="a", description="Launching a new EC2 instance: i-1", status="InProgress").failed_launch
    assert not Activity(id="a", description="Terminating EC2 instance: i-1", status="Failed").failed_launch
