"""A fleet as the rest of the product knows it, and the cutting of many fleets into shards."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forecasting import Policy
    from forecasting.decision import Rules
    from forecasting.envelope import Envelope
    from forecasting.event import Event
    from predictive_scaling.burst import Burst
    from predictive_scaling.metric import Measure

HORIZON: Final = timedelta(hours=48)


class Mode(StrEnum):
    """How far the product may go with a fleet."""

    OBSERVE = "observe"
    APPROVE = "approve"
    AUTO = "auto"


class Ownership(StrEnum):
    """What to do when somebody else moves the group."""

    REFUSE = "refuse"
    YIELD = "yield"
    TAKE_OVER = "take_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One more load that a fleet must serve, and what one instance serves of it."""

    metric: Measure
    target_per_instance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSpec:
    """What a person wrote about one fleet, checked."""

    name: str
    group: str
    metric: Measure
    policy: Policy
    mode: Mode = Mode.OBSERVE
    timezone: str = "UTC"
    engine: str = "auto"
    history: timedelta = timedelta(days=28)
    events: tuple[Event, ...] = ()
    country: str | None = None
    connection: str = "aws_default"
    region: str | None = None
    max_extra_cost: float = 0.25
    also: tuple[Load, ...] = ()
    on_failure: tuple[str, ...] = ("elsewhere", "keep")  # when instances added by hand do not come
    ownership: Ownership = Ownership.REFUSE
    reaction: Rules | None = None  # None leaves reacting to the group's own policies
    approval: Envelope | None = None  # None lets a plan go as far as the policy does
    burst: Burst | None = None  # None leaves all traffic where it is

    @property
    def calendar(self) -> dict[str, Any]:
        """What a forecast is made with; fleets that agree in it can be forecast together."""
        return {"engine": self.engine, "timezone": self.timezone, "events": self.events, "country": self.country}

    @property
    def counts_instances(self) -> bool:
        """Whether one of its loads is known only while AWS counts the group's instances."""
        return any(load.metric.counts_instances for load in self.loads)

    @property
    def metric_identity(self) -> str:
        """A short name for exactly its metric and the account it is read in."""
        return self.metric.identity((self.connection, self.region))

    @property
    def measured_by(self) -> str:
        """A short name for all its metrics together, whatever their order."""
        return "-".join(sorted(load.metric_identity for load in self.loads))

    @property
    def loads(self) -> tuple[FleetSpec, ...]:
        """The fleet once for each load: itself, and one beside it, with a name of its own, for each of `also`."""
        beside = (
            replace(
                self,
                name=f"{self.name}+{number}",
                metric=load.metric,
                policy=replace(self.policy, target_per_instance=load.target_per_instance),
                also=(),
            )
            for number, load in enumerate(self.also, start=2)
        )
        return (self, *beside)


def each_load(fleets: Iterable[FleetSpec]) -> list[FleetSpec]:
    """Give what must be measured and forecast: every load of every fleet."""
    return [load for fleet in fleets for load in fleet.loads]


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of the fleets, written `2-of-5`: the key that joins the runs of a chain."""

    number: int
    count: int

    @classmethod
    def parse(cls, key: str | None) -> Shard:
        """Read a key; no key means all fleets, as when a person triggers a run."""
        if not key:
            return cls(1, 1)
        match = re.fullmatch(r"(\d+)-of-(\d+)", key)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            msg = f"shard {key!r} is not one of a cut: write it as 2-of-5, the second of five"
            raise InvalidSetting(msg)
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.count}"

    def holds(self, fleet: str) -> bool:
        """Whether the fleet of this name belongs here; the same on every machine and every run."""
        return zlib.crc32(fleet.encode()) % self.count == self.number - 1


def shards_of(specs: Sequence[FleetSpec], *, fleets_per_shard: int) -> list[Shard]:
    """Cut the fleets into as few shards as the size allows; an empty shard is left out."""
    count = max(1, -(-len(specs) // fleets_per_shard))
    shards = [Shard(number, count) for number in range(1, count + 1)]
    return [shard for shard in shards if any(shard.holds(spec.name) for spec in specs)]


def in_shard(specs: Iterable[FleetSpec], shard: Shard) -> list[FleetSpec]:
    """The fleets of one shard, in the order of their names."""
    return sorted((spec for spec in specs if shard.holds(spec.name)), key=lambda spec: spec.name)
