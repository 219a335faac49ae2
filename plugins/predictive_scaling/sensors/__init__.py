"""Sensors for DAGs of one's own. Importing them imports nothing heavy: a DAG file is parsed again and again."""

from __future__ import annotations

from predictive_scaling.sensors.fleet import FleetServesSensor

__all__ = ["FleetServesSensor"]
