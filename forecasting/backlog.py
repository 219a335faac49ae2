"""Backlog: what waits in a queue is demand too, to be worked off within a time that a person chooses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from forecasting.errors import InvalidRequest

if TYPE_CHECKING:
    from datetime import timedelta

    from forecasting.forecast import Forecast


def with_backlog(forecast: Forecast, backlog: float, *, drain: timedelta) -> Forecast:
    """Add to a forecast of arrivals a slot what must be worked off a slot for the backlog to be gone after `drain`."""
    if not 0 <= backlog < np.inf:
        msg = f"backlog is {backlog}: give the number waiting, 0 or more"
        raise InvalidRequest(msg)
    if drain < forecast.step:
        msg = f"drain is {drain}: give at least one slot of the forecast, {forecast.step}"
        raise InvalidRequest(msg)
    slots = min(-(-drain // forecast.step), len(forecast))
    values = forecast.values.copy()
    values[:, :slots] += backlog / slots
    reason = f"{forecast.reason}; {backlog:,.0f} waiting are worked off within {drain}"
    return replace(forecast, values=values, reason=reason)
