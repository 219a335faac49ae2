"""Finding an Auto Scaling group, with AWS's own answer when it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import ValidationError

if TYPE_CHECKING:
    from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup


def existing_group(backend: AutoScalingBackend, name: str) -> FakeAutoScalingGroup:
    """Return the group of that name or refuse as AWS does."""
    group = backend.autoscaling_groups.get(name)
    if group is None:
        message = f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
        raise ValidationError(message)
    return group


def check_bounds(minimum: int | None, maximum: int | None, desired: int | None) -> None:
    """Refuse sizes that contradict each other; None is a size that is not given."""
    if minimum is not None and maximum is not None and minimum > maximum:
        message = f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}"
        raise ValidationError(message)
    below = desired is not None and minimum is not None and desired < minimum
    above = desired is not None and maximum is not None and desired > maximum
    if below or above:
        message = f"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}"
        raise ValidationError(message)


def is_suspended(group: FakeAutoScalingGroup, process: str) -> bool:
    """Tell whether one of the processes of a group is suspended."""
    return any(suspended["ProcessName"] == process for suspended in group.suspended_processes)
