"""What a reactive autoscaler does: follow the load it has just seen, up at once, down when the load has stayed away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.demand import Values
    from forecasting.policy import Policy

# Target tracking lowers only after 15 minutes of agreement.
PATIENCE = timedelta(minutes=15)


def reactive_capacity(demand: Values, policy: Policy, tick: timedelta) -> npt.NDArray[np.int64]:
    """Give the capacity ordered at every tick, from the last demand that was measured before it."""
    wanted = np.array([policy.bounded(policy.needed(value)) for value in _last_seen(demand)], dtype=np.int64)
    return trailing_max(wanted, 1 + PATIENCE // tick)


def trailing_max(values: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
    """Give the greatest of the last `width` values, at every place."""
    padded = np.concatenate([np.full(width - 1, values[0]), values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1))


def trailing_min(values: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.int64]:
    """Give the least of the last `width` values, at every place."""
    return -trailing_max(-values, width)


def _last_seen(demand: Values) -> list[float]:
    """Give, for every tick, the last demand measured before it; before anything was measured, the first."""
    known = np.flatnonzero(~np.isnan(demand))
    if len(known) == 0:
        return [0.0] * len(demand)
    before = np.searchsorted(known, np.arange(len(demand))) - 1
    return [float(value) for value in demand[known[np.maximum(before, 0)]]]
