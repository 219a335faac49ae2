"""ConPaaS (Fernandez et al., 2014): several quick predictors side by side; the one that erred least lately decides."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.sliding import ago, trailing_mean

if TYPE_CHECKING:
    from forecasting.scalers.seen import Seen, Sizes
    from forecasting.values import Values

EVERY = timedelta(minutes=10)
WINDOW = timedelta(hours=1)
PACE = 0.5


def conpaas(seen: Seen) -> Sizes:
    """Order, every ten minutes, what the best predictor of the last hour foretells for the next ten."""
    ahead, window = seen.ticks(EVERY), max(2, seen.ticks(WINDOW))
    guesses = np.stack([seen.demand, _line(seen.demand, window, ahead), *_smoothed(seen.demand, ahead)])
    errors = np.stack([np.abs(ago(guess, ahead) - seen.demand) for guess in guesses])
    lately = np.stack([trailing_mean(error, window) for error in errors])
    best = guesses[lately.argmin(axis=0), np.arange(len(seen.demand))]
    ordered = seen.needed(best)[seen.first :]
    decided = np.arange(len(ordered)) // ahead * ahead
    return ordered[decided]


def _line(demand: Values, window: int, ahead: int) -> Values:
    """Fit a line to the last `window` values at every place, and follow it."""
    times = np.arange(window) - (window - 1) / 2
    padded = np.concatenate([np.full(window - 1, demand[0]), demand])
    seen = np.lib.stride_tricks.sliding_window_view(padded, window)
    slope = seen @ times / (times @ times)
    return np.asarray(seen.mean(axis=1) + slope * ((window - 1) / 2 + ahead))


def _smoothed(demand: Values, ahead: int) -> tuple[Values, Values]:
    """Smooth exponentially, once for the level and twice (Holt) for the level and its trend."""
    single, double = demand.copy(), demand.copy()
    level, upper, trend = demand[0], demand[0], 0.0
    for place, value in enumerate(demand.tolist()):
        level += PACE * (value - level)
        before = upper
        upper = PACE * value + (1 - PACE) * (upper + trend)
        trend += PACE * (upper - before - trend)
        single[place], double[place] = level, upper + ahead * trend
    return single, double
