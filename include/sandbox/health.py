"""Health: instances that somebody calls unhealthy, or that EC2 has lost, are taken out, and so replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState, autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.instances import InstanceBackend

from sandbox.activities import stamp
from sandbox.errors import ValidationError
from sandbox.group_instances import COUNTED_STATES, in_service_since, instance_of
from sandbox.group_lookup import is_suspended
from sandbox.patches import replaces
from sandbox.rounds import look_again
from sandbox.terminating import terminate
from sandbox.world import WORLD

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.instances import Instance
    from moto.ec2.models.instances import InstanceState as Ec2State

EC2_CHECK = "an EC2 health check indicating it has been terminated or stopped"
USER_CHECK = "a user health-check"
REBALANCE = "an EC2 instance rebalance recommendation"


def check_health(group: FakeAutoScalingGroup) -> None:
    """Notice what EC2 has lost, and take out what is unhealthy."""
    if not is_suspended(group, "HealthCheck"):
        for state in _checked(group):
            if state.instance.state != "running":
                mark_unhealthy(state, vars(state).get("_at_risk") or EC2_CHECK)
    if is_suspended(group, "ReplaceUnhealthy") or is_suspended(group, "Terminate"):
        return
    for state in _checked(group):
        if state.health_status == "Unhealthy":
            why = vars(state).get("_unhealthy_because") or USER_CHECK
            cause = f"At {stamp(WORLD.now())} an instance was taken out of service in response to {why}."
            terminate(group, [state], cause)


def _checked(group: FakeAutoScalingGroup) -> list[InstanceState]:
    return [state for state in group.instance_states if state.lifecycle_state in COUNTED_STATES]


def mark_unhealthy(state: InstanceState, why: str) -> None:
    """Call an instance unhealthy."""
    state.health_status = "Unhealthy"
    vars(state)["_unhealthy_because"] = why


@replaces(AutoScalingBackend)
def notify_terminate_instances(self: AutoScalingBackend, instance_ids: list[str]) -> None:
    """Look at the groups whose instances somebody terminated in EC2."""
    _look_at_owners(self, instance_ids)


def _look_at_owners(backend: AutoScalingBackend, instance_ids: list[str]) -> None:
    for group in list(backend.autoscaling_groups.values()):
        if any(state.instance_id in instance_ids for state in group.instance_states):
            look_again(group)


_moto_stop = InstanceBackend.stop_instances


@replaces(InstanceBackend)
def stop_instances(self: EC2Backend, instance_ids: list[str]) -> list[tuple[Instance, Ec2State]]:
    """Stop instances; a group replaces those that are its own."""
    stopped: list[tuple[Instance, Ec2State]] = _moto_stop(self, instance_ids)
    _look_at_owners(autoscaling_backends[self.account_id][self.region_name], instance_ids)
    return stopped


@replaces(AutoScalingResponse)
def set_instance_health(self: AutoScalingResponse) -> ActionResult:
    """Call an instance healthy or unhealthy; by default a young one is left alone for the grace period."""
    instance_id, status = self._get_param("InstanceId"), self._get_param("HealthStatus")
    found = instance_of(self.autoscaling_backend, instance_id)
    if found is None:
        message = f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
        raise ValidationError(message)
    if status not in ("Healthy", "Unhealthy"):
        message = f"Valid instance health states are: [Healthy, Unhealthy], not {status}"
        raise ValidationError(message)
    group, state = found
    if self._get_bool_param("ShouldRespectGracePeriod", if_none=True) and _is_young(group, state):
        return EmptyResult()
    if status == "Unhealthy":
        mark_unhealthy(state, USER_CHECK)
    else:
        state.health_status = status
    look_again(group)
    return EmptyResult()


def _is_young(group: FakeAutoScalingGroup, state: InstanceState) -> bool:
    since, grace = in_service_since(state), group.health_check_grace_period or 0
    return since is None or (WORLD.now() - since).total_seconds() < grace
