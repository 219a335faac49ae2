"""What the demand may make of a bill: the quantiles of the demand as quantiles of the money still to be spent.

A group that also reacts pays for what it needs, the plan being its floor. The forecast has quantiles of every slot
and none of their sum, so the load is taken to run at one quantile throughout: the widest spread there can be with these
slots. A load whose slots differ by themselves comes closer to the mean of its sum: it passes a cap above that less
often than told, and one below it more often. Outside the forecast's quantiles two things are certain: the plan's own
capacity is paid, and no more than the maximum is. Between known points the chance is interpolated, and told with its
bracket.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.forecast import Forecast
    from forecasting.policy import Policy
    from forecasting.values import Values

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
Pieces = Iterable[tuple[datetime, int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """A probability, within what is certain of it."""

    likely: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.most == self.least:
            return "no chance" if not self.most else "sure" if self.most == 1 else f"{self.most:.0%} chance"
        if not self.least:
            return f"a chance under {self.most:.0%}"
        if self.most == 1:
            return f"a chance over {self.least:.0%}"
        return f"{self.likely:.0%} chance ({self.least:.0%} to {self.most:.0%})"

    def as_json(self) -> dict[str, float]:
        """Give it as JSON can hold it."""
        return {"likely": round(self.likely, 4), "least": round(self.least, 4), "most": round(self.most, 4)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpendForecast:
    """A fleet's forecast with what turns it into money."""

    forecast: Forecast
    policy: Policy
    price: float  # of one unit of capacity for one hour

    def chance_to_pass(self, left: float, floor: Pieces, since: datetime, until: datetime) -> Chance:
        """Tell how likely more than `left` is spent between two instants, over a plan that is paid in any case."""
        slots = self._slots(since, until)
        hours = np.array([(end - start) / HOUR for start, end in slots])
        pieces = [(at, at + length * HOUR, capacity) for at, capacity, length in floor]
        paid = np.array([_instance_hours(pieces, start, end) for start, end in slots])

        def cost(needed: Values | float) -> float:
            return float(np.maximum(needed * hours, paid).sum() * self.price)

        likely = ((level, cost(self._needed(level, slots))) for level in self.forecast.quantiles)
        return _chance([(0.0, cost(0.0)), *likely, (1.0, cost(float(self.policy.ceiling)))], left)

    def _slots(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
        """Cut the time at the forecast's slots; what lies after the forecast is one slot."""
        edges = [since, *(at for at in (*self.forecast.times(), self.forecast.end) if since < at < until), until]
        return list(pairwise(edges))

    def _needed(self, quantile: float, slots: list[tuple[datetime, datetime]]) -> Values:
        """Count the instances of each slot: none known before the forecast, after it the mean of its last day."""
        counts = np.clip(self.policy.counted(self.forecast.at(quantile)), self.policy.min_size, self.policy.ceiling)
        last_day = float(counts[-max(int(DAY / self.forecast.step), 1) :].mean())
        places = [(start - self.forecast.start) // self.forecast.step for start, _ in slots]
        known = len(counts)
        return np.array([last_day if at >= known else float(counts[at]) if at >= 0 else 0.0 for at in places])


def _instance_hours(pieces: list[tuple[datetime, datetime, int]], since: datetime, until: datetime) -> float:
    overlaps = ((min(end, until) - max(start, since), capacity) for start, end, capacity in pieces)
    return sum(capacity * (overlap / HOUR) for overlap, capacity in overlaps if overlap > timedelta(0))


def _chance(points: list[tuple[float, float]], left: float) -> Chance:
    """Read off, from levels and the money each comes to, how much of the distribution lies beyond `left`."""
    levels, costs = zip(*points, strict=True)
    if costs[0] > left:
        return Chance(likely=1.0, least=1.0, most=1.0)
    if costs[-1] <= left:
        return Chance(likely=0.0, least=0.0, most=0.0)
    above = next(at for at, cost in enumerate(costs) if cost > left)
    share = (left - costs[above - 1]) / (costs[above] - costs[above - 1])
    level = levels[above - 1] + share * (levels[above] - levels[above - 1])
    return Chance(likely=1 - level, least=1 - levels[above], most=1 - levels[above - 1])
