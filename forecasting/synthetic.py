"""Invented demand with known habits and accidents: the same for documentation, tests and benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.demand import Demand
from forecasting.wall_clock import wall_clock

if TYPE_CHECKING:
    from forecasting.values import Values

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def synthetic_demand(  # noqa: PLR0913  (every habit and accident can be chosen by name)
    *,
    days: float = 28,
    step: timedelta = timedelta(minutes=5),
    start: datetime = MONDAY,
    timezone: str = "UTC",
    level: float = 1_000.0,
    daily: float = 0.6,
    weekend: float = 0.6,
    growth: float = 0.0,
    noise: float = 0.05,
    gap: timedelta | None = None,
    spike: float | None = None,
    shift: tuple[timedelta, float] | None = None,
    cron: float | None = None,
    seed: int = 0,
) -> Demand:
    """Invent a demand that follows people's days in `timezone`.

    `daily` is the swing between night and day, `weekend` the share of a weekday left on weekends, `growth` the change a
    week, `gap` a hole in the middle, `spike` a factor for one hour two days before the end, `shift` (how long before
    the end, factor) a lasting change of level, `cron` a factor for the first five minutes of every hour.
    """
    random = np.random.default_rng(seed)
    count = int(timedelta(days=days) / step)
    hours, weekday = _local(start, step, count, timezone)
    shape = 1 + daily * np.sin((hours - 9) / 24 * 2 * np.pi) + daily / 4 * np.sin((hours - 4) / 12 * 2 * np.pi)
    shape *= np.where(weekday >= 5, weekend, 1.0)
    shape *= 1 + growth * np.arange(count) * (step / timedelta(weeks=1))
    values = level * np.maximum(shape, 0.02) * np.exp(_rough(random, count, noise))
    if cron is not None:
        values = np.where(hours % 1 < 5 / 60, values * cron, values)
    return Demand(start, step, _with_accidents(values, step, gap, spike, shift))


def _local(start: datetime, step: timedelta, count: int, timezone: str) -> tuple[Values, Values]:
    """Give the hour of the day and the day of the week of every slot, by the clocks of the time zone."""
    wall = wall_clock(start.astimezone(UTC), step, count, 1, timezone)
    midnight = wall.start.replace(hour=0, minute=0, second=0, microsecond=0)
    hour = timedelta(hours=1)
    on_clock = (wall.start - midnight) / hour + wall.past * (step / hour)
    return np.asarray(on_clock % 24), np.asarray((midnight.weekday() + on_clock // 24) % 7)


def _rough(random: np.random.Generator, count: int, noise: float) -> Values:
    """Noise with a memory of about an hour, as real traffic has, and a little without."""
    shocks = random.normal(0.0, noise, count + 48)
    kernel = 0.9 ** np.arange(48)
    remembered = np.convolve(shocks, kernel / np.sqrt((kernel**2).sum()), mode="valid")[:count]
    return np.asarray(0.8 * remembered + 0.6 * random.normal(0.0, noise, count))


def _with_accidents(
    values: Values,
    step: timedelta,
    gap: timedelta | None,
    spike: float | None,
    shift: tuple[timedelta, float] | None,
) -> Values:
    values = values.copy()
    count = len(values)
    if spike is not None:
        first = max(0, count - timedelta(days=2) // step)
        values[first : first + timedelta(hours=1) // step] *= spike
    if shift is not None:
        values[max(0, count - shift[0] // step) :] *= shift[1]
    if gap is not None:
        first = count // 2
        values[first : first + gap // step] = np.nan
    return values
