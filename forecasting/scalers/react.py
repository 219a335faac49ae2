"""React (Chieu et al., 2009): thresholds on the load of each instance; grow when all are full, shrink one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.scalers.seen import Seen, Sizes

IDLE = 2


def react(seen: Seen) -> Sizes:
    """Order what the load needs as soon as it needs more, and give one instance back while two are idle."""
    wanted = seen.wanted
    ordered = np.empty_like(wanted)
    held = wanted[0]
    for tick, size in enumerate(wanted):
        if size > held:
            held = size
        elif size <= held - IDLE:
            held -= 1
        ordered[tick] = held
    return ordered
