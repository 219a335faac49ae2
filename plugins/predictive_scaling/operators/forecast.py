"""The operator that forecasts the demand of one shard's fleets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from predictive_scaling.assets import DEMAND_FORECAST
from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ForecastDemandOperator(BaseOperator):
    """Forecast every fleet of a shard 48 hours ahead and store the forecasts."""

    template_fields: Sequence[str] = ("shard",)

    def __init__(self, *, shard: str = "{{ dag_run.partition_key or '' }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:
        """Forecast, and announce the shard; a fleet that cannot be forecast is named and keeps its last forecast."""
        from predictive_scaling.demand_forecast import forecast_fleets
        from predictive_scaling.fleet_folder import fleets_at_hand
        from predictive_scaling.fleet_spec import Shard, each_load, in_shard
        from predictive_scaling.settings import Settings
        from predictive_scaling.storage import Storage

        settings = Settings.from_airflow()
        shard = Shard.parse(self.shard)
        fleets = each_load(in_shard(fleets_at_hand(settings.fleets_folder).fleets, shard))
        done = forecast_fleets(fleets, Storage.at(settings.storage), now=datetime.now(UTC))
        for each in done:
            (self.log.warning if each.problem else self.log.info)("%s", each)
        context["outlet_events"][DEMAND_FORECAST].add_partitions(str(shard))
        problems = [str(each) for each in done if each.problem]
        return {"forecast": len(done) - len(problems), "problems": problems}
