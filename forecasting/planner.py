"""From forecast and policy to plan: capacity in place before the load, in few steps, each with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.capacity import SETTLED, Segment, at_most, cells, floor, segments, without_wobbles
from forecasting.errors import InvalidForecast, InvalidRequest, shown
from forecasting.grounds import Words
from forecasting.instant import as_utc, zone
from forecasting.limits import limited
from forecasting.plan import Plan
from forecasting.values import MOST_INSTANCES

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.forecast import Forecast
    from forecasting.policy import Policy

MOST_STEPS = 125  # AWS keeps at most 125 scheduled actions for one Auto Scaling group.
_MINUTE = timedelta(minutes=1)


def draw_plan(  # noqa: PLR0913  (the four after now are rarely given)
    forecast: Forecast,
    policy: Policy,
    *,
    now: datetime,
    current: int | None = None,
    slots: int = MOST_STEPS,
    timezone: str = "UTC",
) -> Plan:
    """Draw the capacity steps from now to the end of the forecast, and a last one that returns to min_size."""
    now, local = as_utc(now, "now"), zone(timezone)
    _check(forecast, now, slots, current)
    grid = cells(forecast, policy, now)
    settled = -(-SETTLED // policy.granularity)
    parts = without_wobbles(segments(grid.capacity), policy.tolerance, settled, _present(current, policy))
    parts = segments(limited(_in_cells(parts), policy, grid.start, current))
    parts = at_most(parts, slots - 1)
    words = Words(forecast, policy, grid, local)
    steps, before = [], current
    for index, part in enumerate(parts):
        at = floor(now, _MINUTE) if index == 0 else grid.start + part.first * grid.size
        steps.append(words.step(part, at, before, first=index == 0))
        before = part.capacity
    return Plan((*steps, *words.restoring(parts[-1])))


def _check(forecast: Forecast, now: datetime, slots: int, current: int | None) -> None:
    whole = isinstance(current, int | np.integer) and 0 <= current <= MOST_INSTANCES
    if current is not None and not whole:
        msg = f"current is {shown(current)}: give the capacity the fleet has now, 0 to {MOST_INSTANCES:,}"
        raise InvalidRequest(msg)
    if forecast.end <= now:
        msg = f"the forecast ended at {forecast.end.isoformat()}, before now ({now.isoformat()}): make a new one"
        raise InvalidForecast(msg)
    if not 2 <= slots <= MOST_STEPS:
        msg = f"slots is {slots}: give 2 to {MOST_STEPS}, the most scheduled actions a group may have"
        raise InvalidRequest(msg)


def _present(current: int | None, policy: Policy) -> int | None:
    """Let the present capacity count as held only where the policy would allow it."""
    return current if current is not None and policy.bounded(current) == current else None


def _in_cells(parts: list[Segment]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.full(part.length, part.capacity, dtype=np.int64) for part in parts])
