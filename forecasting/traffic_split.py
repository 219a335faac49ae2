"""Split traffic between a baseline that is always there and a burst that costs by the request.

A baseline at utilisation `u` with a share `s` of the traffic would be at `u / s` with all of it, so it stays at the
ceiling `c` with the share `s * c / u`. What it cannot take goes to the burst at once, and comes back in small parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from forecasting.errors import InvalidRequest

ALL: Final = 100
MOST: Final = 99
"""A healthy baseline keeps a hundredth of the traffic: without any, its utilisation would say nothing."""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How high a baseline may be used, and how fast it is given traffic again."""

    ceiling: float = 0.70
    back: int = 10  # percent points of the traffic a turn
    tolerance: float = 0.02  # of utilisation, on both sides of the ceiling

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if not 1 <= self.back <= ALL:
            msg = f"back {self.back} is no number of percent points: give 1 to {ALL}"
            raise InvalidRequest(msg)
        if not 0 <= self.tolerance < self.ceiling < 1 - self.tolerance:
            msg = (
                f"ceiling {self.ceiling:g} with tolerance {self.tolerance:g} is not between 0 and 1: "
                "a baseline never tells of more than 100%, so give for example 0.7"
            )
            raise InvalidRequest(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """How many percent of the traffic go to the burst, and why; the rest goes to the baseline."""

    burst: int
    reason: str

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 <= self.burst <= ALL:
            msg = f"burst {self.burst} is no percentage: give 0 to {ALL}"
            raise InvalidRequest(msg)


def split(used: float | None, *, healthy: bool, now_burst: int, terms: Terms) -> Split:
    """Give the baseline what brings it to its ceiling; `used` is its utilisation as a share, None if it is not seen."""
    now = Split(burst=now_burst, reason="it is so now")
    if not healthy:
        return Split(burst=ALL, reason="no target of the baseline is healthy: all goes to the burst")
    if used is None or not math.isfinite(used):
        return Split(burst=now.burst, reason="the baseline's CPU is not seen: nothing is given back unseen")
    if now.burst == ALL:
        return _tried_again(used, terms)
    return _balanced(used, now.burst, terms)


def _tried_again(used: float, terms: Terms) -> Split:
    """Without traffic a utilisation does not say what some would make of it: give a little, and look again."""
    if used > terms.ceiling:
        return Split(burst=ALL, reason=f"the baseline is at {used:.0%} without any traffic: nothing is given back")
    return Split(
        burst=ALL - terms.back, reason=f"the baseline is healthy: it is given {terms.back}% of the traffic again"
    )


def _balanced(used: float, now_burst: int, terms: Terms) -> Split:
    at = f"the baseline is at {used:.0%} with {ALL - now_burst}% of the traffic"
    if abs(used - terms.ceiling) <= terms.tolerance:
        return Split(burst=now_burst, reason=f"{at}, and its ceiling is {terms.ceiling:.0%}")
    wanted = _beyond(used, ALL - now_burst, terms.ceiling)
    if wanted > now_burst:
        return Split(burst=wanted, reason=f"{at}, above its ceiling of {terms.ceiling:.0%}: it keeps {ALL - wanted}%")
    burst = max(wanted, now_burst - terms.back)
    if burst == now_burst:
        why = "all it is asked for" if not now_burst else "and one percent more would be above its ceiling"
        return Split(burst=burst, reason=f"{at}: {why}")
    slowly = f", {ALL - wanted}% in the end" if burst > wanted else ""
    return Split(burst=burst, reason=f"{at}, and can take {ALL - burst}%{slowly}")


def _beyond(used: float, share: int, ceiling: float) -> int:
    """The percent of the traffic that a baseline cannot take below its ceiling, rounded against the baseline."""
    takes = share * ceiling / used if used * ALL > share * ceiling else ALL
    return min(max(math.ceil(ALL - takes - _ROUNDING), 0), MOST)
