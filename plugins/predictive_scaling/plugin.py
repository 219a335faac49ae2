"""The Airflow plugin. Loaded in every Airflow process, so it imports nothing heavy."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin


class PredictiveScalingPlugin(AirflowPlugin):
    """Announces the product to Airflow."""

    name = "predictive_scaling"
