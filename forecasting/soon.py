"""Soon: what a forecast asks for before an instance started now is ready, and the loads that tell how it fares."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from forecasting.demand import Demand
from forecasting.plan import Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from forecasting.forecast import Forecast
    from forecasting.policy import Policy


def needed_soon(forecast: Forecast, policy: Policy, now: datetime) -> Step | None:
    """Give the size for the greatest demand from now until the lead time is over; None when the forecast is over.

    A forecast that a tick has moved begins after the slot that `now` lies in: that one has been seen.
    """
    first = max(0, (now - forecast.start) // forecast.step)
    last = max(first, (now + policy.lead_time - forecast.start) // forecast.step)
    if first >= len(forecast):
        return None
    coming = forecast.at(policy.quantile)[first : last + 1]
    slot = first + int(coming.argmax())
    demand, when = float(coming.max()), max(forecast.start + slot * forecast.step, now)
    needed = policy.needed(demand)
    size = policy.bounded(needed)
    bounds = "" if size == needed else f", {size} within the bounds"
    reason = f"p{policy.quantile * 100:g} of {demand:,.0f} at {when:%H:%M} UTC needs {needed}{bounds}"
    return Step(now, size, reason, demand=demand, quantile=policy.quantile, unbounded=needed)


def on_the_grid_of(forecast: Forecast, loads: Iterable[tuple[datetime, float]]) -> Demand | None:
    """Lay loads on a forecast's grid, as means of its slots; None where it has none of them.

    A load speaks of the time before it was seen: what is known at a slot's end lies in that slot, not in the next.
    """
    slots: dict[int, list[float]] = defaultdict(list)
    for at, load in loads:
        if at > forecast.start:
            slots[-((forecast.start - at) // forecast.step) - 1].append(load)
    if not slots:
        return None
    values = np.full(max(slots) + 1, np.nan)
    for slot, found in slots.items():
        values[slot] = np.mean(found)
    return Demand(forecast.start, forecast.step, values)
