"""The Airflow plugin. Loaded in every Airflow process, so it imports nothing heavy."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from predictive_scaling.api.lazy_app import LazyApp


class PredictiveScalingPlugin(AirflowPlugin):
    """Announces the product to Airflow: the page "Scaling" and the API behind it."""

    name = "predictive_scaling"
    fastapi_apps: list[Any] = [  # noqa: RUF012 - declared so by Airflow
        {"app": LazyApp("predictive_scaling.api.app:app"), "url_prefix": "/scaling", "name": "Scaling"}
    ]
    react_apps: list[Any] = [  # noqa: RUF012 - declared so by Airflow
        {
            "name": "Scaling",
            # Relative: Airflow resolves it against its own base, which a proxy may have moved.
            "bundle_url": "scaling/page/scaling.js",
            "icon": "scaling/page/icon.svg",
            "icon_dark_mode": "scaling/page/icon-dark.svg",
            "destination": "nav",
            "nav_top_level": True,
            "url_route": "scaling",
        }
    ]
