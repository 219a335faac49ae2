"""A fleet in memory, for tests and for trying plans without a cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from predictive_scaling.fleets import Observed, Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.schedule import ScheduledAction


class MemoryFleet:
    """Keeps the contract of `Fleet` for as long as the process lives."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self.writes = 0

    def observe(self) -> Observed:
        """Look."""
        return self._observed

    def put(self, actions: Sequence[ScheduledAction]) -> Receipt:
        """Create or replace; like AWS, refuse a start that another action holds."""
        refused = {
            action.name: "AlreadyExists: another action starts then"
            for action in actions
            if any(other.start == action.start and other.name != action.name for other in self._observed.actions)
        }
        accepted = {action.name: action for action in actions if action.name not in refused}
        kept = tuple(action for action in self._observed.actions if action.name not in accepted)
        return self._write((*kept, *accepted.values()), refused)

    def delete(self, names: Sequence[str]) -> Receipt:
        """Remove."""
        return self._write(tuple(action for action in self._observed.actions if action.name not in names), {})

    def _write(self, actions: tuple[ScheduledAction, ...], refused: dict[str, str]) -> Receipt:
        self.writes += 1
        self._observed = replace(self._observed, actions=actions)
        return Receipt(request_id=f"memory-{self.writes}", refused=refused)
