"""The Auto Scaling groups' API: AWS's checks and messages in front of moto's store."""

from __future__ import annotations

import copy
from typing import Any

import moto.autoscaling.models
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from sandbox.activities import stamp
from sandbox.capacity import scale
from sandbox.cooldown import check_cooldown, start_cooldown
from sandbox.errors import AlreadyExists, LimitExceeded, ResourceInUse, ValidationError
from sandbox.group_instances import instance_of
from sandbox.group_lookup import check_bounds, existing_group
from sandbox.hooks import hooks_of, put_hook
from sandbox.paging import page
from sandbox.patches import replaces
from sandbox.policies import delete_policy_of, policies_of
from sandbox.rounds import look_again
from sandbox.terminating import terminate
from sandbox.termination_policy import known_policies
from sandbox.warm_pool import empty
from sandbox.world import WORLD

replaces(moto.autoscaling.models, "utcnow")(WORLD.clock.now_naive)

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)

_moto_create = AutoScalingBackend.create_auto_scaling_group
_moto_update = AutoScalingBackend.update_auto_scaling_group
_moto_suspend = AutoScalingBackend.suspend_processes
_moto_resume = AutoScalingBackend.resume_processes
_moto_describe = AutoScalingBackend.describe_auto_scaling_groups


@replaces(AutoScalingBackend)
def create_auto_scaling_group(self: AutoScalingBackend, name: str, **request: Any) -> FakeAutoScalingGroup:
    """Create a group; a name in use and sizes that contradict each other are refused."""
    if name in self.autoscaling_groups:
        message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
        raise AlreadyExists(message)
    if len(self.autoscaling_groups) >= WORLD.settings.max_groups:
        message = f"The maximum number of Auto Scaling groups, {WORLD.settings.max_groups}, has been reached"
        raise LimitExceeded(message)
    check_bounds(request["min_size"], request["max_size"], request["desired_capacity"])
    group = _moto_create(self, name=name, **request)
    group.created_time = WORLD.now().isoformat()
    return group


@replaces(AutoScalingBackend)
def update_auto_scaling_group(self: AutoScalingBackend, name: str, **request: Any) -> FakeAutoScalingGroup:
    """Update what is given and keep the rest; a bound that excludes the desired capacity moves it."""
    group = existing_group(self, name)
    given = {key: request.pop(key) for key in ("min_size", "max_size", "desired_capacity")}
    minimum = group.min_size if given["min_size"] is None else given["min_size"]
    maximum = group.max_size if given["max_size"] is None else given["max_size"]
    check_bounds(minimum, maximum, given["desired_capacity"])
    if request["mixed_instances_policy"] is None and not request["launch_template"]:
        request["mixed_instances_policy"] = _kept_policy(group)
    elif request["mixed_instances_policy"] and "LaunchTemplate" not in request["mixed_instances_policy"]:
        request["mixed_instances_policy"] = {**(_kept_policy(group) or {}), **request["mixed_instances_policy"]}
    _moto_update(self, name=name, min_size=None, max_size=None, desired_capacity=None, **request)
    resize(group, minimum, maximum, given["desired_capacity"], "a user request update of AutoScalingGroup constraints")
    return group


def _kept_policy(group: FakeAutoScalingGroup) -> dict[str, Any] | None:
    """Return the policy in the form that moto takes it: by the id of the launch template alone."""
    policy = copy.deepcopy(group.mixed_instances_policy)
    if policy:
        policy["LaunchTemplate"]["LaunchTemplateSpecification"].pop("LaunchTemplateName", None)
    return policy


def resize(
    group: FakeAutoScalingGroup, minimum: int | None, maximum: int | None, desired: int | None, why: str
) -> None:
    """Set the bounds, and the desired capacity as asked or as near as the bounds allow."""
    group.min_size, group.max_size = minimum, maximum
    if desired is None:
        desired = min(max(group.desired_capacity or 0, minimum or 0), maximum or 0)
    scale(group, desired, f"{why} to min: {minimum}, max: {maximum}, desired: {desired}")


_moto_update_response = AutoScalingResponse.update_auto_scaling_group


@replaces(AutoScalingResponse, "update_auto_scaling_group")
def update_with_what_moto_ignores(self: AutoScalingResponse) -> ActionResult:
    """Update a group, also in the fields that moto takes and drops."""
    _check_termination_policies(self)
    result = _moto_update_response(self)
    group = existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
    cooldown, policies = self._get_int_param("DefaultCooldown"), self._get_param("TerminationPolicies")
    group.default_cooldown = group.default_cooldown if cooldown is None else cooldown
    group.termination_policies = policies or group.termination_policies
    _keep_extra(self, group)
    return result


_moto_create_response = AutoScalingResponse.create_auto_scaling_group


@replaces(AutoScalingResponse, "create_auto_scaling_group")
def create_with_what_moto_ignores(self: AutoScalingResponse) -> ActionResult:
    """Create a group, also with the fields that moto takes and drops."""
    _check_termination_policies(self)
    result = _moto_create_response(self)
    group = existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
    group.health_check_grace_period = self._get_int_param("HealthCheckGracePeriod", 0)
    for hook in self._get_param("LifecycleHookSpecificationList", []):
        put_hook(group, hook)
    _keep_extra(self, group)
    return result


def _check_termination_policies(self: AutoScalingResponse) -> None:
    for policy in self._get_param("TerminationPolicies", []):
        if policy not in known_policies():
            message = f"{policy} is not a valid termination policy; use one of {', '.join(known_policies())}"
            raise ValidationError(message)


def _keep_extra(self: AutoScalingResponse, group: FakeAutoScalingGroup) -> None:
    for parameter, attribute in (
        ("DefaultInstanceWarmup", "default_instance_warmup"),
        ("MaxInstanceLifetime", "max_instance_lifetime"),
    ):
        value = self._get_int_param(parameter)
        if value is not None:
            vars(group)[attribute] = value
    group.capacity_rebalance = self._get_bool_param("CapacityRebalance", if_none=group.capacity_rebalance)


@replaces(AutoScalingResponse)
def describe_auto_scaling_groups(self: AutoScalingResponse) -> ActionResult:
    """List groups in pages; unknown names are left out."""
    groups = _moto_describe(
        self.autoscaling_backend, self._get_param("AutoScalingGroupNames", []), filters=self._get_param("Filters", [])
    )
    items, token = page(groups, token=self._get_param("NextToken"), size=self._get_int_param("MaxRecords"), default=50)
    return ActionResult({"AutoScalingGroups": items, "NextToken": token})


@replaces(AutoScalingResponse)
def set_desired_capacity(self: AutoScalingResponse) -> ActionResult:
    """Set the desired capacity within the bounds, and after the cooldown if the caller honours it."""
    group = existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))
    desired = self._get_int_param("DesiredCapacity")
    for bound, side, broken in (
        (group.max_size, "above max", desired > (group.max_size or 0)),
        (group.min_size, "below min", desired < (group.min_size or 0)),
    ):
        if broken:
            message = f"New SetDesiredCapacity value {desired} is {side} value {bound} for the AutoScalingGroup."
            raise ValidationError(message)
    if self._get_bool_param("HonorCooldown", if_none=False):
        check_cooldown(group)
    if desired != group.desired_capacity:
        start_cooldown(group, group.default_cooldown)
    scale(group, desired, "a user request explicitly set group desired capacity")
    return EmptyResult()


@replaces(AutoScalingResponse)
def delete_auto_scaling_group(self: AutoScalingResponse) -> ActionResult:
    """Delete a group; one with instances only by force."""
    backend, name = self.autoscaling_backend, self._get_param("AutoScalingGroupName")
    group = existing_group(backend, name)
    if group.instance_states and not self._get_bool_param("ForceDelete", if_none=False):
        message = (
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group."
        )
        raise ResourceInUse(message)
    empty(group)
    hooks_of(group).clear()  # nobody is asked when a group is deleted by force
    terminate(group, group.active_instances(), f"At {stamp(WORLD.now())} a user request deleted the AutoScalingGroup.")
    for policy in list(policies_of(group).values()):
        delete_policy_of(group, policy)
    backend.autoscaling_groups.pop(name)
    return EmptyResult()


@replaces(AutoScalingResponse)
def terminate_instance_in_auto_scaling_group(self: AutoScalingResponse) -> ActionResult:
    """Terminate one instance, with or without a replacement."""
    instance_id = self._get_param("InstanceId")
    found = instance_of(self.autoscaling_backend, instance_id)
    if found is None:
        message = f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
        raise ValidationError(message)
    group, state = found
    cause = f"At {stamp(WORLD.now())} instance {instance_id} was taken out of service in response to a user request"
    if self._get_bool_param("ShouldDecrementDesiredCapacity", if_none=False):
        before = group.desired_capacity or 0
        if before <= (group.min_size or 0):
            message = (
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance without replacement "
                "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or "
                "lower group's min size."
            )
            raise ValidationError(message)
        group.desired_capacity = before - 1
        cause += f", shrinking the capacity from {before} to {before - 1}"
    (activity,) = terminate(group, [state], f"{cause}.")
    look_again(group)
    return ActionResult({"Activity": activity})


@replaces(AutoScalingBackend)
def suspend_processes(self: AutoScalingBackend, group_name: str, scaling_processes: list[str]) -> None:
    """Suspend processes of a group that exists."""
    existing_group(self, group_name)
    _check_processes(scaling_processes)
    _moto_suspend(self, group_name, scaling_processes)


def _check_processes(names: list[str]) -> None:
    for name in names:
        if name not in PROCESSES:
            message = f"{name} is not a valid scaling process; use one of {', '.join(PROCESSES)}"
            raise ValidationError(message)


@replaces(AutoScalingBackend)
def resume_processes(self: AutoScalingBackend, group_name: str, scaling_processes: list[str]) -> None:
    """Resume processes; what a suspended Launch or Terminate left undone is done now."""
    group = existing_group(self, group_name)
    _check_processes(scaling_processes)
    _moto_resume(self, group_name, scaling_processes)
    look_again(group)


@replaces(AutoScalingResponse)
def describe_account_limits(self: AutoScalingResponse) -> ActionResult:
    """Tell the quotas and how much of them is used."""
    backend = self.autoscaling_backend
    return ActionResult(
        {
            "MaxNumberOfAutoScalingGroups": WORLD.settings.max_groups,
            "MaxNumberOfLaunchConfigurations": 200,
            "NumberOfAutoScalingGroups": len(backend.autoscaling_groups),
            "NumberOfLaunchConfigurations": len(backend.launch_configurations),
        }
    )
