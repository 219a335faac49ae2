"""An AWS Auto Scaling group as a fleet: its floor is moved by scheduled actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictive_scaling.aws_client import client, reading, writing
from predictive_scaling.errors import GroupNotFound
from predictive_scaling.fleets import Observed, Receipt
from predictive_scaling.schedule import ScheduledAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mypy_boto3_autoscaling.type_defs import (
        FailedScheduledUpdateGroupActionRequestTypeDef,
        ScheduledUpdateGroupActionTypeDef,
    )

    from predictive_scaling.fleet_spec import FleetSpec

_ALREADY_GONE = "not found"


class AutoScalingFleet:
    """Keeps the contract of `Fleet` through the Auto Scaling API."""

    def __init__(self, autoscaling: Any, group: str) -> None:
        self._autoscaling = autoscaling
        self._group = group

    @classmethod
    def of(cls, spec: FleetSpec) -> AutoScalingFleet:
        """Reach the group a fleet file names, with the fleet's connection."""
        return cls(client("autoscaling", connection=spec.connection, region=spec.region), spec.group)

    def observe(self) -> Observed:
        """Describe the group and all its scheduled actions."""
        with reading(f"describing group {self._group}"):
            answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
            pages = self._autoscaling.get_paginator("describe_scheduled_actions")
            found = pages.paginate(AutoScalingGroupName=self._group) if answer["AutoScalingGroups"] else ()
            actions = tuple(_action(row) for page in found for row in page["ScheduledUpdateGroupActions"])
        if not answer["AutoScalingGroups"]:
            msg = f"Auto Scaling group {self._group!r} does not exist in this account and region: correct `group:`"
            raise GroupNotFound(msg)
        group = answer["AutoScalingGroups"][0]
        return Observed(
            min_size=group["MinSize"],
            max_size=group["MaxSize"],
            desired=group["DesiredCapacity"],
            in_service=sum(instance["LifecycleState"] == "InService" for instance in group["Instances"]),
            actions=actions,
        )

    def put(self, actions: Sequence[ScheduledAction]) -> Receipt:
        """Write up to fifty actions in one call."""
        with writing(f"scheduling {len(actions)} actions on {self._group}"):
            answer = self._autoscaling.batch_put_scheduled_update_group_action(
                AutoScalingGroupName=self._group, ScheduledUpdateGroupActions=[_request(action) for action in actions]
            )
        return _receipt(answer, answer.get("FailedScheduledUpdateGroupActions", ()))

    def delete(self, names: Sequence[str]) -> Receipt:
        """Remove up to fifty actions in one call."""
        with writing(f"removing {len(names)} actions from {self._group}"):
            answer = self._autoscaling.batch_delete_scheduled_action(
                AutoScalingGroupName=self._group, ScheduledActionNames=list(names)
            )
        failed = answer.get("FailedScheduledActions", ())
        return _receipt(answer, (row for row in failed if _ALREADY_GONE not in row.get("ErrorMessage", "")))


def _action(row: ScheduledUpdateGroupActionTypeDef) -> ScheduledAction:
    recurrence = row.get("Recurrence")
    return ScheduledAction(
        name=row["ScheduledActionName"],
        start=None if recurrence else row.get("StartTime"),
        min_size=row.get("MinSize"),
        max_size=row.get("MaxSize"),
        desired=row.get("DesiredCapacity"),
        recurrence=recurrence,
    )


def _request(action: ScheduledAction) -> dict[str, Any]:
    sizes = {"MinSize": action.min_size, "MaxSize": action.max_size, "DesiredCapacity": action.desired}
    given = {key: value for key, value in sizes.items() if value is not None}
    return {"ScheduledActionName": action.name, "StartTime": action.start, **given}


def _receipt(answer: Any, failed: Iterable[FailedScheduledUpdateGroupActionRequestTypeDef]) -> Receipt:
    refused = {row["ScheduledActionName"]: f"{row.get('ErrorCode')}: {row.get('ErrorMessage')}" for row in failed}
    return Receipt(request_id=answer["ResponseMetadata"]["RequestId"], refused=refused)
