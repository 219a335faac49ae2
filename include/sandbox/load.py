"""Synthetic load: what the demo's fleets have to carry at any instant, as pure functions of time.

The same function writes the history and goes on publishing, so that the two join without a seam. Noise is a hash of
the seed and the slot of time, not a sequence, so any instant can be computed alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HOUR = 3600
DAY = 24 * HOUR
NOISE_SLOT = 300
SATURDAY = 5
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_STREAM = np.uint64(0xD1B54A32D192ED03)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bump:
    """A rise and fall around one local hour of the day."""

    hour: float
    width_hours: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The load of one fleet: a base, bumps by local time of day, a weekend, slow growth, and noise."""

    base: float
    bumps: tuple[Bump, ...]
    timezone: str
    weekend: float = 1.0
    """The bumps on Saturday and Sunday, as a share of those on a weekday."""
    growth_per_week: float = 0.0
    """Measured from the start of 2026."""
    noise: float = 0.05
    wander: float = 0.05
    """Whole days are better or worse by about this share."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A sudden rush that decays."""

    start: float
    seconds: float
    factor: float


def load(shape: Shape, times: Floats, spikes: tuple[Spike, ...] = ()) -> Floats:
    """Return the load at instants (epoch seconds), never below zero."""
    local = times + utc_offsets(shape.timezone, times)
    hour, day = (local % DAY) / HOUR, local // DAY
    weekday = (day.astype(np.int64) + 3) % 7  # the epoch was a Thursday
    rises = sum((_bump(bump, hour) for bump in shape.bumps), start=np.zeros_like(times))
    rises = rises * np.where(weekday >= SATURDAY, shape.weekend, 1.0) * (1 + shape.wander * gauss(shape.seed + 1, day))
    weeks = (times - datetime(2026, 1, 1, tzinfo=UTC).timestamp()) / (7 * DAY)
    level = (shape.base + rises) * (1 + shape.growth_per_week * weeks)
    for spike in spikes:
        level = level * _rush(spike, times)
    noisy: Floats = np.maximum(level * (1 + shape.noise * gauss(shape.seed, times // NOISE_SLOT)), 0.0)
    return noisy


def _rush(spike: Spike, times: Floats) -> Floats:
    passed = (times - spike.start) / spike.seconds
    during = (passed >= 0) & (passed < 1)
    return np.where(during, 1 + (spike.factor - 1) * np.exp(-2 * np.where(during, passed, 0.0)), 1.0)


def _bump(bump: Bump, hour: Floats) -> Floats:
    away = np.abs(hour - bump.hour)
    away = np.minimum(away, 24 - away)
    rise: Floats = bump.height * np.exp(-0.5 * (away / bump.width_hours) ** 2)
    return rise


def utc_offsets(timezone: str, times: Floats) -> Floats:
    """Return what to add to UTC to get local time; computed once per hour, where daylight saving can change it."""
    hours, places = np.unique(times // HOUR, return_inverse=True)
    zone = ZoneInfo(timezone)
    offsets = [datetime.fromtimestamp(hour * HOUR, zone).utcoffset() for hour in hours.tolist()]
    return np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])[places]


def gauss(seed: int, slots: Floats) -> Floats:
    """Return standard normal noise that depends on nothing but the seed and the slot."""
    first, second = _uniform(2 * seed, slots), _uniform(2 * seed + 1, slots)
    normal: Floats = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return normal


def _uniform(seed: int, slots: Floats) -> Floats:
    """Hash to (0, 1] with the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        bits = slots.astype(np.int64).astype(np.uint64) * _GOLDEN + np.uint64(seed % 2**32) * _STREAM
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)).astype(np.float64) / 2**53 + 2**-54


def instances_of_a_reactive_fleet(loads: Floats, *, per_instance: float, bounds: tuple[int, int], late: int) -> Floats:
    """Return how many instances a fleet has that follows the load `late` steps behind and scales in with hesitation."""
    wanted = np.ceil(loads / per_instance)
    delayed = np.concatenate([np.full(late, wanted[0]), wanted])[: len(wanted)]
    held = np.concatenate([np.full(3 * late, delayed[0]), delayed])
    highest: Floats = np.lib.stride_tricks.sliding_window_view(held, 3 * late + 1).max(axis=1)
    return np.clip(highest, *bounds)
