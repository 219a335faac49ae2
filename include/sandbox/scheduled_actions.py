"""Scheduled actions that really run: kept per group, checked as AWS checks them, carried out at their time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from sandbox.activities import begin, stamp
from sandbox.autoscaling import resize
from sandbox.errors import AlreadyExists, LimitExceeded, ValidationError
from sandbox.group_lookup import check_bounds, existing_group, is_suspended
from sandbox.paging import page
from sandbox.patches import replaces
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.autoscaling.models import FakeAutoScalingGroup

BATCH_LIMIT = 50
CRON_FIELDS = 5


@dataclass(slots=True, kw_only=True)
class ScheduledAction:
    """One action of one group; `start_time` of a recurring one is its next run. The names are those moto serialises."""

    auto_scaling_group_name: str
    scheduled_action_name: str
    start_time: datetime
    end_time: datetime | None
    recurrence: str | None
    time_zone: str | None
    min_size: int | None
    max_size: int | None
    desired_capacity: int | None

    @property
    def time(self) -> datetime:
        """Return the start under the name that it had in the first version of the API."""
        return self.start_time


def actions_of(group: FakeAutoScalingGroup) -> dict[str, ScheduledAction]:
    """Return the scheduled actions of a group by name."""
    actions: dict[str, ScheduledAction] = vars(group).setdefault("_scheduled_actions", {})
    return actions


def _instant(value: str | datetime | None) -> datetime | None:
    if value is None:
        return None
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"Given time zone '{name}' is invalid: give an IANA name, for example Europe/Berlin"
        raise ValidationError(message) from None


def next_run(recurrence: str, time_zone: str | None, after: datetime) -> datetime:
    """Return the first run of a cron expression later than an instant, by the clocks of its time zone."""
    local = after.astimezone(_zone(time_zone))
    following: datetime = croniter(recurrence, local).get_next(datetime)
    return following.astimezone(UTC)


def read_action(group: FakeAutoScalingGroup, request: Mapping[str, Any]) -> ScheduledAction:
    """Build the action that a request asks for, or refuse the request as AWS does."""
    start, end = _instant(request.get("StartTime")), _instant(request.get("EndTime"))
    recurrence, time_zone = request.get("Recurrence"), request.get("TimeZone")
    minimum, maximum, desired = (request.get(key) for key in ("MinSize", "MaxSize", "DesiredCapacity"))
    if minimum is None and maximum is None and desired is None:
        message = "At least one of MinSize, MaxSize or DesiredCapacity must be specified"
        raise ValidationError(message)
    check_bounds(minimum, maximum, desired)
    if recurrence is not None and (len(recurrence.split()) != CRON_FIELDS or not croniter.is_valid(recurrence)):
        message = f"Given recurrence string: {recurrence} is invalid"
        raise ValidationError(message)
    _zone(time_zone)
    if start is None and recurrence is None:
        message = "Either StartTime or Recurrence must be specified"
        raise ValidationError(message)
    if start is not None and start <= WORLD.now():
        message = "Given start time is in the past"
        raise ValidationError(message)
    start = start or next_run(recurrence or "", time_zone, WORLD.now())
    if end is not None and end <= start:
        message = "Given end time is before the start time"
        raise ValidationError(message)
    return ScheduledAction(
        auto_scaling_group_name=group.name,
        scheduled_action_name=request["ScheduledActionName"],
        start_time=start,
        end_time=end,
        recurrence=recurrence,
        time_zone=time_zone,
        min_size=minimum,
        max_size=maximum,
        desired_capacity=desired,
    )


def put_action(group: FakeAutoScalingGroup, request: Mapping[str, Any]) -> None:
    """Add one action, or update it, and plan its run.

    What an update leaves out stays as it is. AWS's documents have said so and no longer say; it is the harder to bear.
    """
    known = actions_of(group).get(request["ScheduledActionName"])
    action = read_action(group, {**_said_by(known), **request} if known else request)
    others = [a for a in actions_of(group).values() if a.scheduled_action_name != action.scheduled_action_name]
    if "StartTime" in request and any(other.start_time == action.start_time for other in others):
        taken = stamp(action.start_time)
        message = f"A scheduled action with this start time already exists for the group {group.name}: {taken}"
        raise AlreadyExists(message)
    if len(others) >= WORLD.settings.max_scheduled_actions:
        limit = WORLD.settings.max_scheduled_actions
        message = f"You have reached the limit of {limit} scheduled actions for this group"
        raise LimitExceeded(message)
    actions_of(group)[action.scheduled_action_name] = action
    _plan(group, action)


def _said_by(known: ScheduledAction) -> dict[str, Any]:
    """Return the request that would have made an action."""
    given = {
        "StartTime": known.start_time,
        "EndTime": known.end_time,
        "Recurrence": known.recurrence,
        "TimeZone": known.time_zone,
        "MinSize": known.min_size,
        "MaxSize": known.max_size,
        "DesiredCapacity": known.desired_capacity,
    }
    return {name: value for name, value in given.items() if value is not None}


def _plan(group: FakeAutoScalingGroup, action: ScheduledAction) -> None:
    latest = WORLD.settings.schedule_delay_seconds
    due = action.start_time + timedelta(seconds=WORLD.random.uniform(0, latest) if latest else 0.0)
    WORLD.agenda.at(due, partial(_run, group, action))


def _run(group: FakeAutoScalingGroup, action: ScheduledAction) -> None:
    """Carry an action out, unless it was replaced or deleted meanwhile; a suspended one is missed for good."""
    groups = group.autoscaling_backend.autoscaling_groups
    if groups.get(group.name) is not group or actions_of(group).get(action.scheduled_action_name) is not action:
        return
    if any(other.start_time < action.start_time for other in actions_of(group).values()):
        WORLD.agenda.at(WORLD.after(1), partial(_run, group, action))  # a late one before it has not run yet
        return
    if not is_suspended(group, "ScheduledActions"):
        _execute(group, action)
    following = next_run(action.recurrence, action.time_zone, action.start_time) if action.recurrence else None
    if following is None or (action.end_time is not None and following > action.end_time):
        del actions_of(group)[action.scheduled_action_name]
    else:
        action.start_time = following
        _plan(group, action)


def _execute(group: FakeAutoScalingGroup, action: ScheduledAction) -> None:
    minimum = group.min_size if action.min_size is None else action.min_size
    maximum = group.max_size if action.max_size is None else action.max_size
    name = action.scheduled_action_name
    cause = f"At {stamp(WORLD.now())} the scheduled action {name} executed.{''.join(_changes(group, action))}"
    activity = begin(group, f"Executing scheduled action {name}", cause)
    try:
        check_bounds(minimum, maximum, action.desired_capacity)
    except ValidationError as refusal:
        activity.finish("Failed", refusal.message)
        return
    activity.finish()
    why = "a scheduled action update of AutoScalingGroup constraints"
    resize(group, minimum, maximum, action.desired_capacity, why)


def _changes(group: FakeAutoScalingGroup, action: ScheduledAction) -> Iterator[str]:
    for label, before, after in (
        ("min size", group.min_size, action.min_size),
        ("max size", group.max_size, action.max_size),
        ("desired capacity", group.desired_capacity, action.desired_capacity),
    ):
        if after is not None and after != before:
            yield f" Setting {label} from {before} to {after}."


def _delete(group: FakeAutoScalingGroup, name: str) -> None:
    if actions_of(group).pop(name, None) is None:
        message = "Scheduled action name not found"
        raise ValidationError(message)


def _group(self: AutoScalingResponse) -> FakeAutoScalingGroup:
    return existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))


def _check_batch(items: list[Any], member: str) -> None:
    if len(items) > BATCH_LIMIT:
        message = (
            f"1 validation error detected: Value of {len(items)} items at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {BATCH_LIMIT}"
        )
        raise ValidationError(message)


def _failure(name: str, error: ServiceException) -> dict[str, str]:
    return {"ScheduledActionName": name, "ErrorCode": error.code, "ErrorMessage": error.message}


@replaces(AutoScalingResponse)
def put_scheduled_update_group_action(self: AutoScalingResponse) -> ActionResult:
    """Add or replace one action."""
    put_action(_group(self), self._get_params())
    return EmptyResult()


@replaces(AutoScalingResponse)
def batch_put_scheduled_update_group_action(self: AutoScalingResponse) -> ActionResult:
    """Add or replace up to 50 actions; those refused are listed in the answer, the others are in place."""
    group, requests = _group(self), self._get_param("ScheduledUpdateGroupActions", [])
    _check_batch(requests, "scheduledUpdateGroupActions")
    failed = []
    for request in requests:
        try:
            put_action(group, request)
        except ServiceException as error:
            failed.append(_failure(request["ScheduledActionName"], error))
    return ActionResult({"FailedScheduledUpdateGroupActions": failed})


@replaces(AutoScalingResponse)
def delete_scheduled_action(self: AutoScalingResponse) -> ActionResult:
    """Delete one action."""
    _delete(_group(self), self._get_param("ScheduledActionName"))
    return EmptyResult()


@replaces(AutoScalingResponse)
def batch_delete_scheduled_action(self: AutoScalingResponse) -> ActionResult:
    """Delete up to 50 actions; those not found are listed in the answer."""
    group, names = _group(self), self._get_param("ScheduledActionNames", [])
    _check_batch(names, "scheduledActionNames")
    failed = []
    for name in names:
        try:
            _delete(group, name)
        except ServiceException as error:
            failed.append(_failure(name, error))
    return ActionResult({"FailedScheduledActions": failed})


@replaces(AutoScalingResponse)
def describe_scheduled_actions(self: AutoScalingResponse) -> ActionResult:
    """List the actions still to run, in order of time, of one group or of all."""
    groups = self.autoscaling_backend.autoscaling_groups
    chosen = [_group(self)] if self._get_param("AutoScalingGroupName") else list(groups.values())
    found = [action for group in chosen for action in actions_of(group).values()]
    names = self._get_param("ScheduledActionNames", [])
    if names:
        found = [action for action in found if action.scheduled_action_name in names]
    else:
        earliest, latest = _instant(self._get_param("StartTime")), _instant(self._get_param("EndTime"))
        found = [
            action
            for action in found
            if (earliest is None or action.start_time >= earliest) and (latest is None or action.start_time <= latest)
        ]
    found.sort(key=lambda action: (action.start_time, action.auto_scaling_group_name, action.scheduled_action_name))
    items, token = page(found, token=self._get_param("NextToken"), size=self._get_int_param("MaxRecords"), default=50)
    return ActionResult({"ScheduledUpdateGroupActions": items, "NextToken": token})
