"""What an Auto Scaling group has done, and why, in the words of AWS."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from sandbox.group_lookup import existing_group
from sandbox.paging import page
from sandbox.patches import replaces
from sandbox.world import WORLD

if TYPE_CHECKING:
    from datetime import datetime

    from moto.autoscaling.models import FakeAutoScalingGroup

KEPT_PER_GROUP = 1000


def stamp(instant: datetime) -> str:
    """Write an instant as AWS does in its causes."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(slots=True, kw_only=True)
class Activity:
    """One launch, termination or scheduled action; the field names are those that moto serialises."""

    auto_scaling_group_name: str
    auto_scaling_group_arn: str
    description: str
    cause: str
    start_time: datetime
    activity_id: str = field(default_factory=lambda: str(UUID(int=WORLD.random.getrandbits(128), version=4)))
    end_time: datetime | None = None
    status_code: str = "InProgress"
    status_message: str | None = None
    progress: int = 50
    details: str = "{}"

    def finish(self, status: str = "Successful", message: str | None = None) -> None:
        """Close the activity at this instant."""
        self.status_code, self.status_message, self.end_time, self.progress = status, message, WORLD.now(), 100


def activities_of(group: FakeAutoScalingGroup) -> deque[Activity]:
    """Return the activities of a group, newest first."""
    kept: deque[Activity] = vars(group).setdefault("_activities", deque(maxlen=KEPT_PER_GROUP))
    return kept


def begin(group: FakeAutoScalingGroup, description: str, cause: str, details: str = "{}") -> Activity:
    """Record that something begins now."""
    activity = Activity(
        auto_scaling_group_name=group.name,
        auto_scaling_group_arn=group.arn,
        description=description,
        cause=cause,
        start_time=WORLD.now(),
        details=details,
    )
    activities_of(group).appendleft(activity)
    return activity


@replaces(AutoScalingResponse)
def describe_scaling_activities(self: AutoScalingResponse) -> ActionResult:
    """List activities newest first, of one group or of all."""
    name = self._get_param("AutoScalingGroupName")
    backend = self.autoscaling_backend
    groups = [existing_group(backend, name)] if name else list(backend.autoscaling_groups.values())
    found = [activity for group in groups for activity in activities_of(group)]
    wanted = self._get_param("ActivityIds", [])
    if wanted:
        found = [activity for activity in found if activity.activity_id in wanted]
    found.sort(key=lambda activity: activity.start_time, reverse=True)
    items, token = page(found, token=self._get_param("NextToken"), size=self._get_int_param("MaxRecords"), default=100)
    return ActionResult({"Activities": items, "NextToken": token})
