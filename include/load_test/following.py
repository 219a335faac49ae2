"""How capacity followed a load: pure functions of the traffic's shape and of what the product's API tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from demo.traffic import SERVED, SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AT_FIRST: Final = 2 * SERVED
"""What the shapes are made for: two instances serve so much well."""
SECOND: Final = timedelta(seconds=1)
_RAISED: Final = re.compile(r"desired (\d+) -> (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """One of the shapes of `demo.traffic`, in users: `served` are as many as today's capacity serves well."""

    load: str
    served: int

    def users(self, run_time: timedelta) -> int:
        """Give how many there are at a moment of the test."""
        return max(1, round(self.served * SHAPES[self.load](run_time / timedelta(minutes=1)) / AT_FIRST))

    def passes(self, within: timedelta) -> timedelta | None:
        """Tell when there are first more than are served well; None when that never happens."""
        moments = (second * SECOND for second in range(int(within / SECOND) + 1))
        return next((moment for moment in moments if self.users(moment) > self.served), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """A raise that was sent to AWS, and why."""

    at: datetime
    reason: str


def raises(events: Iterable[Mapping[str, Any]], since: datetime) -> list[Raise]:
    """Read the raises out of the newest events of a fleet, as `/fleets/{name}/events` gives them; oldest first."""
    rows = sorted(events, key=lambda row: int(row["id"]))
    done = {row["operation_id"]: datetime.fromisoformat(row["at"]) for row in rows if row["kind"] == "applied"}
    sent = [row for row in rows if row["kind"] == "intent" and row["operation_id"] in done and _is_raise(row["reason"])]
    found = [Raise(at=done[row["operation_id"]], reason=row["reason"]) for row in sent]
    return [each for each in found if each.at >= since]


def told(passed: datetime | None, found: list[Raise], slow: tuple[datetime, datetime] | None) -> str:
    """Sum up: when capacity was asked for after the threshold was passed, and when answers were quick again."""
    if passed is None:
        return "the load never passed what is served well" + (
            f"; {_asked(found)}" if found else ", and nothing was raised"
        )
    answers = "answers stayed quick"
    if slow:
        began, ended = slow
        answers = f"answers were slow from {_after(began, passed)} to {_after(ended, passed)}"
    return f"the load passed what is served well at {passed:%H:%M:%S} UTC; {_asked(found, passed)}; {answers}"


def _asked(found: list[Raise], passed: datetime | None = None) -> str:
    if not found:
        return "NOTHING WAS RAISED"
    first, more = found[0], len(found) - 1
    when = f"{first.at:%H:%M:%S} UTC" if passed is None else f"{_after(first.at, passed)}"
    return f"raised {when}: {first.reason}" + (f", and {more} more" if more else "")


def _after(at: datetime, passed: datetime) -> str:
    seconds = (at - passed).total_seconds()
    return f"{abs(seconds):.0f} s {'after' if seconds >= 0 else 'before'} that"


def _is_raise(reason: str) -> bool:
    found = _RAISED.search(reason)
    return found is not None and int(found[1]) < int(found[2])
