"""The assets that chain the DAGs. Each event carries the key of the shard it is about as its partition."""

from __future__ import annotations

from typing import Final

from airflow.sdk import Asset

METRIC_HISTORY: Final = Asset(name="metric_history", uri="x-predictive-scaling://metric-history")
LOAD_SIGNAL: Final = "load_signal"
"""The name of the asset whose watchers say that a fleet's size must change; `react_to_load` defines them."""
DEMAND_FORECAST: Final = Asset(name="demand_forecast", uri="x-predictive-scaling://demand-forecast")
