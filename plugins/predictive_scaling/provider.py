"""What Airflow's provider discovery reads: our tables' manager and the configuration section."""

from __future__ import annotations

from typing import Any

from predictive_scaling import __version__
from predictive_scaling.settings import OPTIONS, SECTION


def get_provider_info() -> dict[str, Any]:
    """Describe the distribution to Airflow."""
    given = {"version_added": "0.1.0", "example": None}
    options = {name: {**given, **option, "default": None} for name, option in OPTIONS.items()}
    return {
        "package-name": "airflow-predictive-scaling",
        "name": "Predictive scaling",
        "description": "Capacity in place before the load, for AWS Auto Scaling groups.",
        "versions": [__version__],
        "db-managers": ["predictive_scaling.ledger.database.LedgerDatabase"],
        "extra-links": ["predictive_scaling.links.AutoScalingGroupLink"],
        "config": {SECTION: {"description": "Predictive scaling of fleets.", "options": options}},
    }
