"""Accuracy: how a forecast did, once its time has come, and what the next one learns from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from forecasting.errors import InvalidForecast
from forecasting.loss import coverage, pinball, wape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forecasting.demand import Demand
    from forecasting.forecast import Forecast
    from forecasting.values import Values

HIGH = 0.9
# With less of its horizon measured, a forecast is not judged.
LEAST_KNOWN = 0.5
# Hourly forecasts are judged two days late, so each may move the level only a little or it would overshoot.
PACE = 0.004
HIGHEST = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """What came of a forecast: relative errors, and how often p90 was enough."""

    slots: int
    wape: float
    bias: float  # of p50, as a share of the demand: above 0 it promised too much
    pinball: float  # of p90
    coverage: float  # of p90

    def as_mapping(self) -> dict[str, float]:
        """Give the numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read what `as_mapping` gave."""
        try:
            return cls(slots=int(mapping["slots"]), **{name: float(mapping[name]) for name in _RATIOS})
        except (KeyError, TypeError, ValueError) as error:
            msg = f"not the numbers of an accuracy ({type(error).__name__}: {error}): score the forecast again"
            raise InvalidForecast(msg) from error


_RATIOS = ("wape", "bias", "pinball", "coverage")


def accuracy(forecast: Forecast, demand: Demand) -> Accuracy | None:
    """Hold a forecast against what came; None while its time has not come, or too little of it was measured."""
    if demand.step != forecast.step or demand.end < forecast.end:
        return None
    truth = _truth(forecast, demand)
    known = ~np.isnan(truth)
    if known.mean() < LEAST_KNOWN or not np.nansum(truth) > 0:
        return None
    middle, high = forecast.at(0.5), forecast.at(HIGH)
    return Accuracy(
        slots=int(known.sum()),
        wape=wape(truth, middle),
        bias=float((middle - truth)[known].sum() / truth[known].sum()),
        pinball=pinball(truth, high, HIGH),
        coverage=coverage(truth, high),
    )


def adapted_quantile(target: float, coverages: Iterable[float]) -> float:
    """Give the quantile to ask for so that `target` is what holds, by what p90 held so far, oldest first.

    Adaptive conformal inference (Gibbs and Candès, 2021): a miss moves the level up, a surplus moves it down.
    """
    level = target
    for held in coverages:
        level = min(HIGHEST, max(0.5, level + PACE * (HIGH - held)))
    return level


def _truth(forecast: Forecast, demand: Demand) -> Values:
    """Give what was measured in the slots of the forecast; NaN where nothing was."""
    first = (forecast.start - demand.start) // demand.step
    inside = np.arange(first, first + len(forecast))
    known = (inside >= 0) & (inside < len(demand))
    truth = np.full(len(forecast), np.nan)
    truth[known] = demand.values[inside[known]]
    return truth
