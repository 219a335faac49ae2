"""The operator that compares ways of buying the capacity for a daily load."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class CompareCostsOperator(BaseOperator):
    """Compute from a profile file what always on, the hour, spot and the request would cost; asks nothing of AWS."""

    template_fields: Sequence[str] = ("profile", "risk_limit")

    def __init__(self, *, profile: str, risk_limit: float | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.profile = profile
        self.risk_limit = risk_limit

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Compare, log the table, and keep JSON and picture in the storage."""
        from forecasting import ForecastingError
        from predictive_scaling.cost_report import report_costs
        from predictive_scaling.cost_store import CostStore
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        store, folder = CostStore.at(settings.storage), settings.fleets_folder.parent
        limit = None if str(self.risk_limit) in {"", "None"} else float(str(self.risk_limit))
        try:
            report = report_costs(self.profile, folder, store, now=datetime.now(UTC), risk_limit=limit)
        except ForecastingError as error:
            raise AirflowFailException(str(error)) from error
        for line in report.story():
            self.log.info("%s", line)
        return report.as_json()
