"""Warm pools: instances booted ahead and put aside, stopped or running, so that the next launch is quick."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from sandbox.activities import begin, stamp
from sandbox.errors import ValidationError
from sandbox.group_lookup import existing_group, is_suspended
from sandbox.launching import boot_seconds, buy
from sandbox.paging import page
from sandbox.patches import replaces
from sandbox.rounds import look_again, look_later
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moto.autoscaling.models import FakeWarmPool

STATES = ("Stopped", "Running", "Hibernated")
BOOTING = "Warmed:Pending"

_moto_describe_instances = AutoScalingBackend.describe_auto_scaling_instances


def pool_of(group: FakeAutoScalingGroup) -> list[InstanceState]:
    """Return the instances that are put aside."""
    pool: list[InstanceState] = vars(group).setdefault("_warm", [])
    return pool


def _configuration(group: FakeAutoScalingGroup) -> FakeWarmPool | None:
    return getattr(group, "warm_pool", None)  # moto scales a group before it is built to the end


def _wanted(group: FakeAutoScalingGroup) -> int:
    """Return the size of the pool: up to the prepared capacity of the group, and never below its own minimum."""
    configuration = _configuration(group)
    if configuration is None:
        return 0
    prepared = configuration.max_group_prepared_capacity
    ceiling = (group.max_size or 0) if prepared is None or int(prepared) < 0 else int(prepared)
    return max(ceiling - (group.desired_capacity or 0), int(configuration.min_size or 0))


def take(group: FakeAutoScalingGroup, cause: str) -> InstanceState | None:
    """Take an instance that is ready out of the pool and start it, if there is one."""
    ready = next((state for state in _alive(group) if state.lifecycle_state != BOOTING), None)
    if ready is None:
        return None
    pool_of(group).remove(ready)
    if ready.instance.state == "stopped":
        ready.instance.start()
    ready.lifecycle_state = "Pending"
    vars(ready)["_launch"] = begin(group, f"Launching a new EC2 instance from warm pool: {ready.instance_id}", cause)
    _count(group)
    return ready


def _alive(group: FakeAutoScalingGroup) -> list[InstanceState]:
    pool = pool_of(group)
    pool[:] = [state for state in pool if state.instance.state != "terminated"]
    return pool


def fill(group: FakeAutoScalingGroup) -> None:
    """Bring the pool to its size."""
    pool, wanted = _alive(group), _wanted(group)
    if len(pool) > wanted and not is_suspended(group, "Terminate"):
        _discard(group, pool[wanted:])
    while len(pool) < wanted and not is_suspended(group, "Launch"):
        cause = f"At {stamp(WORLD.now())} an instance was started in response to a difference between the desired and "
        state = buy(group, f"{cause}actual capacity of the warm pool.", where=" into warm pool")
        if state is None:
            look_later(group, WORLD.settings.launch_retry_seconds)
            break
        state.lifecycle_state = BOOTING
        pool.append(state)
        WORLD.agenda.at(WORLD.after(boot_seconds()), partial(_put_aside, group, state))
    _count(group)


def _put_aside(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    configuration = _configuration(group)
    if state not in pool_of(group) or configuration is None:
        return
    vars(state)["_launch"].finish()
    state.lifecycle_state = f"Warmed:{configuration.pool_state}"
    if configuration.pool_state != "Running":
        state.instance.stop()


def _discard(group: FakeAutoScalingGroup, states: Sequence[InstanceState]) -> None:
    cause = f"At {stamp(WORLD.now())} an instance was taken out of the warm pool, which has become smaller."
    for state in list(states):
        launch = vars(state)["_launch"]
        if launch.end_time is None:
            launch.finish("Cancelled")
        pool_of(group).remove(state)
        begin(group, f"Terminating EC2 instance: {state.instance_id}", cause).finish()
        state.instance.terminate()  # by its id moto would search all there ever were
    _count(group)


def empty(group: FakeAutoScalingGroup) -> None:
    """Give the pool up."""
    group.warm_pool = None
    _discard(group, pool_of(group))


def _count(group: FakeAutoScalingGroup) -> None:
    vars(group)["warm_pool_size"] = len(pool_of(group))


def _group(self: AutoScalingResponse) -> FakeAutoScalingGroup:
    return existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))


@replaces(AutoScalingResponse)
def put_warm_pool(self: AutoScalingResponse) -> ActionResult:
    """Set a warm pool up, or change it."""
    group, state = _group(self), self._get_param("PoolState") or STATES[0]
    if state not in STATES:
        message = f"PoolState {state} is not valid; use one of {', '.join(STATES)}"
        raise ValidationError(message)
    group.put_warm_pool(
        max_group_prepared_capacity=self._get_int_param("MaxGroupPreparedCapacity"),
        min_size=self._get_int_param("MinSize"),
        pool_state=state,
        instance_reuse_policy=self._get_param("InstanceReusePolicy"),
    )
    look_again(group)
    return EmptyResult()


@replaces(AutoScalingResponse)
def describe_warm_pool(self: AutoScalingResponse) -> ActionResult:
    """Tell how a pool is set up and what is in it."""
    group = _group(self)
    token, size = self._get_param("NextToken"), self._get_int_param("MaxRecords")
    items, following = page(pool_of(group), token=token, size=size, default=50)
    shown: dict[str, Any] = {"WarmPoolConfiguration": group.warm_pool, "Instances": items, "NextToken": following}
    return ActionResult(shown)


@replaces(AutoScalingResponse)
def delete_warm_pool(self: AutoScalingResponse) -> ActionResult:
    """Terminate what is in a pool and forget it."""
    empty(_group(self))
    return EmptyResult()


@replaces(AutoScalingBackend)
def describe_auto_scaling_instances(self: AutoScalingBackend, instance_ids: list[str]) -> list[InstanceState]:
    """List managed instances, those in warm pools included."""
    found: list[InstanceState] = _moto_describe_instances(self, instance_ids)
    warm = [state for group in self.autoscaling_groups.values() for state in pool_of(group)]
    return found + [state for state in warm if not instance_ids or state.instance_id in instance_ids]
