"""Asking that a group be looked at again: by what notices a change, without knowing who acts on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sandbox.world import WORLD

if TYPE_CHECKING:
    from datetime import datetime

    from moto.autoscaling.models import FakeAutoScalingGroup

Round = Callable[["FakeAutoScalingGroup"], None]

_rounds: list[Round] = []


def every_round(function: Round) -> Round:
    """Register a function to be called whenever a group is looked at."""
    _rounds.append(function)
    return function


def exists(group: FakeAutoScalingGroup) -> bool:
    """Tell whether a group is still there, and not another one by the same name."""
    return group.autoscaling_backend.autoscaling_groups.get(group.name) is group


def look_again(group: FakeAutoScalingGroup) -> None:
    """Look at a group now."""
    for function in _rounds:
        function(group)


def look_later(group: FakeAutoScalingGroup, seconds: float) -> None:
    """Look at a group after a while; of several requests the earliest counts."""
    due = WORLD.after(seconds)
    planned: datetime | None = vars(group).get("_next_round")
    if planned is not None and WORLD.now() < planned <= due:
        return
    vars(group)["_next_round"] = due
    WORLD.agenda.at(due, partial(_look_if_wanted, group, due))


def _look_if_wanted(group: FakeAutoScalingGroup, due: datetime) -> None:
    if vars(group).get("_next_round") == due and exists(group):
        vars(group)["_next_round"] = None
        look_again(group)
