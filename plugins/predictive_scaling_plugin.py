"""The plugins-folder door: shows Airflow's plugin loader the one class it should load."""

from predictive_scaling.plugin import PredictiveScalingPlugin

__all__ = ["PredictiveScalingPlugin"]
