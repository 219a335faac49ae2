"""Budget: how much money fleets may cost in an hour, a day and a month, and what happens at the cap.

Hours, days and months are those of UTC, as on the cloud's own bill.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from forecasting.errors import InvalidPolicy, shown
from forecasting.values import GREATEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = re.compile(r"\w[\w .-]{0,59}")  # it names a file of the storage, and stands in a short column of the ledger
_KEYS = ("name", "fleets", "hourly", "daily", "monthly", "at_cap", "bill")


class AtCap(StrEnum):
    """What is done with a plan that would pass the cap; a lowering passes in any case."""

    CLAMP = "clamp"  # as much of it as the cap allows
    ASK = "ask"  # the same, and a person is asked for the rest
    SHED = "shed"  # the same, after fleets that come later in the budget's order had theirs
    ALERT = "alert"  # all of it, and a warning


class Span(StrEnum):
    """The stretch of time that a cap is for."""

    HOURLY = "hourly"
    DAILY = "daily"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One day or month of UTC."""

    span: Span
    start: datetime
    end: datetime

    def holds(self, when: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.start <= when < self.end

    def __str__(self) -> str:
        return f"{self.start:%B %Y}" if self.span is Span.MONTHLY else f"{self.start:%Y-%m-%d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Caps over some fleets together, or over every fleet."""

    name: str
    fleets: tuple[str, ...] = ()  # none is every fleet; for `shed` in the order in which they give way
    hourly: float | None = None  # at no instant do they cost more an hour
    daily: float | None = None
    monthly: float | None = None
    at_cap: AtCap = AtCap.CLAMP
    bill: Mapping[str, Any] | None = None  # the Cost Explorer filter that finds these fleets on the bill

    def __post_init__(self) -> None:
        """Refuse a budget that caps nothing, or that cannot shed."""
        if not _NAME.fullmatch(self.name):
            self._refuse("has no usable name: write up to 60 letters, digits, spaces, dots or dashes")
        for span in Span:
            cap = self.cap(span)
            amount = isinstance(cap, int | float) and not isinstance(cap, bool) and 0 <= cap <= GREATEST
            if cap is not None and not amount:
                self._refuse(f"{span} is {shown(cap)}: give an amount of 0 or more")
        if not isinstance(self.bill, Mapping | None):
            self._refuse(f"has bill {shown(self.bill)}: write a filter of Cost Explorer, or leave it out")
        if all(self.cap(span) is None for span in Span):
            self._refuse("caps nothing: give hourly, daily or monthly")
        if self.at_cap is AtCap.SHED and len(self.fleets) < 2:
            self._refuse(f"sheds over {list(self.fleets)}: list two or more fleets, the first to give way first")
        if len(set(self.fleets)) < len(self.fleets):
            self._refuse(f"names a fleet twice in {list(self.fleets)}: name each once")

    def _refuse(self, why: str) -> None:
        msg = f"budget {shown(self.name)} {why}"
        raise InvalidPolicy(msg)

    def cap(self, span: Span) -> float | None:
        """Give the cap for a stretch of time."""
        found: float | None = getattr(self, span.value)
        return found

    def covers(self, fleet: str) -> bool:
        """Whether a fleet's money comes out of this budget."""
        return not self.fleets or fleet in self.fleets

    def __str__(self) -> str:
        return f"budget {self.name}"

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read what was written in YAML: `fleets: all` or a list, and the caps."""
        unknown = [key for key in mapping if key not in _KEYS]
        name = str(mapping.get("name") or "")
        if unknown or not name:
            msg = f"budget {name!r} has {unknown or 'no name'}: write {', '.join(_KEYS)}, the name and one cap at least"
            raise InvalidPolicy(msg)
        given = {key: value for key, value in mapping.items() if value is not None}
        return cls(**{**given, "name": name, "fleets": _fleets(name, mapping), "at_cap": _at_cap(name, mapping)})


def windows(span: Span, since: datetime, until: datetime) -> Iterator[Window]:
    """Yield the days, or months, that a stretch of time touches."""
    start = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if span is Span.MONTHLY:
        start = start.replace(day=1)
    while start < until:
        following = start + timedelta(days=32 if span is Span.MONTHLY else 1)
        end = following.replace(day=1) if span is Span.MONTHLY else following
        yield Window(span=span, start=start, end=end)
        start = end


def read_budgets(path: str | Path) -> tuple[Budget, ...]:
    """Read a file of budgets; each error names the file."""
    from forecasting.yaml_file import read_mapping

    rows = read_mapping(path, InvalidPolicy, "budgets: [{name: web, daily: 20}]").get("budgets")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        msg = f"{path}: budgets is {shown(rows)}: write a list, each entry with name, fleets and a cap"
        raise InvalidPolicy(msg)
    try:
        found = tuple(Budget.from_mapping(row) for row in rows)
    except InvalidPolicy as error:
        msg = f"{path}: {error}"
        raise InvalidPolicy(msg) from error
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        msg = f"{path}: budgets {sorted(names)} share a name: give each its own, the ledger tells them apart by it"
        raise InvalidPolicy(msg)
    return found


def _fleets(name: str, mapping: Mapping[str, Any]) -> tuple[str, ...]:
    fleets = mapping.get("fleets", "all")
    if fleets == "all":
        return ()
    if isinstance(fleets, list | tuple) and fleets and all(isinstance(each, str) for each in fleets):
        return tuple(fleets)
    msg = f"budget {name!r} is over fleets {fleets!r}: write `all` or a list of their names"
    raise InvalidPolicy(msg)


def _at_cap(name: str, mapping: Mapping[str, Any]) -> AtCap:
    given = mapping.get("at_cap", AtCap.CLAMP)
    try:
        return AtCap(given)
    except ValueError as error:
        msg = f"budget {name!r} has at_cap {given!r}: write {', '.join(AtCap)}"
        raise InvalidPolicy(msg) from error
