"""What is known of the instances of a group: which count, what they weigh, how long they have served."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState

from sandbox.patches import replaces
from sandbox.usage import ON_DEMAND, SPOT

if TYPE_CHECKING:
    from datetime import datetime

COUNTED_STATES = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")


@replaces(FakeAutoScalingGroup)
def active_instances(self: FakeAutoScalingGroup) -> list[InstanceState]:
    """Return the instances that count towards the desired capacity; one at risk is to be replaced already."""
    counted = (state for state in self.instance_states if state.lifecycle_state in COUNTED_STATES)
    return [state for state in counted if "_at_risk" not in vars(state)]


def weight(state: InstanceState) -> int:
    """Return how many units of capacity an instance is worth."""
    return int(vars(state).get("weighted_capacity") or 1)


def capacity(states: list[InstanceState]) -> int:
    """Return how many units of capacity instances are worth."""
    return sum(weight(state) for state in states)


def purchase(state: InstanceState) -> str:
    """Tell how an instance is bought."""
    return SPOT if state.instance.lifecycle == SPOT else ON_DEMAND


def in_service_since(state: InstanceState) -> datetime | None:
    """Return when an instance went into service; one that was attached has served since its launch."""
    since: datetime | None = vars(state).get("_in_service_since")
    if since is None and state.lifecycle_state == "InService":
        launched: datetime = state.instance.launch_time
        return launched.replace(tzinfo=UTC)
    return since


def instance_of(backend: AutoScalingBackend, instance_id: str) -> tuple[FakeAutoScalingGroup, InstanceState] | None:
    """Find a managed instance and its group."""
    for group in backend.autoscaling_groups.values():
        for state in group.instance_states:
            if state.instance_id == instance_id:
                return group, state
    return None


def sizes(group: FakeAutoScalingGroup) -> dict[str, Any]:
    """Return the four figures that AWS publishes about a group."""
    in_service = [state for state in group.instance_states if state.lifecycle_state == "InService"]
    return {
        "GroupDesiredCapacity": group.desired_capacity or 0,
        "GroupInServiceInstances": len(in_service),
        "GroupMinSize": group.min_size or 0,
        "GroupMaxSize": group.max_size or 0,
    }
