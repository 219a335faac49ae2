"""Where demand is measured. `Source` is the contract; a source is one file beside this one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from predictive_scaling.errors import PredictiveScalingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Points

M = TypeVar("M")


class SourceUnavailable(PredictiveScalingError):
    """A source cannot be reached, or its answer cannot be used."""


class Unreachable(SourceUnavailable):
    """What a connection leads to does not answer at all, so that asking it again at once is idle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One fleet's load, wanted from an instant on."""

    fleet: FleetSpec
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source had for many fleets; a fleet is in one of the two, or in both with no points."""

    points: Mapping[str, Points] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A load as it was last seen, and when that was; `backlog` is the load of working off what has piled up."""

    value: float
    at: datetime
    backlog: float = 0.0
    instances: int | None = None  # those it was seen on, where they can be counted

    @property
    def whole(self) -> float:
        """All that the fleet has to do now."""
        return self.value + self.backlog

    def age(self, now: datetime) -> timedelta:
        """Tell how fresh it is."""
        return now - self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest load of many fleets; a fleet is in one of the two, or, with no value of late, in none.

    One that is in both was seen in part: it has so much to do at least.
    """

    seen: Mapping[str, Seen] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def fully_seen(self) -> dict[str, Seen]:
        """What was seen without a problem."""
        return {fleet: seen for fleet, seen in self.seen.items() if fleet not in self.problems}


class Source(Protocol):
    """Measures total load. Missing stays missing, and one fleet's trouble never stops another's reading."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Give what was measured in whole periods that closed by `until`, each value at its period's start."""

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Give each fleet's newest value, and when it was so."""


def metric_of(fleet: FleetSpec, kind: type[M]) -> M:
    """Give the fleet's metric as the kind that a source reads."""
    metric: Any = fleet.metric
    assert isinstance(metric, kind), f"{fleet.name}: {type(metric).__name__} is read by another source"
    return metric
