"""What a fleet's group is made of, as a person wants it: instances, their start, their end, and what is kept warm.

Sizes are not here: bounds come from the fleet file, and after a group was made its floor is the planner's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAPHICS: Final = frozenset({"g", "gr", "p", "vt"})
"""Families with an accelerator; their drivers load for minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPool:
    """Instances booted ahead and put aside."""

    min_size: int = 0
    max_prepared: int | None = None
    state: str = "Stopped"
    reuse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """How much of a group is bought on the spot market."""

    on_demand_base: int = 0
    share: int = 0
    """Percent of what is above the base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """One group as it should be."""

    fleet: str
    image: str
    instance_types: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    instance_profile: str | None = None
    user_data: str = ""
    spot: Spot = field(default_factory=Spot)
    target_groups: tuple[str, ...] = ()
    health_check: str = "EC2"
    grace: timedelta = timedelta(minutes=5)
    cooldown: timedelta = timedelta(minutes=3)
    warmup: timedelta = timedelta(minutes=2)
    capacity_rebalance: bool = False
    farewell: timedelta = timedelta(minutes=1)
    """How long an instance may take to finish what it does before it is ended; zero: no hook."""
    warm_pool: WarmPool | None = None
    processing: timedelta | None = None
    """How long one message takes, on average."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def mixed(self) -> bool:
        """Whether the group buys more than one type, or on the spot market."""
        return len(self.instance_types) > 1 or self.spot.share > 0

    @property
    def has_accelerator(self) -> bool:
        """Whether an instance has one."""
        return any(family_of(each) in GRAPHICS for each in self.instance_types)


def family_of(instance_type: str) -> str:
    """The letters of a type's family: g for g5.xlarge, m for m6i.large."""
    found = re.match(r"[a-z]+", instance_type)
    return found[0] if found else ""
