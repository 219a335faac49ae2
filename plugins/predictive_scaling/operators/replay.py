"""The operator that replays a fleet's policy, and others beside it, on the fleet's own history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReplayPolicyOperator(BaseOperator):
    """Compare policies and modes of scaling on what was measured; asks nothing of AWS and writes nothing to it."""

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:
        """Replay as the run's form asks, print the table, and keep the result."""
        from forecasting import ForecastingError
        from predictive_scaling.errors import InvalidFleet, NoHistory, UnusableFile
        from predictive_scaling.fleet_folder import named, read_fleets
        from predictive_scaling.replays import Trial, replay_fleet
        from predictive_scaling.settings import Settings
        from predictive_scaling.storage import Storage

        settings, form = Settings.from_airflow(), context["params"]
        storage, now = Storage.at(settings.storage), datetime.now(UTC)
        trial = Trial(
            days=form["days"],
            boot=timedelta(minutes=form["boot_minutes"]),
            price_per_hour=form["price_per_hour"],
            modes=tuple(form["modes"]),
            variations=form["policies"] or {},
        )
        try:
            fleet = named(form["fleet"], read_fleets(settings.fleets_folder).fleets)
            replayed = replay_fleet(fleet, storage, trial, now=now)
        except (InvalidFleet, NoHistory, UnusableFile, ForecastingError) as error:
            raise AirflowFailException(str(error)) from error
        for line in replayed.table():
            self.log.info("%s", line)
        storage.save_replay(replayed.fleet, replayed.as_json(), now=now)
        return replayed.as_json()
