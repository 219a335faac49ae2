"""Adapt (Ali-Eldin et al., 2012): up with the load and the way it grows; down no faster than the load falls."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.sliding import ago

if TYPE_CHECKING:
    from forecasting.scalers.seen import Seen, Sizes

WINDOW = timedelta(minutes=30)
GAP = timedelta(minutes=10)  # How far the growth is carried forward: the time between two decisions of the paper.


def adapt(seen: Seen) -> Sizes:
    """Order the load and its growth; take away the instances that the falling load has freed, and no more."""
    window = seen.ticks(WINDOW)
    growth = (seen.demand - ago(seen.demand, window)) / window
    ahead = seen.needed(seen.demand + np.maximum(growth, 0.0) * seen.ticks(GAP))[seen.first :]
    freed = np.ceil(np.maximum(-growth, 0.0) / seen.policy.target_per_instance).astype(np.int64)[seen.first :]
    ordered = np.empty_like(ahead)
    held = ahead[0]
    for tick, size in enumerate(ahead):
        held = size if size > held else max(size, held - freed[tick])
        ordered[tick] = held
    return ordered
