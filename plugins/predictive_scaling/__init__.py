"""Predictive scaling of AWS Auto Scaling groups inside Apache Airflow."""

__version__ = "0.1.0"
