"""A fleet in memory, for tests and for trying plans without a cloud. Its instances come and go at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from predictive_scaling.errors import WriteRefused
from predictive_scaling.fleets import (
    HELD_BY,
    Activity,
    Examined,
    Instance,
    Mix,
    Observed,
    Receipt,
    ScalingPolicy,
    Sizes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.fleets import ScheduledAction


class MemoryFleet:
    """Keeps the contract of `Fleet` for as long as the process lives."""

    def __init__(self, observed: Observed) -> None:
        self._numbers = count(1)
        self._observed = observed
        self.writes = 0
        self._staff()

    def observe(self) -> Observed:
        """Look."""
        return self._observed

    def activities(self) -> Sequence[Activity]:
        """Tell nothing: what is asked for is there at once."""
        return ()

    def examine(self) -> Examined:
        """Look; there is nothing more to see."""
        return Examined(observed=self._observed)

    def policies(self) -> Sequence[ScalingPolicy]:
        """Tell of none."""
        return ()

    def claim(self, holder: str) -> Receipt:
        """Remember who steers it."""
        return self._write(replace(self._observed, tags={**self._observed.tags, HELD_BY: holder}))

    def put(self, actions: Sequence[ScheduledAction]) -> Receipt:
        """Create or update; like AWS, refuse a start that another action holds, and leave a size that is not given."""
        refused = {
            action.name: "AlreadyExists: another action starts then"
            for action in actions
            if any(other.start == action.start and other.name != action.name for other in self._observed.actions)
        }
        known = {action.name: action for action in self._observed.actions}
        accepted = {
            action.name: _updated(known.get(action.name), action) for action in actions if action.name not in refused
        }
        kept = tuple(action for action in self._observed.actions if action.name not in accepted)
        return self._write(replace(self._observed, actions=(*kept, *accepted.values())), refused)

    def delete(self, names: Sequence[str]) -> Receipt:
        """Remove."""
        kept = tuple(action for action in self._observed.actions if action.name not in names)
        return self._write(replace(self._observed, actions=kept))

    def resize(self, sizes: Sizes) -> Receipt:
        """Set what is given; bounds that exclude the desired capacity move it."""
        now = self._observed
        low = now.min_size if sizes.min_size is None else sizes.min_size
        high = now.max_size if sizes.max_size is None else sizes.max_size
        desired = min(max(now.desired, low), high) if sizes.desired is None else sizes.desired
        if not 0 <= low <= desired <= high:
            msg = f"resizing to {sizes.as_json()}: refused: {low} <= {desired} <= {high} does not hold"
            raise WriteRefused(msg)
        mix = now.mix if sizes.on_demand is None else replace(now.mix or Mix(), base=sizes.on_demand)
        return self._write(replace(now, min_size=low, max_size=high, desired=desired, mix=mix))

    def retire(self, instance_id: str) -> Receipt:
        """Take one out."""
        kept = tuple(instance for instance in self._observed.instances if instance.id != instance_id)
        if len(kept) == len(self._observed.instances):
            return Receipt(request_id="already gone")
        if self._observed.desired <= self._observed.min_size:
            msg = f"letting go of {instance_id}: refused: desired {self._observed.desired} is the minimum"
            raise WriteRefused(msg)
        return self._write(replace(self._observed, instances=kept, desired=self._observed.desired - 1))

    def _write(self, changed: Observed, refused: dict[str, str] | None = None) -> Receipt:
        self.writes += 1
        self._observed = changed
        self._staff()
        return Receipt(request_id=f"memory-{self.writes}", refused=refused or {})

    def _staff(self) -> None:
        """Bring the instances to the desired capacity, the oldest leaving first."""
        present = self._observed.instances[max(len(self._observed.instances) - self._observed.desired, 0) :]
        missing = self._observed.desired - len(present)
        new = tuple(Instance(id=f"i-{next(self._numbers):04d}", zone="memory", type="memory") for _ in range(missing))
        instances = (*present, *new)
        serving = sum(instance.in_service for instance in instances)
        self._observed = replace(self._observed, instances=instances, in_service=serving)


def _updated(known: ScheduledAction | None, action: ScheduledAction) -> ScheduledAction:
    sizes = ("min_size", "max_size", "desired")
    left: dict[str, Any] = {name: getattr(known, name, None) for name in sizes if getattr(action, name) is None}
    return replace(action, **left)
