"""Appointed load: what is known to come at its hour, as a floor under what a forecast expects.

A run that comes once a month has no habit to learn from, but its hour is known, and so is what it brought last time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from forecasting.forecast import Forecast


def at_least(forecast: Forecast, loads: Iterable[tuple[datetime, datetime, float]], why: str) -> Forecast:
    """Raise every quantile to the sum of the appointed loads, each from its start to its end.

    A forecast that knew of them stays as it is: they are no addition to what is expected, but the least of it.
    """
    floor = np.zeros(len(forecast))
    edges = np.array([(forecast.start + slot * forecast.step).timestamp() for slot in range(len(forecast) + 1)])
    for start, end, load in loads:
        within = np.minimum(edges[1:], end.timestamp()) - np.maximum(edges[:-1], start.timestamp())
        floor += load * np.clip(within, 0.0, None) / forecast.step.total_seconds()
    raised = np.maximum(forecast.values, floor)
    if np.array_equal(raised, forecast.values):
        return forecast
    return replace(forecast.noting(why), values=raised)
