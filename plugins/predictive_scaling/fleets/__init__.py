"""Fleets the product can steer. `Fleet` is the contract; a kind of fleet is one file beside this one.

`auto_scaling.AutoScalingFleet` steers an AWS Auto Scaling group, `memory.MemoryFleet` lives in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from predictive_scaling.schedule import ScheduledAction


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A fleet as it is: its bounds, its instances, and every action scheduled on it, foreign ones too."""

    min_size: int
    max_size: int
    desired: int
    in_service: int
    actions: tuple[ScheduledAction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a write: the request's id, and what was refused with the reason of each."""

    request_id: str
    refused: Mapping[str, str] = field(default_factory=dict)


class Fleet(Protocol):
    """Something whose floor can be scheduled.

    A write raises OutcomeUnknown when it may or may not have taken effect, and WriteRefused or CloudUnavailable
    when it has not.
    """

    def observe(self) -> Observed:
        """Look; changes nothing."""

    def put(self, actions: Sequence[ScheduledAction]) -> Receipt:
        """Create the actions, or replace those of the same names."""

    def delete(self, names: Sequence[str]) -> Receipt:
        """Remove the actions; one that is already gone counts as removed."""
