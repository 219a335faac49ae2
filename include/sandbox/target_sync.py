"""Keeping the target groups of an Auto Scaling group in step with its instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState

from sandbox.elbv2 import drains_for, registrations
from sandbox.group_lookup import is_suspended
from sandbox.patches import replaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.elbv2.models import FakeTargetGroup


def _target_groups(group: FakeAutoScalingGroup) -> Iterator[FakeTargetGroup]:
    known = group.autoscaling_backend.elbv2_backend.target_groups
    return (known[arn] for arn in group.target_group_arns if arn in known)


def sync_target_groups(group: FakeAutoScalingGroup) -> None:
    """Register the instances in service in the group's target groups, and take the others out."""
    serving = {state.instance_id for state in group.instance_states if state.lifecycle_state == "InService"}
    for target_group in _target_groups(group):
        mine = registrations(target_group).by_group.setdefault(group.name, set())
        mine.intersection_update(target_group.targets)
        if leaving := mine - serving:
            target_group.deregister([{"Id": instance_id} for instance_id in sorted(leaving)])
        coming = set() if is_suspended(group, "AddToLoadBalancer") else serving - set(target_group.targets)
        if coming:
            target_group.register([{"Id": instance_id, "Port": target_group.port} for instance_id in sorted(coming)])
        registrations(target_group).by_group[group.name] = (mine - leaving) | coming


def seconds_to_drain(group: FakeAutoScalingGroup, state: InstanceState) -> float:
    """Return how long the connections of an instance still take to close, in the slowest of its target groups."""
    return max((drains_for(target_group, state.instance_id) for target_group in _target_groups(group)), default=0.0)


@replaces(AutoScalingBackend)
def update_attached_target_groups(self: AutoScalingBackend, group_name: str) -> None:
    """Take the place of moto's registration of everything at once."""
    sync_target_groups(self.autoscaling_groups[group_name])
