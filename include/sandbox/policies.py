"""Scaling policies that act: simple and step policies when an alarm or a caller says so, target tracking by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from sandbox import target_tracking
from sandbox.adjustments import adjusted, step
from sandbox.capacity import scale
from sandbox.cooldown import check_cooldown, cools, start_cooldown
from sandbox.errors import LimitExceeded, ValidationError
from sandbox.group_lookup import existing_group, is_suspended
from sandbox.paging import page
from sandbox.patches import replaces
from sandbox.warmup import is_warming, warm_capacity, warmup_seconds
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.autoscaling.models import AutoScalingBackend
    from moto.cloudwatch.models import Alarm

MAX_POLICIES = 50
MAX_STEPS = 20
SIMPLE, STEP, TRACKING, PREDICTIVE = "SimpleScaling", "StepScaling", "TargetTrackingScaling", "PredictiveScaling"


@dataclass(slots=True, kw_only=True)
class Policy:
    """One policy of one group; `request` holds what was asked for, under the names of the API."""

    name: str
    group: FakeAutoScalingGroup
    kind: str
    request: dict[str, Any]
    alarms: list[dict[str, str]] = field(default_factory=list)
    token: str = field(default_factory=lambda: str(UUID(int=WORLD.random.getrandbits(128), version=4)))

    @property
    def arn(self) -> str:
        """Return the address that alarms call."""
        place = f"arn:aws:autoscaling:{self.group.region}:{self.group.account_id}:scalingPolicy:{self.token}"
        return f"{place}:autoScalingGroupName/{self.group.name}:policyName/{self.name}"

    @property
    def enabled(self) -> bool:
        """Tell whether the policy acts at all."""
        return bool(self.request.get("Enabled", True))

    @property
    def warmup(self) -> float:
        """Return the seconds until an instance counts."""
        return warmup_seconds(self.group, self.request.get("EstimatedInstanceWarmup"))

    def shown(self) -> dict[str, Any]:
        """Return the policy as the API describes it."""
        return {
            **self.request,
            "AutoScalingGroupName": self.group.name,
            "PolicyName": self.name,
            "PolicyType": self.kind,
            "PolicyARN": self.arn,
            "Alarms": self.alarms,
            "Enabled": self.enabled,
        }


def policies_of(group: FakeAutoScalingGroup) -> dict[str, Policy]:
    """Return the policies of a group by name."""
    policies: dict[str, Policy] = vars(group).setdefault("_policies", {})
    return policies


def _every_policy(backend: AutoScalingBackend) -> Iterator[Policy]:
    for group in list(backend.autoscaling_groups.values()):
        yield from list(policies_of(group).values())


def carry_out(arn: str, alarm: Alarm, value: float | None) -> None:
    """Do what an alarm calls a policy for."""
    _, _, _, region, account, _ = arn.split(":", 5)
    policy = next((each for each in _every_policy(autoscaling_backends[account][region]) if each.arn == arn), None)
    if policy is None or not policy.enabled or is_suspended(policy.group, "AlarmNotification"):
        return
    if value is None:
        return
    why = f"a monitor alarm {alarm.name} in state {alarm.state_value} triggered policy {policy.name}"
    if policy.kind == TRACKING:
        _track(policy, alarm, value, why)
    elif policy.kind == STEP:
        _take_step(policy, value - float(alarm.threshold), why)
    elif policy.kind == SIMPLE and not cools(policy.group):
        _adjust_simply(policy, why)


def _resize(policy: Policy, desired: int, why: str) -> bool:
    """Scale within the bounds; tell whether that changed anything."""
    group = policy.group
    desired = min(max(desired, group.min_size or 0), group.max_size or 0)
    if desired == group.desired_capacity:
        return False
    scale(group, desired, why)
    return True


def _adjust_simply(policy: Policy, why: str) -> None:
    request, group = policy.request, policy.group
    least = int(request.get("MinAdjustmentMagnitude") or 0)
    before = group.desired_capacity or 0
    if _resize(policy, adjusted(before, request["AdjustmentType"], request["ScalingAdjustment"], least), why):
        start_cooldown(group, request.get("Cooldown") or group.default_cooldown)


def _take_step(policy: Policy, difference: float, why: str) -> None:
    """Scale by the step that the metric has reached: out beyond what is warm already, in only when all is warm."""
    request, group = policy.request, policy.group
    adjustment = step(request.get("StepAdjustments", ()), difference)
    if adjustment is None:
        return
    desired = group.desired_capacity or 0
    kind, least = request["AdjustmentType"], int(request.get("MinAdjustmentMagnitude") or 0)
    wanted = adjusted(min(warm_capacity(group, policy.warmup), desired), kind, adjustment, least)
    if adjusted(desired, kind, adjustment, least) > desired:
        _resize(policy, max(wanted, desired), why)
    elif not is_warming(group, policy.warmup):
        _resize(policy, adjusted(desired, kind, adjustment, least), why)


def _track(policy: Policy, alarm: Alarm, value: float, why: str) -> None:
    """Follow the target: out at once, in only when every instance is warm and every other target agrees."""
    group = policy.group
    desired = group.desired_capacity or 0
    wanted = _tracked(policy, value)
    if target_tracking.is_high(alarm):
        _resize(policy, max(wanted, desired), why)
        return
    if is_warming(group, policy.warmup):
        return
    others = [each for each in policies_of(group).values() if each.kind == TRACKING and each is not policy]
    for other in others:
        level = target_tracking.low_value(group, other.alarms)
        if level is None:
            return  # its alarm to scale in is not on: it needs what is there
        wanted = max(wanted, _tracked(other, level))
    if wanted < desired:
        _resize(policy, wanted, why)


def _tracked(policy: Policy, value: float) -> int:
    return target_tracking.wanted(
        policy.request["TargetTrackingConfiguration"], warm_capacity(policy.group, policy.warmup), value
    )


def put_policy(group: FakeAutoScalingGroup, request: Mapping[str, Any]) -> Policy:
    """Add a policy or put another one in its place; it keeps its address."""
    kind, name = request.get("PolicyType") or SIMPLE, request["PolicyName"]
    before = policies_of(group).get(name)
    if before is None and len(policies_of(group)) >= MAX_POLICIES:
        message = f"The maximum number of scaling policies, {MAX_POLICIES}, has been reached for the group {group.name}"
        raise LimitExceeded(message)
    _check(kind, request)
    kept = {key: value for key, value in request.items() if key not in ("AutoScalingGroupName", "PolicyName")}
    policy = Policy(name=name, group=group, kind=kind, request=kept)
    if before is not None:
        policy.token = before.token
        target_tracking.delete_alarms(group, before.alarms)
    policies_of(group)[name] = policy
    if kind == TRACKING:
        policy.alarms = target_tracking.create_alarms(group, policy.arn, request["TargetTrackingConfiguration"])
    return policy


def _check(kind: str, request: Mapping[str, Any]) -> None:
    needed = {
        SIMPLE: ("AdjustmentType", "ScalingAdjustment"),
        STEP: ("AdjustmentType", "StepAdjustments"),
        TRACKING: ("TargetTrackingConfiguration",),
        PREDICTIVE: ("PredictiveScalingConfiguration",),
    }
    if kind not in needed:
        message = f"PolicyType {kind} is not valid; use one of {', '.join(needed)}"
        raise ValidationError(message)
    for key in needed[kind]:
        if request.get(key) in (None, []):
            message = f"{key} is required for a policy of type {kind}"
            raise ValidationError(message)
    if len(request.get("StepAdjustments") or ()) > MAX_STEPS:
        message = f"A policy can have at most {MAX_STEPS} step adjustments"
        raise ValidationError(message)


def delete_policy_of(group: FakeAutoScalingGroup, policy: Policy) -> None:
    """Delete a policy and the alarms that it made for itself."""
    target_tracking.delete_alarms(group, policy.alarms)
    del policies_of(group)[policy.name]


def _named(self: AutoScalingResponse) -> Policy:
    """Find the policy of a request by its name in a group, or by its ARN."""
    name, group = self._get_param("PolicyName"), self._get_param("AutoScalingGroupName")
    for policy in _every_policy(self.autoscaling_backend):
        if policy.arn == name or (policy.name == name and group in (None, policy.group.name)):
            return policy
    message = f"The policy with name {name} does not exist"
    raise ValidationError(message)


@replaces(AutoScalingResponse)
def put_scaling_policy(self: AutoScalingResponse) -> ActionResult:
    """Add or replace a policy; target tracking answers with the alarms that it has made."""
    group = existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
    policy = put_policy(group, self._get_params())
    return ActionResult({"PolicyARN": policy.arn, "Alarms": policy.alarms})


@replaces(AutoScalingResponse)
def describe_policies(self: AutoScalingResponse) -> ActionResult:
    """List policies of one group or of all."""
    name = self._get_param("AutoScalingGroupName")
    names, kinds = self._get_param("PolicyNames", []), self._get_param("PolicyTypes", [])
    found = [
        policy.shown()
        for policy in _every_policy(self.autoscaling_backend)
        if name in (None, policy.group.name)
        and (not names or policy.name in names or policy.arn in names)
        and (not kinds or policy.kind in kinds)
    ]
    items, token = page(found, token=self._get_param("NextToken"), size=self._get_int_param("MaxRecords"), default=50)
    return ActionResult({"ScalingPolicies": items, "NextToken": token})


@replaces(AutoScalingResponse)
def delete_policy(self: AutoScalingResponse) -> ActionResult:
    """Delete a policy."""
    policy = _named(self)
    delete_policy_of(policy.group, policy)
    return EmptyResult()


@replaces(AutoScalingResponse)
def execute_policy(self: AutoScalingResponse) -> ActionResult:
    """Do what a simple or a step policy says, as if its alarm had gone off."""
    policy = _named(self)
    why = f"a user request executed policy {policy.name}"
    if self._get_bool_param("HonorCooldown", if_none=False):
        check_cooldown(policy.group)
    match policy.kind:
        case "SimpleScaling":
            _adjust_simply(policy, why)
        case "StepScaling":
            _take_step(policy, _difference(self), why)
        case _:
            message = f"A policy of type {policy.kind} cannot be executed"
            raise ValidationError(message)
    return EmptyResult()


def _difference(self: AutoScalingResponse) -> float:
    value, threshold = self._get_param("MetricValue"), self._get_param("BreachThreshold")
    if value is None or threshold is None:
        message = "MetricValue and BreachThreshold are required to execute a policy of type StepScaling"
        raise ValidationError(message)
    return float(value) - float(threshold)
