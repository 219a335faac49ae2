"""Forecasting for autoscaling: Demand becomes a Forecast, a Policy bounds it, a Plan puts capacity in place in time.

Pure functions of their arguments: no clock, no environment, no network. Prophet, pandas and matplotlib are imported
only by the calls that need them, so importing this package is cheap.
"""

from __future__ import annotations

from forecasting.backtest import backtest
from forecasting.calibration import Calibration, calibrate, refresh
from forecasting.champion import champion
from forecasting.demand import Demand
from forecasting.errors import (
    ForecastingError,
    InvalidCalibration,
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
from forecasting.prepared import unusable
from forecasting.simulation import MODES, Scorecard, replay
from forecasting.tick import tick

__all__ = [
    "ENGINES",
    "MODES",
    "Calibration",
    "Demand",
    "Event",
    "Forecast",
    "ForecastingError",
    "InvalidCalibration",
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
    "backtest",
    "calibrate",
    "champion",
    "draw_plan",
    "forecast",
    "forecast_many",
    "refresh",
    "replay",
    "tick",
    "unusable",
]
