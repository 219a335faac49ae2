"""The calls that change a group's schedule: cut to AWS's batches, and in an order that never leaves it too low.

Puts go first: until the last delete, the floor is below neither what was scheduled nor what is to be. Only where both
together are more than AWS keeps must the last of the old actions go before, and those that are to set fewer sizes: a
size that a put does not give may stay as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from predictive_scaling.schedule import ACTIONS_PER_GROUP

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from predictive_scaling.fleets import Fleet, Receipt, ScheduledAction
    from predictive_scaling.schedule import Changes

BATCH: Final = 50
"""AWS's limit for one BatchPut or BatchDelete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One write to the group: a batch of actions to put, or to delete."""

    name: str
    verb: Literal["put", "delete"]
    actions: tuple[ScheduledAction, ...]

    def made_on(self, fleet: Fleet) -> Receipt:
        """Make it."""
        if self.verb == "put":
            return fleet.put(self.actions)
        return fleet.delete([action.name for action in self.actions])


def calls_for(changes: Changes, present: Collection[ScheduledAction]) -> list[Call]:
    """Give the calls that make these changes to what is present, in their order."""
    early = [*_in_the_way(changes, present), *_setting_more(changes, present)]
    first, late = _batches(early), _batches([action for action in changes.delete if action not in early])
    deletes = _named("delete", [*first, *late])
    return [*deletes[: len(first)], *_named("put", _batches(changes.put)), *deletes[len(first) :]]


def _in_the_way(changes: Changes, present: Collection[ScheduledAction]) -> list[ScheduledAction]:
    """Give those to delete, the latest, that AWS's limit wants gone before the others are put: as few as will do."""
    names = {action.name for action in present}
    crowd = len(names) + sum(action.name not in names for action in changes.put) - ACTIONS_PER_GROUP
    return sorted(changes.delete, key=lambda action: str(action.start), reverse=True)[: max(crowd, 0)]


def _setting_more(changes: Changes, present: Collection[ScheduledAction]) -> list[ScheduledAction]:
    """Give those that set a size which they are to leave alone, such as a maximum after a person's word is over."""
    wanted = {action.name: action.as_json().keys() for action in changes.put}
    known = (action for action in present if action.name in wanted)
    return [action for action in known if action.as_json().keys() - wanted[action.name]]


def _batches(actions: Sequence[ScheduledAction]) -> list[tuple[ScheduledAction, ...]]:
    return [tuple(actions[at : at + BATCH]) for at in range(0, len(actions), BATCH)]


def _named(verb: Literal["put", "delete"], parts: Sequence[tuple[ScheduledAction, ...]]) -> list[Call]:
    return [
        Call(name=f"{verb} {number} of {len(parts)}", verb=verb, actions=part)
        for number, part in enumerate(parts, start=1)
    ]
