"""Invented demand with known habits and accidents: the same for documentation, tests and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ParamSpec

import numpy as np

from forecasting.demand import Demand
from forecasting.wall_clock import wall_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecasting.values import Values

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
Habits = ParamSpec("Habits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invention:
    """The habits and accidents of a demand that follows people's days in `timezone`."""

    days: float = 28
    step: timedelta = timedelta(minutes=5)
    start: datetime = MONDAY
    timezone: str = "UTC"
    level: float = 1_000.0
    daily: float = 0.6  # the swing between night and day
    weekend: float = 0.6  # the share of a weekday that is left on weekends
    growth: float = 0.0  # the change a week
    noise: float = 0.05
    gap: timedelta | None = None  # a hole in the middle
    spike: float | None = None  # a factor for one hour, two days before the end
    shift: tuple[timedelta, float] | None = None  # how long before the end, and the factor: a lasting change of level
    cron: float | None = None  # a factor for the first five minutes of every hour
    seed: int = 0

    def demand(self) -> Demand:
        """Invent it."""
        return Demand(self.start, self.step, self._with_accidents(self._habitual()))

    def _habitual(self) -> Values:
        random = np.random.default_rng(self.seed)
        count = int(timedelta(days=self.days) / self.step)
        hours, weekday = self._local(count)
        swing, evening = np.sin((hours - 9) / 24 * 2 * np.pi), np.sin((hours - 4) / 12 * 2 * np.pi)
        shape = 1 + self.daily * swing + self.daily / 4 * evening
        shape *= np.where(weekday >= 5, self.weekend, 1.0)
        shape *= 1 + self.growth * np.arange(count) * (self.step / timedelta(weeks=1))
        values = self.level * np.maximum(shape, 0.02) * np.exp(_rough(random, count, self.noise))
        return np.asarray(values if self.cron is None else np.where(hours % 1 < 5 / 60, values * self.cron, values))

    def _local(self, count: int) -> tuple[Values, Values]:
        """Give the hour of the day and the day of the week of every slot, by the clocks of the time zone."""
        wall = wall_clock(self.start.astimezone(UTC), self.step, count, 1, self.timezone)
        midnight = wall.start.replace(hour=0, minute=0, second=0, microsecond=0)
        hour = timedelta(hours=1)
        on_clock = (wall.start - midnight) / hour + wall.past * (self.step / hour)
        return np.asarray(on_clock % 24), np.asarray((midnight.weekday() + on_clock // 24) % 7)

    def _with_accidents(self, usual: Values) -> Values:
        values, count = usual.copy(), len(usual)
        if self.spike is not None:
            first = max(0, count - timedelta(days=2) // self.step)
            values[first : first + timedelta(hours=1) // self.step] *= self.spike
        if self.shift is not None:
            before, factor = self.shift
            values[max(0, count - before // self.step) :] *= factor
        if self.gap is not None:
            first = count // 2
            values[first : first + self.gap // self.step] = np.nan
        return values


def _by_name(invention: Callable[Habits, Invention]) -> Callable[Habits, Demand]:
    def synthetic_demand(*habits: Habits.args, **named: Habits.kwargs) -> Demand:
        """Invent a demand: every habit and accident of an `Invention` can be chosen by its name."""
        return invention(*habits, **named).demand()

    return synthetic_demand


synthetic_demand = _by_name(Invention)


def _rough(random: np.random.Generator, count: int, noise: float) -> Values:
    """Noise with a memory of about an hour, as real traffic has, and a little without."""
    shocks = random.normal(0.0, noise, count + 48)
    kernel = 0.9 ** np.arange(48)
    remembered = np.convolve(shocks, kernel / np.sqrt((kernel**2).sum()), mode="valid")[:count]
    return np.asarray(0.8 * remembered + 0.6 * random.normal(0.0, noise, count))
