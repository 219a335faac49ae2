"""Lifecycle hooks: an instance waits, on its way in or out, for somebody to say that it may go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from sandbox.activities import stamp
from sandbox.errors import LimitExceeded, ValidationError
from sandbox.group_events import tell_of_a_wait
from sandbox.group_lookup import existing_group
from sandbox.notices import send
from sandbox.patches import replaces
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE, ABANDON = "CONTINUE", "ABANDON"
MAX_HOOKS = 50
HEARTBEAT_SECONDS = (30, 7200)
DEFAULT_HEARTBEAT = 3600
LONGEST_SECONDS = 48 * 3600
HEARTBEATS = 100
"""A wait ends for good after so many heartbeat timeouts, or after 48 hours, whichever comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One lifecycle hook of one group."""

    name: str
    group: str
    transition: str
    heartbeat: int = DEFAULT_HEARTBEAT
    default_result: str = ABANDON
    target: str | None = None
    role: str | None = None
    metadata: str | None = None

    @property
    def longest(self) -> int:
        """Return how long a wait can be in all."""
        return min(LONGEST_SECONDS, HEARTBEATS * self.heartbeat)

    def shown(self) -> dict[str, Any]:
        """Return the hook as the API describes it."""
        return {
            "LifecycleHookName": self.name,
            "AutoScalingGroupName": self.group,
            "LifecycleTransition": self.transition,
            "NotificationTargetARN": self.target,
            "RoleARN": self.role,
            "NotificationMetadata": self.metadata,
            "HeartbeatTimeout": self.heartbeat,
            "GlobalTimeout": self.longest,
            "DefaultResult": self.default_result,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the waits of an instance ended."""

    waited: bool = False
    result: str = CONTINUE
    token: str = ""
    why: str = ""


Then = Callable[[Outcome], None]


@dataclass(slots=True, kw_only=True)
class Wait:
    """One instance waiting for one hook."""

    hook: Hook
    instance_id: str
    token: str
    deadline: datetime
    last: datetime
    then: Then


def hooks_of(group: FakeAutoScalingGroup) -> dict[str, Hook]:
    """Return the hooks of a group by name."""
    hooks: dict[str, Hook] = vars(group).setdefault("_hooks", {})
    return hooks


def _waits_of(group: FakeAutoScalingGroup) -> dict[str, Wait]:
    waits: dict[str, Wait] = vars(group).setdefault("_waits", {})
    return waits


def wait(group: FakeAutoScalingGroup, state: InstanceState, transition: str, then: Then) -> None:
    """Let an instance wait for every hook of a transition, and then go on."""
    hooks = [hook for hook in hooks_of(group).values() if hook.transition == transition]
    if not hooks:
        then(Outcome())
        return
    state.lifecycle_state = f"{state.lifecycle_state}:Wait"
    for hook in hooks:
        opened = Wait(
            hook=hook,
            instance_id=state.instance_id,
            token=str(UUID(int=WORLD.random.getrandbits(128), version=4)),
            deadline=WORLD.after(hook.heartbeat),
            last=WORLD.after(hook.longest),
            then=then,
        )
        _waits_of(group)[opened.token] = opened
        _plan_timeout(group, opened)
        _notify(group, opened)


def forget_waits(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    """End the waits of an instance without going on."""
    for opened in list(_waits_of(group).values()):
        if opened.instance_id == state.instance_id:
            del _waits_of(group)[opened.token]


def _plan_timeout(group: FakeAutoScalingGroup, opened: Wait) -> None:
    WORLD.agenda.at(opened.deadline, partial(_time_out, group, opened, opened.deadline))


def _time_out(group: FakeAutoScalingGroup, opened: Wait, deadline: datetime) -> None:
    if opened.token in _waits_of(group) and opened.deadline == deadline:
        _end(group, opened, opened.hook.default_result, "Heartbeat Timeout")


def _end(group: FakeAutoScalingGroup, opened: Wait, result: str, why: str) -> None:
    """End one wait; an abandonment ends those for the other hooks as well."""
    waits = _waits_of(group)
    del waits[opened.token]
    others = [other for other in waits.values() if other.instance_id == opened.instance_id]
    if result == ABANDON:
        for other in others:
            del waits[other.token]
    elif others:
        return
    opened.then(Outcome(waited=True, result=result, token=opened.token, why=why))


def _notify(group: FakeAutoScalingGroup, opened: Wait) -> None:
    hook = opened.hook
    action = {
        "AutoScalingGroupName": group.name,
        "LifecycleActionToken": opened.token,
        "LifecycleHookName": hook.name,
        "EC2InstanceId": opened.instance_id,
        "LifecycleTransition": hook.transition,
        "NotificationMetadata": hook.metadata,
        "Origin": "EC2" if hook.transition == LAUNCHING else "AutoScalingGroup",
        "Destination": "AutoScalingGroup" if hook.transition == LAUNCHING else "EC2",
    }
    told = {key: value for key, value in action.items() if value is not None}
    tell_of_a_wait(group, "launch" if hook.transition == LAUNCHING else "terminate", told)
    if hook.target is None:
        return
    subject = f"Auto Scaling:  Lifecycle action '{hook.transition.rsplit('_', 1)[1]}' for instance {opened.instance_id}"
    send(hook.target, {**_envelope(group), **told}, subject)


def _envelope(group: FakeAutoScalingGroup) -> dict[str, Any]:
    return {
        "AccountId": group.account_id,
        "RequestId": str(UUID(int=WORLD.random.getrandbits(128), version=4)),
        "AutoScalingGroupARN": group.arn,
        "AutoScalingGroupName": group.name,
        "Service": "AWS Auto Scaling",
        "Time": stamp(WORLD.now()),
    }


def put_hook(group: FakeAutoScalingGroup, request: Mapping[str, Any]) -> None:
    """Add a hook or change what is given of it."""
    name = request["LifecycleHookName"]
    hooks = hooks_of(group)
    before = hooks.get(name)
    if before is None and len(hooks) >= MAX_HOOKS:
        message = f"The maximum number of lifecycle hooks, {MAX_HOOKS}, has been reached for the group {group.name}"
        raise LimitExceeded(message)
    if before is None and request.get("LifecycleTransition") not in (LAUNCHING, TERMINATING):
        message = f"Please specify a valid LifecycleTransition: {LAUNCHING} or {TERMINATING}"
        raise ValidationError(message)
    hook = replace(
        before or Hook(name=name, group=group.name, transition=request["LifecycleTransition"]), **_given(request)
    )
    _check_hook(hook)
    hooks[name] = hook
    if hook.target:
        send(
            hook.target,
            {**_envelope(group), "Event": "autoscaling:TEST_NOTIFICATION"},
            "Auto Scaling: test notification",
        )


def _given(request: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "transition": "LifecycleTransition",
        "heartbeat": "HeartbeatTimeout",
        "default_result": "DefaultResult",
        "target": "NotificationTargetARN",
        "role": "RoleARN",
        "metadata": "NotificationMetadata",
    }
    return {field: request[key] for field, key in names.items() if request.get(key) is not None}


def _check_hook(hook: Hook) -> None:
    low, high = HEARTBEAT_SECONDS
    if not low <= hook.heartbeat <= high:
        message = f"Heartbeat timeout must be between {low} and {high} seconds, inclusive"
        raise ValidationError(message)
    if hook.default_result not in (CONTINUE, ABANDON):
        message = f"Lifecycle action result must be one of {CONTINUE} or {ABANDON}"
        raise ValidationError(message)


def _group(self: AutoScalingResponse) -> FakeAutoScalingGroup:
    return existing_group(self.autoscaling_backend, self._get_param("AutoScalingGroupName"))


def _open_wait(self: AutoScalingResponse, group: FakeAutoScalingGroup) -> Wait:
    name, token = self._get_param("LifecycleHookName"), self._get_param("LifecycleActionToken")
    instance_id = self._get_param("InstanceId")
    for opened in _waits_of(group).values():
        if opened.hook.name == name and (opened.token == token if token else opened.instance_id == instance_id):
            return opened
    which = f"token {token}" if token else f"instance ID {instance_id}"
    message = f"No active Lifecycle Action found with {which}"
    raise ValidationError(message)


@replaces(AutoScalingResponse)
def put_lifecycle_hook(self: AutoScalingResponse) -> ActionResult:
    """Add a hook or change it."""
    put_hook(_group(self), self._get_params())
    return EmptyResult()


@replaces(AutoScalingResponse)
def describe_lifecycle_hooks(self: AutoScalingResponse) -> ActionResult:
    """List the hooks of a group."""
    names = self._get_param("LifecycleHookNames", [])
    hooks = [hook.shown() for hook in hooks_of(_group(self)).values() if not names or hook.name in names]
    return ActionResult({"LifecycleHooks": hooks})


@replaces(AutoScalingResponse)
def delete_lifecycle_hook(self: AutoScalingResponse) -> ActionResult:
    """Delete a hook: instances that wait for it are let go on, or are abandoned if they were launching."""
    group, name = _group(self), self._get_param("LifecycleHookName")
    if hooks_of(group).pop(name, None) is None:
        message = f"No Lifecycle Hook found with name {name}"
        raise ValidationError(message)
    for opened in [opened for opened in _waits_of(group).values() if opened.hook.name == name]:
        if opened.token in _waits_of(group):
            result = ABANDON if opened.hook.transition == LAUNCHING else CONTINUE
            _end(group, opened, result, "Lifecycle Hook Deleted")
    return EmptyResult()


@replaces(AutoScalingResponse)
def complete_lifecycle_action(self: AutoScalingResponse) -> ActionResult:
    """Let an instance go on, or abandon it."""
    group, result = _group(self), self._get_param("LifecycleActionResult")
    if result not in (CONTINUE, ABANDON):
        message = f"Lifecycle action result must be one of {CONTINUE} or {ABANDON}"
        raise ValidationError(message)
    _end(group, _open_wait(self, group), result, f"Lifecycle Action Completed with {result} Result")
    return EmptyResult()


@replaces(AutoScalingResponse)
def record_lifecycle_action_heartbeat(self: AutoScalingResponse) -> ActionResult:
    """Give an instance another heartbeat timeout from now, as far as the global timeout allows."""
    group = _group(self)
    opened = _open_wait(self, group)
    opened.deadline = min(WORLD.after(opened.hook.heartbeat), opened.last)
    _plan_timeout(group, opened)
    return EmptyResult()
