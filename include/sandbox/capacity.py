"""How the instances of an Auto Scaling group come and go: Pending, InService, Terminating, gone."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState

from sandbox.activities import Activity, begin, stamp
from sandbox.elbv2 import is_draining, registrations
from sandbox.group_lookup import is_suspended
from sandbox.patches import replaces
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTED_STATES = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")
_DIFFERENCE = "in response to a difference between desired and actual capacity"

_moto_launch = FakeAutoScalingGroup.replace_autoscaling_group_instances


@replaces(FakeAutoScalingGroup)
def active_instances(self: FakeAutoScalingGroup) -> list[InstanceState]:
    """Return the instances that count towards the desired capacity."""
    return [state for state in self.instance_states if state.lifecycle_state in COUNTED_STATES]


@replaces(FakeAutoScalingGroup)
def set_desired_capacity(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
    """Take the place of moto's immediate scaling wherever moto itself scales a group."""
    created = self.name not in self.autoscaling_backend.autoscaling_groups
    why = "a user request created an AutoScalingGroup" if created else "a user request changed the group"
    scale(self, (self.min_size or 0) if new_capacity is None else new_capacity, why)
    sync_target_groups(self)  # an instance may have gone to standby or been detached


def scale(group: FakeAutoScalingGroup, desired: int, why: str) -> None:
    """Set the desired capacity and start what it takes to get there."""
    before = getattr(group, "desired_capacity", None) or 0
    group.desired_capacity = desired
    head = f"At {stamp(WORLD.now())} {why} changing the desired capacity from {before} to {desired}.  "
    reconcile(group, head if before != desired else "")


def reconcile(group: FakeAutoScalingGroup, head: str = "") -> None:
    """Launch or terminate the difference between the desired and the actual capacity."""
    missing = _wanted_instances(group) - len(group.active_instances())
    if missing > 0 and not is_suspended(group, "Launch"):
        _launch(group, missing, head)
    elif missing < 0 and not is_suspended(group, "Terminate"):
        _scale_in(group, -missing, head)


def _wanted_instances(group: FakeAutoScalingGroup) -> int:
    desired = group.desired_capacity or 0
    overrides = (group.mixed_instances_policy or {}).get("LaunchTemplate", {}).get("Overrides") or [{}]
    return math.ceil(desired / max(int(overrides[0].get("WeightedCapacity") or 1), 1))


def _launch(group: FakeAutoScalingGroup, count: int, head: str) -> None:
    actual = len(group.active_instances())
    known = len(group.instance_states)
    _moto_launch(group, count, group.get_propagated_tags())
    text = f"At {stamp(WORLD.now())} an instance was started {_DIFFERENCE}, increasing the capacity from"
    for state in group.instance_states[known:]:
        state.lifecycle_state = "Pending"
        cause = f"{head}{text} {actual} to {actual + count}."
        launch = begin(group, f"Launching a new EC2 instance: {state.instance_id}", cause)
        vars(state)["_launch"] = launch
        WORLD.agenda.at(WORLD.after(_boot_seconds()), partial(_finish_boot, group, state, launch))


def _boot_seconds() -> float:
    settings = WORLD.settings
    return settings.boot_seconds * (1 + settings.boot_jitter * WORLD.random.uniform(-1, 1))


def _finish_boot(group: FakeAutoScalingGroup, state: InstanceState, launch: Activity) -> None:
    if state in group.instance_states and state.lifecycle_state == "Pending":
        state.lifecycle_state = "InService"
        launch.finish()
        sync_target_groups(group)


def _scale_in(group: FakeAutoScalingGroup, count: int, head: str) -> None:
    actual = len(group.active_instances())
    victims = [state for state in group.active_instances() if not state.protected_from_scale_in][:count]
    text = f"At {stamp(WORLD.now())} an instance was taken out of service {_DIFFERENCE}, shrinking the capacity from"
    terminate(group, victims, f"{head}{text} {actual} to {actual - count}.")


def terminate(group: FakeAutoScalingGroup, victims: Sequence[InstanceState], cause: str) -> list[Activity]:
    """Take instances out: they drain first where they are registered in a target group."""
    for state in victims:
        _cancel_launch(state)
        state.lifecycle_state = "Terminating"
    sync_target_groups(group)
    begun = []
    for state in victims:
        chosen = f"{cause}  At {stamp(WORLD.now())} instance {state.instance_id} was selected for termination."
        activity = begin(group, f"Terminating EC2 instance: {state.instance_id}", chosen)
        begun.append(activity)
        gone = partial(_finish_termination, group, state, activity)
        if _drains(group, state):
            WORLD.agenda.at(WORLD.after(WORLD.settings.drain_seconds), gone)
        else:
            gone()
    return begun


def _cancel_launch(state: InstanceState) -> None:
    launch: Activity | None = vars(state).get("_launch")
    if launch is not None and launch.end_time is None:
        launch.finish("Cancelled")


def _drains(group: FakeAutoScalingGroup, state: InstanceState) -> bool:
    known = group.autoscaling_backend.elbv2_backend.target_groups
    return any(is_draining(known[arn], state.instance_id) for arn in group.target_group_arns if arn in known)


def _finish_termination(group: FakeAutoScalingGroup, state: InstanceState, activity: Activity) -> None:
    if activity.end_time is not None:
        return
    activity.finish()
    group.instance_states = [other for other in group.instance_states if other is not state]
    group.autoscaling_backend.ec2_backend.terminate_instances([state.instance_id])


def sync_target_groups(group: FakeAutoScalingGroup) -> None:
    """Register the instances in service in the group's target groups, and take the others out."""
    serving = {state.instance_id for state in group.instance_states if state.lifecycle_state == "InService"}
    known = group.autoscaling_backend.elbv2_backend.target_groups
    for target_group in (known[arn] for arn in group.target_group_arns if arn in known):
        mine = registrations(target_group).by_group.setdefault(group.name, set())
        mine.intersection_update(target_group.targets)
        if leaving := mine - serving:
            target_group.deregister([{"Id": instance_id} for instance_id in sorted(leaving)])
        coming = set() if is_suspended(group, "AddToLoadBalancer") else serving - set(target_group.targets)
        if coming:
            target_group.register([{"Id": instance_id, "Port": target_group.port} for instance_id in sorted(coming)])
        registrations(target_group).by_group[group.name] = (mine - leaving) | coming


@replaces(AutoScalingBackend)
def update_attached_target_groups(self: AutoScalingBackend, group_name: str) -> None:
    """Take the place of moto's registration of everything at once."""
    sync_target_groups(self.autoscaling_groups[group_name])


@replaces(AutoScalingBackend)
def notify_terminate_instances(self: AutoScalingBackend, instance_ids: list[str]) -> None:
    """Replace instances that somebody terminated in EC2, as the health check of the group does."""
    for group in self.autoscaling_groups.values():
        lost = [state for state in group.instance_states if state.instance_id in instance_ids]
        if lost:
            when = stamp(WORLD.now())
            cause = (
                f"At {when} an instance was taken out of service in response to an EC2 health check "
                "indicating it has been terminated or stopped."
            )
            terminate(group, lost, cause)
            reconcile(group)


def instance_of(backend: AutoScalingBackend, instance_id: str) -> tuple[FakeAutoScalingGroup, InstanceState] | None:
    """Find a managed instance and its group."""
    for group in backend.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance_id == instance_id:
                return group, state
    return None


def sizes(group: FakeAutoScalingGroup) -> dict[str, Any]:
    """Return the four figures that AWS publishes about a group."""
    in_service = sum(state.lifecycle_state == "InService" for state in group.instance_states)
    return {
        "GroupDesiredCapacity": group.desired_capacity or 0,
        "GroupInServiceInstances": in_service,
        "GroupMinSize": group.min_size or 0,
        "GroupMaxSize": group.max_size or 0,
    }
