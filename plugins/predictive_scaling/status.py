"""What was last seen of a fleet and decided about it: the present, for the page, the API and whoever asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from forecasting.cost_meter import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from predictive_scaling.look import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One fleet, as its last turn left it; the fields after `problem` are unknown until a turn succeeds."""

    fleet: str
    at: datetime
    group: str
    mode: str
    unit: str
    stage: str | None = None
    problem: str | None = None
    notes: tuple[str, ...] = ()
    min_size: int | None = None  # the group's own bounds and counts, as observed
    max_size: int | None = None
    desired: int | None = None
    in_service: int | None = None
    planned: int | None = None  # the floor the plan holds now
    next_at: datetime | None = None
    next_capacity: int | None = None
    next_reason: str | None = None
    peak_at: datetime | None = None
    peak_demand: float | None = None
    demand: float | None = None  # expected now, at the quantile
    quantile: float | None = None
    forecast_id: str | None = None
    plan_id: str | None = None
    written: int = 0
    reason: str | None = None
    price_per_hour: float = 0.0  # of one instance
    wape: float | None = None  # of the last scored forecasts
    coverage: float | None = None
    concerns: tuple[str, ...] = ()  # what people were told of, so that they are told once
    meter: Mapping[str, Any] | None = None  # what it has cost, at the price of its file
    resized_at: datetime | None = None  # when its sizes were seen, if not by its turn
    groups: tuple[str, ...] = ()  # where something of ours may be: its own, and former ones until they are at rest

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @property
    def seen_at(self) -> datetime:
        """When its fleet was last looked at."""
        return max(self.at, self.resized_at or self.at)

    @property
    def sized_at(self) -> datetime | None:
        """When its sizes were seen: a turn that failed has seen none, and keeps those of before."""
        if self.desired is None:
            return None
        return self.resized_at if self.problem and self.resized_at else self.seen_at

    def looked(self, look: Look | None) -> Status:
        """Give it with the sizes of a look, where that is newer."""
        if look is None or (self.sized_at is not None and look.at <= self.sized_at):
            return self
        return replace(self, resized_at=look.at, **look.sizes)

    def spent(self, now: datetime, *, given_up: bool = False) -> Reading | None:
        """Tell what the fleet has cost today and this month, if it goes on as it was last seen, or was given up."""
        if self.meter is None:
            return None
        read = Reading.from_json(self.meter)
        return read.given_up(now) if given_up else read.advanced(now)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_json` gave; a field of another version is left out."""
        read = {name: row[name] for name in _FIELDS & row.keys()}
        for name in ("at", "next_at", "peak_at", "resized_at"):
            if read.get(name):
                read[name] = datetime.fromisoformat(read[name])
        tuples = {name: tuple(read.get(name, ())) for name in ("notes", "concerns", "groups")}
        return cls(**{**read, **tuples})


_FIELDS: Final = frozenset(field.name for field in fields(Status))


class Statuses(Protocol):
    """Keeps the last status of each fleet with its plan, and the plan before that; beside it the watch's last look."""

    def save(self, status: Status, plan: Mapping[str, Any] | None = None) -> None:
        """Keep the status; a plan of another id than the known one moves that one to `previous`."""

    def all(self) -> Sequence[Status]:
        """Give every fleet's status, by name."""

    def of(self, fleet: str) -> Status | None:
        """Give one fleet's status."""

    def plans(self, fleet: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
        """Give the plan that holds and the one before it."""

    def keep_looks(self, looks: Sequence[Look]) -> None:
        """Keep looks, all at once; an older one than the known one of its fleet is passed over."""

    def looks(self) -> Mapping[str, Look]:
        """Give the last look at every fleet that is watched, by its name."""

    def look(self, fleet: str) -> Look | None:
        """Give the last look at one fleet."""


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
