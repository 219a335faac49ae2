"""Soon: what is asked for before an instance started now is ready, by the forecast and by how such loads went on."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.demand import Demand
from forecasting.errors import ForecastingError
from forecasting.near import TICK, near_peak
from forecasting.plan import Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from forecasting.forecast import Forecast
    from forecasting.policy import Policy

EXPECTED = 0.5

RECENT = 2
"""The load of now must have been seen within so many slots, to tell how it goes on."""


def needed_soon(forecast: Forecast, policy: Policy, now: datetime, peak: float | None = None) -> Step | None:
    """Give the size for the greatest demand from now until the lead time is over; None when the forecast is over.

    What loads like these came to, `peak`, says more of the next minutes than the forecast's quantile, and takes its
    place: then the forecast adds what is expected in any case. A forecast that a tick has moved begins after the slot
    that `now` lies in: that one has been seen.
    """
    first = max(0, (now - forecast.start) // forecast.step)
    last = max(first, (now + policy.lead_time - forecast.start) // forecast.step)
    if first >= len(forecast):
        return None
    quantile = policy.quantile if peak is None else EXPECTED
    coming = forecast.at(quantile)[first : last + 1]
    slot = first + int(coming.argmax())
    demand, when = float(coming.max()), max(forecast.start + slot * forecast.step, now)
    told = f"p{quantile * 100:g} of {demand:,.0f} at {when:%H:%M} UTC"
    if peak is not None and peak > demand:
        quantile, demand, until = policy.foreseen, peak, now + policy.lead_time
        told = f"what loads like this one came to, {demand:,.0f} by {until:%H:%M} UTC,"
    needed = policy.needed(demand)
    size = policy.bounded(needed)
    bounds = "" if size == needed else f", {size} within the bounds"
    return Step(now, size, f"{told} needs {needed}{bounds}", demand=demand, quantile=quantile, unbounded=needed)


def peak_soon(history: Demand, fresh: Demand, policy: Policy, now: datetime) -> float | None:
    """Give the demand that an order given now must be ready for; None where too little is known, or nothing of late.

    A period longer than a tick says nothing of the minutes within it. One that has not ended counts as if it had: so
    much less is left of the time to be ready in.
    """
    if now - fresh.end > RECENT * fresh.step or fresh.step > TICK:
        return None
    lead = policy.lead_time - max(fresh.end - now, timedelta(0))
    try:
        return near_peak(history.followed_by(fresh), lead=max(lead, timedelta(0)), quantile=policy.foreseen)
    except ForecastingError:
        return None


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
