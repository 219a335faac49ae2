"""Which instances of a group are warm: those that are not do not count when a policy scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.group_instances import capacity, in_service_since
from sandbox.world import WORLD

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup


def warmup_seconds(group: FakeAutoScalingGroup, own: int | None = None) -> float:
    """Return the warm-up: of the policy, else of the group, else its cooldown."""
    if own is not None:
        return own
    default: int | None = vars(group).get("default_instance_warmup")
    return group.default_cooldown if default is None or default < 0 else default


def warm_capacity(group: FakeAutoScalingGroup, seconds: float) -> int:
    """Return the units of capacity that are in service for at least so long."""
    warm = []
    for state in group.active_instances():
        since = in_service_since(state)
        if since is not None and (WORLD.now() - since).total_seconds() >= seconds:
            warm.append(state)
    return capacity(warm)


def is_warming(group: FakeAutoScalingGroup, seconds: float) -> bool:
    """Tell whether some instance is still on its way."""
    return warm_capacity(group, seconds) < capacity(group.active_instances())
