"""Fleets the product can steer. `Fleet` is the contract; a kind of fleet is one file beside this one.

`auto_scaling.AutoScalingFleet` steers an AWS Auto Scaling group, `memory.MemoryFleet` lives in memory.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

IN_SERVICE: Final = "InService"
HELD_BY: Final = "predictive-scaling:held-by"
"""The tag that says which deployment steers a group."""
TAKES_WORK: Final = frozenset({"healthy", "unavailable", "not in use"})
"""Target states in which nothing is left to wait for: healthy, never checked, or behind no load balancer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledAction:
    """One scheduled action of a group, ours or foreign."""

    name: str
    start: datetime | None
    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None
    recurrence: str | None = None

    def as_json(self) -> dict[str, object]:
        """What the ledger keeps of it."""
        start = self.start.isoformat() if self.start else None
        fields = {"start": start, "min": self.min_size, "max": self.max_size, "desired": self.desired}
        return {key: value for key, value in {**fields, "recurrence": self.recurrence}.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance of a fleet; launch time and targets are known only from `examine`."""

    id: str
    zone: str = ""
    type: str = ""
    lifecycle: str = IN_SERVICE
    healthy: bool = True
    protected: bool = False
    weight: int = 1
    launched_at: datetime | None = None
    targets: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        row = asdict(self)
        return {**row, "launched_at": self.launched_at.isoformat() if self.launched_at else None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Instance:
        """Read what `as_json` gave."""
        launched = datetime.fromisoformat(row["launched_at"]) if row["launched_at"] else None
        return cls(**{**row, "launched_at": launched, "targets": tuple(row["targets"])})

    @property
    def in_service(self) -> bool:
        """Whether the fleet counts it as running."""
        return self.lifecycle == IN_SERVICE

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out: draining, held by a hook, or being terminated."""
        return self.lifecycle.startswith(("Terminating", "Terminated", "Detaching"))

    @property
    def staying(self) -> bool:
        """Whether it counts towards the desired capacity: in service, on its way in, or getting another root volume."""
        return self.in_service or self.lifecycle.startswith(("Pending", "ReplacingRootVolume", "RootVolumeReplaced"))

    @property
    def serving(self) -> bool:
        """Whether it does its work: in service, healthy, and healthy in every target group."""
        return self.in_service and self.healthy and TAKES_WORK.issuperset(self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One thing a fleet did by itself: a launch or a termination, and how it ended."""

    id: str
    description: str
    status: str
    message: str = ""
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def boot(self) -> timedelta | None:
        """How long a launch took until the instance was in service; a warm pool's own launches are no boots."""
        launched = self.description.startswith("Launching") and "into warm pool" not in self.description
        if not (launched and self.status == "Successful" and self.began and self.ended):
            return None
        return self.ended - self.began

    @property
    def failed_launch(self) -> bool:
        """Whether an instance was to be launched and did not come."""
        return self.description.startswith("Launching") and self.status in {"Failed", "Cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPolicy:
    """One scaling policy of a fleet; `predicts` when it moves capacity ahead of the load by itself."""

    name: str
    kind: str
    predicts: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The numbers of a fleet; None means: as it is. So much is bought `on_demand` before any Spot."""

    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None
    on_demand: int | None = None

    def as_json(self) -> dict[str, int]:
        """What is given, by the words of a fleet file."""
        fields = {"min": self.min_size, "max": self.max_size, "desired": self.desired, "on_demand": self.on_demand}
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_json(cls, fields: Mapping[str, int]) -> Sizes:
        """Read what `as_json` wrote; other keys are no sizes."""
        return cls(
            min_size=fields.get("min"),
            max_size=fields.get("max"),
            desired=fields.get("desired"),
            on_demand=fields.get("on_demand"),
        )

    def __bool__(self) -> bool:
        return bool(self.as_json())

    def __str__(self) -> str:
        return ", ".join(f"{name} {size}" for name, size in self.as_json().items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How a fleet buys: a base on demand, then this percentage of the rest; what is left is Spot."""

    base: int = 0
    share: int = 100

    def on_demand(self, capacity: int) -> int:
        """Give how many of so many units are bought on demand, as AWS counts: a part of a unit is one."""
        return min(self.base, capacity) - (-max(capacity - self.base, 0) * self.share // 100)

    def base_for(self, on_demand: int, capacity: int) -> int:
        """Give the least base by which at least so many of the units are bought on demand, and no Spot is asked for."""
        bases = range(self.base, capacity + 1)
        return next(
            (base for base in bases if Mix(base=base, share=self.share).on_demand(capacity) >= on_demand), capacity
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A fleet as it is: its bounds, its instances, and every action scheduled on it, foreign ones too."""

    min_size: int
    max_size: int
    desired: int
    in_service: int
    actions: tuple[ScheduledAction, ...] = ()
    instances: tuple[Instance, ...] = ()
    target_groups: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    mix: Mix | None = None
    """Of a group that may buy Spot; others buy in one way."""
    tags: Mapping[str, str] = field(default_factory=dict)
    group_id: str | None = None
    """Account, region and name: it tells the group from all others, whatever connection leads to it."""

    @property
    def sizes(self) -> Sizes:
        """The numbers."""
        base = self.mix.base if self.mix else None
        return Sizes(min_size=self.min_size, max_size=self.max_size, desired=self.desired, on_demand=base)

    def is_other_than(self, group_id: str | None) -> bool:
        """Whether it is known to be another group than that one."""
        return None not in {group_id, self.group_id} and group_id != self.group_id

    @property
    def staying_units(self) -> int:
        """Capacity that runs or is on its way, in the units of the desired capacity."""
        return sum(instance.weight for instance in self.instances if instance.staying)

    @property
    def serving_units(self) -> int:
        """Capacity that does its work, in the units of the desired capacity."""
        return sum(instance.weight for instance in self.instances if instance.serving)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A closer look: instances with launch time and target health, and the newest activities first."""

    observed: Observed
    activities: tuple[Activity, ...] = ()

    @property
    def mark(self) -> str | None:
        """The newest activity, by which a later look tells what is new."""
        return self.activities[0].id if self.activities else None

    def since(self, mark: str | None) -> tuple[Activity, ...]:
        """The activities that began after the marked one, newest first."""
        ids = [activity.id for activity in self.activities]
        return self.activities[: ids.index(mark)] if mark in ids else self.activities


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a write: the request's id, and what was refused with the reason of each."""

    request_id: str
    refused: Mapping[str, str] = field(default_factory=dict)


class Fleet(Protocol):
    """Something whose floor can be scheduled and whose size can be changed.

    A write raises OutcomeUnknown when it may or may not have taken effect, and WriteRefused or CloudUnavailable
    when it has not.
    """

    def observe(self) -> Observed:
        """Look; changes nothing, and costs few calls."""

    def activities(self) -> Sequence[Activity]:
        """Tell what the fleet did by itself lately, newest first."""

    def examine(self) -> Examined:
        """Look closer, with more calls: launch times, target health, activities."""

    def policies(self) -> Sequence[ScalingPolicy]:
        """Tell which policies move the fleet by themselves."""

    def claim(self, holder: str) -> Receipt:
        """Write down which deployment steers the fleet; the last to write it holds it."""

    def put(self, actions: Sequence[ScheduledAction]) -> Receipt:
        """Create the actions, or replace those of the same names."""

    def delete(self, names: Sequence[str]) -> Receipt:
        """Remove the actions; one that is already gone counts as removed."""

    def resize(self, sizes: Sizes) -> Receipt:
        """Set the sizes that are given, all of them or none."""

    def retire(self, instance_id: str) -> Receipt:
        """Let one instance go and lower the desired capacity by it; never below the minimum.

        The fleet takes it out of its target groups, waits until it has drained and until its hooks are done, and
        only then ends it. One that is already gone counts as let go.
        """
