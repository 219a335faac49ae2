"""What comes back every hour: jobs that start on the hour make spikes far too narrow for the waves of a day.

Such a pattern is measured once, taken out of the history before any curve is fitted, and put back into the forecast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.slots import Slots
    from forecasting.values import Values

LEAST_DAYS = 3


def hourly_pattern(logs: Values, slots: Slots) -> Values:
    """Give what each slot of the hour adds to the mean of its hour: (series, slots of an hour), from column 0 on.

    The days are witnesses: what they do not agree on is shrunk towards nothing (James and Stein, 1961).
    """
    series, length = logs.shape
    days, hour = length // slots.per_day, slots.hour
    if hour == 1 or slots.per_day % 24 or days < LEAST_DAYS:
        return np.zeros((series, 1), dtype=logs.dtype)
    # The wave of the day cancels out within each day, for it is back where it began.
    witnesses = logs[:, length - days * slots.per_day :].reshape(series, days, 24, hour).mean(axis=2)
    witnesses -= witnesses.mean(axis=2, keepdims=True)
    pattern = witnesses.mean(axis=1)
    doubt = witnesses.var(axis=1).mean(axis=1) / (days - 1)
    strength = (pattern**2).mean(axis=1)
    kept = np.maximum(1 - doubt / np.maximum(strength, 1e-12), 0.0)
    return np.asarray(kept[:, None] * np.roll(pattern, length, axis=1), dtype=logs.dtype)
