"""The cooldown of a group: for a while after a scaling nobody who honours it may scale again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.activities import activities_of
from sandbox.errors import ScalingActivityInProgress
from sandbox.world import WORLD

if TYPE_CHECKING:
    from datetime import datetime

    from moto.autoscaling.models import FakeAutoScalingGroup


def start_cooldown(group: FakeAutoScalingGroup, seconds: float) -> None:
    """Let the group cool down from now on."""
    vars(group)["_cools_until"] = WORLD.after(seconds)


def cools(group: FakeAutoScalingGroup) -> bool:
    """Tell whether the cooldown has not passed."""
    until: datetime | None = vars(group).get("_cools_until")
    return until is not None and WORLD.now() < until


def check_cooldown(group: FakeAutoScalingGroup) -> None:
    """Refuse to scale a group that cools down."""
    if cools(group):
        activity = next(iter(activities_of(group)), None)
        name = activity.activity_id if activity else group.name
        message = f"Scaling activity {name} is in progress and blocks this action"
        raise ScalingActivityInProgress(message)
