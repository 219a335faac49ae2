"""AWS's answers as values of ours: pure, so that tasks and triggers, which call AWS differently, read them alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from predictive_scaling.fleets import Activity, Instance, Mix, Observed, ScalingPolicy, ScheduledAction
from predictive_scaling.metric import IN_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from mypy_boto3_autoscaling.type_defs import (
        ActivityTypeDef,
        AutoScalingGroupTypeDef,
        InstanceTypeDef,
        ScalingPolicyTypeDef,
        ScheduledUpdateGroupActionTypeDef,
    )


def counts_instances(group: Mapping[str, Any]) -> bool:
    """Whether AWS counts the group's instances in service, which it does only when told to."""
    return any(row["Metric"] == IN_SERVICE for row in group.get("EnabledMetrics", ()))


def observed(group: AutoScalingGroupTypeDef, actions: Iterable[ScheduledAction] = ()) -> Observed:
    """Read one group of DescribeAutoScalingGroups."""
    instances = tuple(_instance(row) for row in group["Instances"])
    return Observed(
        min_size=group["MinSize"],
        max_size=group["MaxSize"],
        desired=group["DesiredCapacity"],
        in_service=sum(instance.in_service for instance in instances),
        actions=tuple(actions),
        instances=instances,
        target_groups=tuple(group.get("TargetGroupARNs", ())),
        suspended=tuple(sorted(row.get("ProcessName", "") for row in group.get("SuspendedProcesses", ()))),
        zones=tuple(group.get("AvailabilityZones", ())),
        types=_types(group),
        mix=_mix(group),
        tags={str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in group.get("Tags", ())},
        group_id=_group_id(group),
    )


def action(row: ScheduledUpdateGroupActionTypeDef) -> ScheduledAction:
    """Read one row of DescribeScheduledActions."""
    recurrence = row.get("Recurrence")
    return ScheduledAction(
        name=row["ScheduledActionName"],
        start=None if recurrence else row.get("StartTime"),
        min_size=row.get("MinSize"),
        max_size=row.get("MaxSize"),
        desired=row.get("DesiredCapacity"),
        recurrence=recurrence,
    )


def activity(row: ActivityTypeDef) -> Activity:
    """Read one row of DescribeScalingActivities."""
    status, message = str(row["StatusCode"]), row.get("StatusMessage") or ""
    return Activity(
        id=row["ActivityId"],
        description=row.get("Description", ""),
        status=status,
        message=message,
        began=row.get("StartTime"),
        ended=row.get("EndTime"),
    )


def policy(row: ScalingPolicyTypeDef) -> ScalingPolicy:
    """Read one row of DescribePolicies; AWS's predictive policy acts only in the mode that says so."""
    kind = str(row.get("PolicyType", ""))
    mode = row.get("PredictiveScalingConfiguration", {}).get("Mode")
    return ScalingPolicy(
        name=row.get("PolicyName", ""),
        kind=kind,
        predicts=kind == "PredictiveScaling" and mode == "ForecastAndScale",
        enabled=row.get("Enabled", True),
    )


def target_states(answer: Mapping[str, Any]) -> dict[str, str]:
    """Read DescribeTargetHealth of one target group: the state of each target."""
    return {row["Target"]["Id"]: _target_state(row["TargetHealth"]) for row in answer["TargetHealthDescriptions"]}


def with_targets(seen: Observed, states: Iterable[Mapping[str, str]]) -> Observed:
    """Add what each target group says about each instance."""
    groups = tuple(states)
    instances = tuple(
        replace(each, targets=tuple(group.get(each.id, "absent") for group in groups)) for each in seen.instances
    )
    return replace(seen, instances=instances)


def launch_times(answers: Iterable[Mapping[str, Any]]) -> dict[str, datetime]:
    """Read the pages of DescribeInstances: when each instance was launched."""
    reservations = (row for answer in answers for row in answer["Reservations"])
    return {row["InstanceId"]: row["LaunchTime"] for each in reservations for row in each["Instances"]}


def with_launch_times(seen: Observed, times: Mapping[str, datetime]) -> Observed:
    """Add when each instance was launched."""
    instances = tuple(replace(each, launched_at=times.get(each.id)) for each in seen.instances)
    return replace(seen, instances=instances)


def _instance(row: InstanceTypeDef) -> Instance:
    return Instance(
        id=row["InstanceId"],
        zone=row["AvailabilityZone"],
        type=row.get("InstanceType", ""),
        lifecycle=row["LifecycleState"],
        healthy=row["HealthStatus"].lower() == "healthy",
        protected=row["ProtectedFromScaleIn"],
        weight=int(row.get("WeightedCapacity") or 1),
    )


def _types(group: AutoScalingGroupTypeDef) -> tuple[str, ...]:
    """The types a mixed group may launch instead of one another."""
    template = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    return tuple(row["InstanceType"] for row in template.get("Overrides", ()) if "InstanceType" in row)


def _mix(group: AutoScalingGroupTypeDef) -> Mix | None:
    """How a mixed group buys; without a share given, AWS buys on demand alone."""
    if "MixedInstancesPolicy" not in group:
        return None
    found = group["MixedInstancesPolicy"].get("InstancesDistribution", {})
    share = found.get("OnDemandPercentageAboveBaseCapacity")
    return Mix(base=found.get("OnDemandBaseCapacity") or 0, share=100 if share is None else share)


def _target_state(health: Mapping[str, str]) -> str:
    """A target group that is behind no load balancer never checks, so nothing can be awaited from it."""
    return "not in use" if health.get("Reason") == "Target.NotInUse" else health["State"]


def _group_id(group: AutoScalingGroupTypeDef) -> str | None:
    """Read it from arn:aws:autoscaling:REGION:ACCOUNT:…; one that is made anew under its name is the same."""
    match group.get("AutoScalingGroupARN", "").split(":"):
        case [_, _, _, region, account, *_]:
            return f"{account}/{region}/{group['AutoScalingGroupName']}"
    return None
