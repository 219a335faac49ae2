"""Keeping a group at its desired capacity: what is missing is launched, what is too much is terminated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import FakeAutoScalingGroup

from sandbox.activities import stamp
from sandbox.group_instances import capacity, weight
from sandbox.group_lookup import is_suspended
from sandbox.health import check_health
from sandbox.launching import boot, boot_seconds, buy
from sandbox.patches import replaces
from sandbox.rounds import every_round, look_later
from sandbox.target_sync import sync_target_groups
from sandbox.terminating import terminate
from sandbox.termination_policy import victims
from sandbox.warm_pool import fill, take
from sandbox.world import WORLD

if TYPE_CHECKING:
    from moto.autoscaling.models import InstanceState

_DIFFERENCE = "in response to a difference between desired and actual capacity"


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


@every_round
def look(group: FakeAutoScalingGroup) -> None:
    """Take out what is unhealthy, and bring the group to its desired capacity."""
    check_health(group)
    reconcile(group)
    sync_target_groups(group)


def reconcile(group: FakeAutoScalingGroup, head: str = "") -> None:
    """Launch or terminate the difference between the desired and the actual capacity."""
    desired, actual = group.desired_capacity or 0, capacity(group.active_instances())
    if actual < desired and not is_suspended(group, "Launch"):
        _scale_out(group, desired - actual, head)
    elif actual > desired and not is_suspended(group, "Terminate"):
        _scale_in(group, actual - desired, head)
    fill(group)


def _scale_out(group: FakeAutoScalingGroup, units: int, head: str) -> None:
    actual = capacity(group.active_instances())
    text = f"At {stamp(WORLD.now())} an instance was started {_DIFFERENCE}, increasing the capacity from"
    cause = f"{head}{text} {actual} to {actual + units}."
    while units > 0:
        state = _start(group, cause)
        if state is None:
            look_later(group, WORLD.settings.launch_retry_seconds)
            return
        units -= weight(state)


def _start(group: FakeAutoScalingGroup, cause: str) -> InstanceState | None:
    warm = take(group, cause)
    state = warm or buy(group, cause)
    if state is not None:
        group.instance_states.append(state)
        boot(group, state, WORLD.settings.warm_boot_seconds if warm else boot_seconds())
    return state


def _scale_in(group: FakeAutoScalingGroup, units: int, head: str) -> None:
    actual = capacity(group.active_instances())
    text = f"At {stamp(WORLD.now())} an instance was taken out of service {_DIFFERENCE}, shrinking the capacity from"
    terminate(group, victims(group, units), f"{head}{text} {actual} to {actual - units}.")
