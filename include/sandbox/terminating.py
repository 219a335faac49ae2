"""How an instance leaves a group: out of its target groups, drained, held by hooks, terminated."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sandbox import hooks
from sandbox.activities import Activity, begin, stamp
from sandbox.group_events import ENDED, tell
from sandbox.target_sync import seconds_to_drain, sync_target_groups
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

    from sandbox.hooks import Outcome


def terminate(group: FakeAutoScalingGroup, victims: Sequence[InstanceState], cause: str) -> list[Activity]:
    """Take instances out: they drain first where they are registered in a target group."""
    for state in victims:
        _cancel_launch(state)
        hooks.forget_waits(group, state)
        state.lifecycle_state = "Terminating"
    sync_target_groups(group)
    return [_begin(group, state, cause) for state in victims]


def _begin(group: FakeAutoScalingGroup, state: InstanceState, cause: str) -> Activity:
    chosen = f"{cause}  At {stamp(WORLD.now())} instance {state.instance_id} was selected for termination."
    activity = begin(group, f"Terminating EC2 instance: {state.instance_id}", chosen)
    seconds = seconds_to_drain(group, state)
    if seconds:
        activity.status_code = "WaitingForELBConnectionDraining"
        WORLD.agenda.at(WORLD.after(seconds), partial(_drained, group, state, activity))
    else:
        _drained(group, state, activity)
    return activity


def _cancel_launch(state: InstanceState) -> None:
    launch: Activity | None = vars(state).get("_launch")
    if launch is not None and launch.end_time is None:
        launch.finish("Cancelled")


def _drained(group: FakeAutoScalingGroup, state: InstanceState, activity: Activity) -> None:
    if activity.end_time is not None or state not in group.instance_states:
        return
    hooks.wait(group, state, hooks.TERMINATING, partial(_end, group, state, activity))
    if activity.end_time is None:
        activity.status_code = "MidLifecycleAction"


def _end(group: FakeAutoScalingGroup, state: InstanceState, activity: Activity, _outcome: Outcome) -> None:
    activity.finish()
    tell(group, ENDED, activity, state.instance_id)
    group.instance_states = [other for other in group.instance_states if other is not state]
    state.instance.terminate()  # by its id moto would search all there ever were
