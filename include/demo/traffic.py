"""Traffic for a load simulation: three shapes as pure functions of the minute, and what they mean for instances.

| load | requests a second | instances that serve it well |
|---|---|---|
| low | a swell from 110 to 190 and back every 20 minutes | 2 |
| medium | 150, rising to 450 in minutes 3 to 8, from 14 to 19 back again | 2 to 5 |
| high | 150, at once 900 in minutes 3 to 16 | 2 to 9 |
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SERVED: Final = 100.0
"""Requests a second that one instance serves well, which is at the target use."""
TARGET: Final = 70.0
"""Percent of its GPU an instance uses then."""
FULL: Final = 100.0


def low(minute: float) -> float:
    """Swell gently, within what the smallest fleet serves."""
    return 150 - 40 * math.cos(2 * math.pi * minute / 20)


def medium(minute: float) -> float:
    """Rise to three times as much within five minutes, stay, and fall as slowly."""
    rising, falling = _share(minute, 3, 8), _share(minute, 14, 19)
    return 150 + 300 * (rising - falling)


def high(minute: float) -> float:
    """Jump to six times as much at once, and back."""
    return 900.0 if 3 <= minute < 16 else 150.0  # noqa: PLR2004 - the shape's own numbers


SHAPES: Final[Mapping[str, Callable[[float], float]]] = {"low": low, "medium": medium, "high": high}


def needed(requests: float) -> int:
    """Give the instances that serve so many requests a second well."""
    return math.ceil(requests / SERVED)


def use(requests: float, in_service: int) -> float:
    """Give the percent each instance uses; a full one uses no more, however much it is asked for."""
    return min(FULL, TARGET * requests / (SERVED * in_service)) if in_service else FULL


def _share(minute: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (minute - start) / (end - start)))
