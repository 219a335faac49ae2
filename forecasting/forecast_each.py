"""Forecasting many series of which some cannot be: one series' trouble stays its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecasting.errors import ForecastingError
from forecasting.forecaster import forecast_many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecasting.demand import Demand
    from forecasting.forecast import Forecast


def forecast_each(demands: Mapping[str, Demand], **asked: Any) -> dict[str, Forecast | ForecastingError]:
    """Forecast as `forecast_many` does, and give for a series that spoils the call the error that stood in its way."""
    if not demands:
        return {}
    try:
        return dict(forecast_many(demands, **asked))
    except ForecastingError as error:
        if len(demands) == 1:
            return dict.fromkeys(demands, error)
        return {name: made for part in _parts(demands, error) for name, made in forecast_each(part, **asked).items()}


def _parts(demands: Mapping[str, Demand], error: ForecastingError) -> list[dict[str, Demand]]:
    """Set the series at fault apart; when the error names none, halve until it stands alone."""
    names = list(demands)
    apart = {error.series} if error.series in demands else set(names[: len(names) // 2])
    return [
        {name: demands[name] for name in names if name in apart},
        {name: demands[name] for name in names if name not in apart},
    ]
