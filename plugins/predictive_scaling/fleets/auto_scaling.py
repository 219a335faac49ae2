"""An AWS Auto Scaling group as a fleet: its floor is moved by scheduled actions, its size by hand."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from predictive_scaling.aws_client import client, is_invalid, reading, writing
from predictive_scaling.errors import CloudUnavailable, GroupNotFound, WriteRefused
from predictive_scaling.fleets import HELD_BY, Activity, Examined, Observed, Receipt, ScalingPolicy, Sizes, aws_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, FailedScheduledUpdateGroupActionRequestTypeDef

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import ScheduledAction

_ALREADY_GONE = "not found"
_PAGE = 100
"""AWS's limit for a page of groups, activities, or instances asked for by id at a time."""


class AutoScalingFleet:
    """Keeps the contract of `Fleet` through the Auto Scaling API."""

    def __init__(self, autoscaling: Any, group: str, reach: Callable[[str], Any] | None = None) -> None:
        """Take a client, and how to reach other services; `examine` alone needs them, so they come late."""
        self._autoscaling = autoscaling
        self._group = group
        self._reach = reach

    @classmethod
    def of(cls, spec: FleetSpec) -> AutoScalingFleet:
        """Reach the group a fleet file names, with the fleet's connection."""
        reach = partial(client, connection=spec.connection, region=spec.region)
        return cls(reach("autoscaling"), spec.group, reach)

    def observe(self) -> Observed:
        """Describe the group and all its scheduled actions."""
        with self._looking(f"describing group {self._group}"):
            group = self._described()
            pages = self._autoscaling.get_paginator("describe_scheduled_actions")
            found = pages.paginate(AutoScalingGroupName=self._group, PaginationConfig={"PageSize": _PAGE})
            actions = [aws_answers.action(row) for page in found for row in page["ScheduledUpdateGroupActions"]]
        return aws_answers.observed(group, actions)

    def activities(self) -> Sequence[Activity]:
        """Describe the newest activities, a page of them."""
        with self._looking(f"reading the activities of group {self._group}"):
            answer = self._autoscaling.describe_scaling_activities(AutoScalingGroupName=self._group, MaxRecords=_PAGE)
        return tuple(aws_answers.activity(row) for row in answer["Activities"])

    def examine(self) -> Examined:
        """Describe the group, its activities, its targets' health and its instances."""
        seen, activities = self.observe(), self.activities()
        with reading(f"examining group {self._group}"):
            seen = aws_answers.with_targets(seen, self._target_states(seen.target_groups))
            seen = aws_answers.with_launch_times(seen, aws_answers.launch_times(self._descriptions(seen)))
        return Examined(observed=seen, activities=tuple(activities))

    def policies(self) -> Sequence[ScalingPolicy]:
        """Describe the scaling policies, AWS's own predictive one among them."""
        with self._looking(f"reading the scaling policies of group {self._group}"):
            pages = self._autoscaling.get_paginator("describe_policies")
            found = pages.paginate(AutoScalingGroupName=self._group)
            return tuple(aws_answers.policy(row) for page in found for row in page["ScalingPolicies"])

    def claim(self, holder: str) -> Receipt:
        """Tag the group, not its instances."""
        tag = {"ResourceId": self._group, "ResourceType": "auto-scaling-group", "Key": HELD_BY, "Value": holder}
        with writing(f"tagging group {self._group} as held by {holder}"):
            answer = self._autoscaling.create_or_update_tags(Tags=[{**tag, "PropagateAtLaunch": False}])
        return _receipt(answer, ())

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

    def resize(self, sizes: Sizes) -> Receipt:
        """Update the group's sizes in one call; how it buys is read first, for AWS takes that as a whole."""
        given = {
            "MinSize": sizes.min_size,
            "MaxSize": sizes.max_size,
            "DesiredCapacity": sizes.desired,
            "MixedInstancesPolicy": None if sizes.on_demand is None else self._bought_with(sizes.on_demand),
        }
        with writing(f"resizing group {self._group} to {sizes.as_json()}"):
            answer = self._autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=self._group, **{key: value for key, value in given.items() if value is not None}
            )
        return _receipt(answer, ())

    def retire(self, instance_id: str) -> Receipt:
        """Terminate one instance without a replacement."""
        try:
            with writing(f"letting go of {instance_id} of group {self._group}"):
                answer = self._autoscaling.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance_id, ShouldDecrementDesiredCapacity=True
                )
        except WriteRefused as error:
            if _ALREADY_GONE not in str(error) and self._has(instance_id):
                raise
            return Receipt(request_id="already gone")
        return _receipt(answer, ())

    @contextmanager
    def _looking(self, what: str) -> Iterator[None]:
        """Translate the failures of a look; a group that is deleted between two of its calls is gone."""
        try:
            with reading(what):
                yield
        except CloudUnavailable as error:
            if is_invalid(error):
                with reading(what):
                    self._described()
            raise

    def _described(self) -> AutoScalingGroupTypeDef:
        answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self._group])
        group: AutoScalingGroupTypeDef | None = next(iter(answer["AutoScalingGroups"]), None)
        if group is None:
            raise GroupNotFound(no_group(self._group))
        return group

    def _has(self, instance_id: str) -> bool:
        """Rights that go by a group's tags are refused for an instance in no group, so a refusal may mean: gone."""
        return any(instance.id == instance_id for instance in self.observe().instances)

    def _bought_with(self, base: int) -> dict[str, Any]:
        """Give the group's own way of buying with another base on demand."""
        with reading(f"describing group {self._group}"):
            present = self._described().get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
        return {"InstancesDistribution": {**present, "OnDemandBaseCapacity": base}}

    def _target_states(self, arns: Sequence[str]) -> list[dict[str, str]]:
        elb = self._other("elbv2") if arns else None
        return [aws_answers.target_states(elb.describe_target_health(TargetGroupArn=arn)) for arn in arns if elb]

    def _descriptions(self, seen: Observed) -> list[dict[str, Any]]:
        ids = [instance.id for instance in seen.instances]
        ec2 = self._other("ec2") if ids else None
        parts = (ids[at : at + _PAGE] for at in range(0, len(ids), _PAGE))
        by_id = ({"Name": "instance-id", "Values": part} for part in parts)  # unlike InstanceIds, forgives the gone
        return [ec2.describe_instances(Filters=[one]) for one in by_id if ec2]

    def _other(self, service: str) -> Any:
        if self._reach is None:
            msg = f"group {self._group} was reached with a client of Auto Scaling alone; examining it needs {service}"
            raise TypeError(msg)
        return self._reach(service)


def no_group(group: str) -> str:
    """Say that there is no such group."""
    return f"Auto Scaling group {group!r} does not exist in this account and region: correct `group:`"


def _request(action: ScheduledAction) -> dict[str, Any]:
    sizes = {"MinSize": action.min_size, "MaxSize": action.max_size, "DesiredCapacity": action.desired}
    given = {key: value for key, value in sizes.items() if value is not None}
    return {"ScheduledActionName": action.name, "StartTime": action.start, **given}


def _receipt(answer: Any, failed: Iterable[FailedScheduledUpdateGroupActionRequestTypeDef]) -> Receipt:
    refused = {row["ScheduledActionName"]: f"{row.get('ErrorCode')}: {row.get('ErrorMessage')}" for row in failed}
    return Receipt(request_id=answer["ResponseMetadata"]["RequestId"], refused=refused)
