"""Autoscalers of the literature, one page each, to be measured against: how a fleet was steered before forecasts.

Each is given what had been seen before every tick and answers with the capacity it would have ordered at every tick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecasting.scalers.adapt import adapt
from forecasting.scalers.conpaas import conpaas
from forecasting.scalers.hist import hist
from forecasting.scalers.react import react
from forecasting.scalers.reg import reg

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecasting.scalers.seen import Seen, Sizes

SCALERS: dict[str, Callable[[Seen], Sizes]] = {
    "react": react,
    "adapt": adapt,
    "hist": hist,
    "reg": reg,
    "conpaas": conpaas,
}
