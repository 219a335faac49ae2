"""Operators the DAGs are wired from. Importing them imports nothing heavy: a DAG file is parsed again and again."""

from __future__ import annotations

from predictive_scaling.operators.apply import ApplyPlansOperator
from predictive_scaling.operators.forecast import ForecastDemandOperator
from predictive_scaling.operators.pull import CheckPullOperator, ListShardsOperator, PullMetricsOperator
from predictive_scaling.operators.replay import ReplayPolicyOperator

__all__ = [
    "ApplyPlansOperator",
    "CheckPullOperator",
    "ForecastDemandOperator",
    "ListShardsOperator",
    "PullMetricsOperator",
    "ReplayPolicyOperator",
]
