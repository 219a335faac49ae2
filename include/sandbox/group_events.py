"""What Auto Scaling tells EventBridge of its groups: launches, ends, and instances that wait for a lifecycle action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox.notices import announce

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup

    from sandbox.activities import Activity

LAUNCHED: Final = "EC2 Instance Launch Successful"
NOT_LAUNCHED: Final = "EC2 Instance Launch Unsuccessful"
ENDED: Final = "EC2 Instance Terminate Successful"
_SOURCE: Final = "aws.autoscaling"


def tell(group: FakeAutoScalingGroup, kind: str, activity: Activity, instance_id: str = "") -> None:
    """Put the event of an activity that is over on the bus."""
    detail = {
        "StatusCode": "Failed" if kind == NOT_LAUNCHED else "InProgress",
        "AutoScalingGroupName": group.name,
        "ActivityId": activity.activity_id,
        "RequestId": activity.activity_id,
        "Description": activity.description,
        "StatusMessage": activity.status_message or "",
        "Cause": activity.cause,
        "StartTime": f"{activity.start_time:%Y-%m-%dT%H:%M:%SZ}",
        "EndTime": f"{activity.end_time:%Y-%m-%dT%H:%M:%SZ}" if activity.end_time else "",
        "EC2InstanceId": instance_id,
    }
    announce(group.account_id, group.region, _SOURCE, kind, detail, _resources(group, instance_id))


def tell_of_a_wait(group: FakeAutoScalingGroup, kind: str, detail: dict[str, Any]) -> None:
    """Put the event of a lifecycle action on the bus: `kind` is launch or terminate."""
    name = f"EC2 Instance-{kind} Lifecycle Action"
    announce(group.account_id, group.region, _SOURCE, name, detail, [str(group.arn)])


def _resources(group: FakeAutoScalingGroup, instance_id: str) -> list[str]:
    instance = f"arn:aws:ec2:{group.region}:{group.account_id}:instance/{instance_id}"
    return [str(group.arn), *([instance] if instance_id else [])]
