"""Hist (Urgaonkar et al., 2008): a histogram of each hour of the day, provisioned near its top, mended by reaction."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.scalers.seen import Seen, Sizes

DAYS = 7
TOP = 0.95
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def hist(seen: Seen) -> Sizes:
    """Order, for every hour, the top of the same hour of the last days, or what is seen now if that is more."""
    hour, day = seen.ticks(HOUR), seen.ticks(DAY)
    floor = np.zeros(len(seen.demand) - seen.first)
    for begin in range(0, len(floor), hour):
        tops = [
            seen.demand[start : start + hour]
            for back in range(1, DAYS + 1)
            if (start := seen.first + begin + 1 - back * day) >= 0
        ]
        if tops:
            floor[begin : begin + hour] = np.quantile(np.concatenate(tops), TOP)
    return np.maximum(seen.needed(floor), seen.wanted)
