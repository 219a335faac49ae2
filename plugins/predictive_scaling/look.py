"""What the watch saw of a fleet at one moment: between two turns the page, the API and the budgets know it by that."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

OFTEN: Final = timedelta(seconds=30)
"""A look at other loads is kept no oftener, however often an alarm has the watch look; another size is kept at once."""
SELDOM: Final = timedelta(minutes=5)
"""So often a look is kept that found everything as before: the last one is never older while the watch goes on."""


class Sized(Protocol):
    """A group: its bounds and counts."""

    @property
    def min_size(self) -> int:
        """The least it may have."""

    @property
    def max_size(self) -> int:
        """The most."""

    @property
    def desired(self) -> int:
        """What it is to have."""

    @property
    def in_service(self) -> int:
        """What it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSeen:
    """One load: all of it, when it was so, and of how many instances; None where nobody knows how many there were."""

    metric: str
    value: float
    at: datetime
    instances: int | None

    @property
    def of_each(self) -> float | None:
        """Its mean over the instances that it was measured on."""
        return self.value / self.instances if self.instances else None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read what `Look.as_json` gave."""
        return cls(**{**row, "at": datetime.fromisoformat(row["at"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The sizes of a group, the loads of its fleet, and what could not be seen."""

    fleet: str
    at: datetime
    min_size: int
    max_size: int
    desired: int
    in_service: int
    loads: tuple[LoadSeen, ...] = ()
    problem: str | None = None

    @classmethod
    def at_group(cls, fleet: str, group: Sized, now: datetime, **more: Any) -> Self:
        """Give the look at a group as it is now."""
        sizes = {name: getattr(group, name) for name in _SIZES}
        return cls(fleet=fleet, at=now, **sizes, **more)

    @property
    def seen_at(self) -> datetime:
        """When it was, as of a status."""
        return self.at

    @property
    def sized_at(self) -> datetime:
        """When its sizes were seen, as of a status."""
        return self.at

    @property
    def sizes(self) -> dict[str, Any]:
        """The group's bounds and counts, by the names that a status has for them too."""
        return {name: getattr(self, name) for name in _SIZES}

    def resized(self, group: Sized, now: datetime) -> Look:
        """Give the same loads beside new sizes."""
        return replace(Look.at_group(self.fleet, group, now), loads=self.loads, problem=self.problem)

    def load(self, metric: str, *, since: datetime) -> LoadSeen | None:
        """Give a load by its metric; one that was measured before is none any more."""
        return next((each for each in self.loads if each.metric == metric and each.at >= since), None)

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        loads = [{**asdict(load), "at": load.at.isoformat()} for load in self.loads]
        return {"fleet": self.fleet, "at": self.at.isoformat(), **self.sizes, "loads": loads, "problem": self.problem}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave."""
        loads = tuple(map(LoadSeen.from_json, row["loads"]))
        return cls(**{**row, "at": datetime.fromisoformat(row["at"]), "loads": loads})


_SIZES: Final = ("min_size", "max_size", "desired", "in_service")


def is_news(look: Look, before: Look | None) -> bool:
    """Whether a look is worth keeping after the one that was kept before."""
    if before is None or look.sizes != before.sizes:
        return True
    same = (look.loads, look.problem) == (before.loads, before.problem)
    return look.at - before.at >= (SELDOM if same else OFTEN)
