"""Reg (Iqbal et al., 2011): up by reaction; down to what a parabola through the recent load says is still needed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.scalers.seen import Seen, Sizes
    from forecasting.values import Values

WINDOW = timedelta(hours=1)
LEAST = 4


def reg(seen: Seen) -> Sizes:
    """Order what the load needs as soon as it needs more, and fall back to what the parabola foretells."""
    window = max(LEAST, seen.ticks(WINDOW))
    foretold = seen.needed(parabola(seen.demand, window))[seen.first :]
    wanted = seen.wanted
    ordered = np.empty_like(wanted)
    held = wanted[0]
    for tick, size in enumerate(wanted):
        held = size if size > held else min(held, max(size, foretold[tick]))
        ordered[tick] = held
    return ordered


def parabola(demand: Values, window: int) -> Values:
    """Fit a parabola to the last `window` values at every place, and give where it goes one step later."""
    times = np.arange(window)
    basis = np.vander(times, 3)
    weights = np.vander([window], 3) @ np.linalg.pinv(basis)
    padded = np.concatenate([np.full(window - 1, demand[0]), demand])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, window) @ weights[0])
