"""How far off a forecast was; slots nobody measured do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.values import Values


def wape(truth: Values, guess: Values) -> float:
    """Give the sum of absolute errors as a share of the sum of demand."""
    return _ratio(np.abs(truth - guess), truth)


def pinball(truth: Values, guess: Values, quantile: float) -> float:
    """Give the loss whose minimum is the quantile, as a share of the demand (without the factor 2 that some add)."""
    away = truth - guess
    return _ratio(np.maximum(quantile * away, (quantile - 1) * away), truth)


def coverage(truth: Values, bound: Values) -> float:
    """Give the share of slots in which demand stayed at or below a bound."""
    known = ~np.isnan(truth)
    return float((truth[known] <= bound[known]).mean()) if known.any() else float("nan")


def geometric_mean(ratios: list[float]) -> float:
    """Average ratios so that twice as good and half as good cancel out."""
    usable = [ratio for ratio in ratios if 0 < ratio < float("inf")]
    return float(np.exp(np.mean(np.log(usable)))) if usable else float("nan")


def _ratio(errors: Values, truth: Values) -> float:
    known = ~np.isnan(truth)
    total = float(truth[known].sum())
    return float(errors[known].sum() / total) if total > 0 else float("nan")
