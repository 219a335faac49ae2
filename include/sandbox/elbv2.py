"""Elastic Load Balancing in time: a target is `initial` before it is healthy and `draining` before it is gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup
from moto.elbv2.responses import ELBV2Response

from sandbox.patches import replaces
from sandbox.world import WORLD

if TYPE_CHECKING:
    from datetime import datetime

    from moto.core.responses import ActionResult
    from moto.ec2.models import EC2Backend

DELAY = "deregistration_delay.timeout_seconds"

_moto_register = FakeTargetGroup.register
_moto_deregister = FakeTargetGroup.deregister
_moto_health_for = FakeTargetGroup.health_for


@dataclass(slots=True)
class Registrations:
    """When the targets of one target group came and went, and which of them an Auto Scaling group registered."""

    since: dict[str, datetime] = field(default_factory=dict)
    draining: dict[str, datetime] = field(default_factory=dict)
    by_group: dict[str, set[str]] = field(default_factory=dict)
    delay: float | None = None


def registrations(target_group: FakeTargetGroup) -> Registrations:
    """Return the sandbox's notes on a target group."""
    notes: Registrations = vars(target_group).setdefault("_registrations", Registrations())
    return notes


def drain_seconds(target_group: FakeTargetGroup) -> float:
    """Return the deregistration delay: as set on the target group, else as in the settings of the sandbox."""
    own = registrations(target_group).delay
    return WORLD.settings.drain_seconds if own is None else own


def drains_for(target_group: FakeTargetGroup, target_id: str) -> float:
    """Return the seconds until the connections of a target that has left are closed; 0 if they are."""
    left = registrations(target_group).draining.get(target_id)
    if left is None or target_id in target_group.targets:
        return 0.0
    return max(drain_seconds(target_group) - (WORLD.now() - left).total_seconds(), 0.0)


def is_draining(target_group: FakeTargetGroup, target_id: str) -> bool:
    """Tell whether a target has left but its connections have not."""
    return drains_for(target_group, target_id) > 0


_moto_modify_attributes = ELBv2Backend.modify_target_group_attributes
_moto_describe_attributes = ELBV2Response.describe_target_group_attributes


@replaces(ELBv2Backend)
def modify_target_group_attributes(self: ELBv2Backend, target_group_arn: str, attributes: dict[str, Any]) -> None:
    """Change attributes; a deregistration delay set here holds from now on."""
    _moto_modify_attributes(self, target_group_arn, attributes)
    if DELAY in attributes:
        registrations(self.target_groups[target_group_arn]).delay = float(attributes[DELAY])


@replaces(ELBV2Response)
def describe_target_group_attributes(self: ELBV2Response) -> ActionResult:
    """Tell the attributes, with the deregistration delay that is in force."""
    group = self.elbv2_backend.target_groups.get(self._get_param("TargetGroupArn"))
    if group is not None and DELAY in group.attributes:
        group.attributes[DELAY] = f"{drain_seconds(group):.0f}"
    return _moto_describe_attributes(self)


@replaces(FakeTargetGroup)
def register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """Register targets and note when, so that they can become healthy later."""
    new = [target["Id"] for target in targets if target["Id"] not in self.targets]
    _moto_register(self, targets)
    notes = registrations(self)
    for target_id in new:
        notes.since[target_id] = WORLD.now()
        notes.draining.pop(target_id, None)


@replaces(FakeTargetGroup)
def deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """Let targets drain; one that is not registered is no error."""
    known = [target for target in targets if target["Id"] in self.targets]
    _moto_deregister(self, known)
    registrations(self).draining.update({target["Id"]: WORLD.now() for target in known})


@replaces(FakeTargetGroup)
def health_for(self: FakeTargetGroup, target: dict[str, Any], ec2_backend: EC2Backend) -> FakeHealthStatus:
    """Return the health of a target at this instant."""
    health = _moto_health_for(self, target, ec2_backend)
    target_id, now = target["Id"], WORLD.now()
    registered = registrations(self).since.get(target_id)
    if health.status == "healthy" and registered is not None:
        if (now - registered).total_seconds() < WORLD.settings.health_seconds:
            _describe(health, "initial", "Elb.RegistrationInProgress", "Target registration is in progress")
    elif target_id not in self.targets and is_draining(self, target_id):
        _describe(health, "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
    return health


def _describe(health: FakeHealthStatus, status: str, reason: str, description: str) -> None:
    health.status, health.reason, health.description = status, reason, description


@replaces(ELBv2Backend)
def describe_target_health(
    self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]
) -> list[FakeHealthStatus]:
    """List the targets asked for, or every registered and every draining one."""
    group = self.target_groups.get(target_group_arn)
    if group is None:
        raise TargetGroupNotFoundError
    if not targets:
        leaving = [i for i in registrations(group).draining if i not in group.targets and is_draining(group, i)]
        targets = [*group.targets.values(), *({"Id": target_id, "Port": group.port} for target_id in leaving)]
    return [group.health_for(target, self.ec2_backend) for target in targets]
