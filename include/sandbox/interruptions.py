"""Losing an instance on purpose: at once, or as EC2 takes a Spot instance back, two minutes after a notice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState, autoscaling_backends

from sandbox.group_instances import instance_of
from sandbox.health import REBALANCE
from sandbox.notices import announce
from sandbox.rounds import exists, look_again
from sandbox.settings import InvalidSetting
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moto.autoscaling.models import AutoScalingBackend

NOTICE_SECONDS = 120
NOTICED, LOST = "_noticed", "_lost"
"""Notes on an instance, for those who run something on it."""


def _backends() -> Iterator[AutoScalingBackend]:
    for regions in list(autoscaling_backends.values()):
        yield from list(regions.values())


def find(instance_id: object) -> tuple[FakeAutoScalingGroup, InstanceState]:
    """Find an instance of any group, or refuse."""
    for backend in _backends():
        found = instance_of(backend, str(instance_id))
        if found is not None:
            return found
    message = f"instance_id: {instance_id!r} is in no Auto Scaling group; give the id of an instance of a group"
    raise InvalidSetting(message)


def kill(instance_id: object) -> None:
    """Let an instance be gone at once; its group finds out and replaces it."""
    group, state = find(instance_id)
    _lose(group, state)


def interrupt(instance_id: object) -> None:
    """Take an instance back in two minutes; a group that rebalances starts another one already."""
    group, state = find(instance_id)
    vars(state)[NOTICED] = True
    arn = f"arn:aws:ec2:{group.region}:{group.account_id}:instance/{state.instance_id}"
    detail = {"instance-id": state.instance_id}
    announce(group.account_id, group.region, "aws.ec2", "EC2 Instance Rebalance Recommendation", detail, [arn])
    warning = {**detail, "instance-action": "terminate"}
    announce(group.account_id, group.region, "aws.ec2", "EC2 Spot Instance Interruption Warning", warning, [arn])
    if group.capacity_rebalance:
        vars(state)["_at_risk"] = REBALANCE
        look_again(group)
    WORLD.agenda.at(WORLD.after(NOTICE_SECONDS), partial(_lose, group, state))


def _lose(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    if state.instance.state == "terminated":
        return
    vars(state)[LOST] = True
    state.instance.terminate()
    if exists(group):
        look_again(group)
