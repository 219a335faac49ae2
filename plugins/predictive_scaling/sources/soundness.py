"""Which measured values are believed. What is not believed is missing, and missing is not zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from forecasting.values import GREATEST
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from predictive_scaling.metric import Measure

LEAST_STANDSTILL: Final = timedelta(hours=1)
LEAST_PERIODS: Final = 6
TIMES_LONGEST: Final = 3
"""A value that stood still so many times longer than ever before is not believed."""
ENOUGH_TO_JUDGE: Final = timedelta(days=1)
"""With less history than this nobody knows how long a metric stands still."""
_TOO_GREAT: Final = f"above {GREATEST:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many values no load can have."""

    not_a_number: int = 0
    infinite: int = 0
    negative: int = 0
    too_great: int = 0

    def __bool__(self) -> bool:
        return bool(self.not_a_number or self.infinite or self.negative or self.too_great)

    def __str__(self) -> str:
        counts = (
            (self.not_a_number, "NaN"),
            (self.infinite, "infinite"),
            (self.negative, "negative"),
            (self.too_great, _TOO_GREAT),
        )
        return ", ".join(f"{count:,} {what}" for count, what in counts if count)


def sound(points: Points) -> tuple[Points, LeftOut]:
    """Part the values a load can have from those it cannot; from zero to what forecasts reckon with is what it can."""
    values = points.values
    good = (values >= 0) & (values <= GREATEST)
    left_out = LeftOut(
        not_a_number=int((values != values).sum()),  # noqa: PLR0124 - only NaN is not itself
        infinite=int((abs(values) == math.inf).sum()),
        negative=int(((values < 0) & (values > -math.inf)).sum()),
        too_great=int(((values > GREATEST) & (values < math.inf)).sum()),
    )
    return Points(points.times[good], values[good]), left_out


def unsound(value: float) -> str | None:
    """Say what is wrong with one value, if anything."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "infinite"
    if value > GREATEST:
        return _TOO_GREAT
    return "negative" if value < 0 else None


def standstill(points: Points, metric: Measure) -> str | None:
    """Say that the newest value has not moved for suspiciously long.

    Zero is believed: an idle fleet's load stands still. So is a metric that never moved, or that nobody has watched
    for a day.
    """
    *earlier, last = _runs(points, metric.period)
    if not last.value or not earlier:
        return None
    longest = max(run.lasted for run in earlier)
    enough = metric.may_stand_still
    if enough is None:
        if sum((run.lasted for run in earlier), timedelta()) < ENOUGH_TO_JUDGE:
            return None
        enough = max(LEAST_STANDSTILL, LEAST_PERIODS * metric.period, TIMES_LONGEST * longest)
    if last.lasted < enough:
        return None
    return (
        f"{metric.described} has stood at {last.value:,.10g} since {last.since:%Y-%m-%d %H:%M} UTC, for "
        f"{last.lasted}, and before that never longer than {longest}: check that it is still measured; "
        f"if it is right, write a longer may_stand_still into the fleet file's metric"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A time in which one value was measured again and again."""

    value: float
    since: datetime
    lasted: timedelta


def _runs(points: Points, period: timedelta) -> list[_Run]:
    """Cut the values into runs of the same; a missing period says nothing of standing still, and does not count."""
    starts = [0, *(int(at) + 1 for at in (points.values[1:] != points.values[:-1]).nonzero()[0]), len(points)]
    runs = []
    for first, following in pairwise(starts):
        since = datetime.fromtimestamp(int(points.times[first]), UTC)
        lasted = (following - first) * period
        runs.append(_Run(value=float(points.values[first]), since=since, lasted=lasted))
    return runs
