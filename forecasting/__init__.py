"""Forecasting for autoscaling: Demand becomes a Forecast, a Policy bounds it, a Plan puts capacity in place in time.

Pure functions of their arguments: no clock, no environment, no network. Prophet, pandas and matplotlib are imported
only by the calls that need them, so importing this package is cheap.
"""

from __future__ import annotations

from forecasting.demand import Demand
from forecasting.errors import (
    ForecastingError,
    InvalidDemand,
    InvalidDuration,
    InvalidForecast,
    InvalidPlan,
    InvalidPolicy,
    InvalidRequest,
    NotEnoughHistory,
    UnknownEngine,
)
from forecasting.event import Event
from forecasting.forecast import Forecast
from forecasting.forecaster import forecast, forecast_many
from forecasting.models import ENGINES
from forecasting.plan import Plan, Step
from forecasting.planner import draw_plan
from forecasting.policy import Policy
from forecasting.simulation import MODES, Scorecard, replay

__all__ = [
    "ENGINES",
    "MODES",
    "Demand",
    "Event",
    "Forecast",
    "ForecastingError",
    "InvalidDemand",
    "InvalidDuration",
    "InvalidForecast",
    "InvalidPlan",
    "InvalidPolicy",
    "InvalidRequest",
    "NotEnoughHistory",
    "Plan",
    "Policy",
    "Scorecard",
    "Step",
    "UnknownEngine",
    "draw_plan",
    "forecast",
    "forecast_many",
    "replay",
]
