"""The sensor that waits until a fleet is as large as what comes next needs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from predictive_scaling.links import AutoScalingGroupLink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.waits import ServesWait


class FleetServesSensor(BaseSensorOperator):
    """Wait, holding no worker, until so many instances of a fleet serve: in service, healthy, taking requests."""

    template_fields: Sequence[str] = ("fleet", "at_least")
    operator_extra_links = (AutoScalingGroupLink(),)

    def __init__(self, *, fleet: str, at_least: int | str, deferrable: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fleet = fleet
        self.at_least = at_least
        self.deferrable = deferrable
        self.console = ""

    def execute(self, context: Context) -> Any:
        """Look once; if they do not serve yet, let the triggerer go on looking."""
        if not self.deferrable:
            return super().execute(context)
        if self.poke(context):
            return None
        from predictive_scaling.triggers.fleet import FleetTrigger

        spec, wait = self._asked()
        until = datetime.now(UTC) + timedelta(seconds=self.timeout)
        trigger = FleetTrigger.of(spec, wait, every=self.poke_interval, until=until)
        return self.defer(trigger=trigger, method_name="resume")

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - Airflow's signature
        """Look at the group."""
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

        spec, wait = self._asked()
        seen = AutoScalingFleet.of(spec).examine()
        self.log.info("%s: %s", self.fleet, wait.progress(seen))
        return wait.judge(seen) is not None

    def resume(self, context: Context, event: dict[str, Any]) -> None:  # noqa: ARG002 - Airflow's signature
        """Take up the task where the trigger ended."""
        from airflow.sdk.exceptions import AirflowSensorTimeout

        from predictive_scaling.waits import Ended, Verdict

        verdict = Verdict.from_json(event)
        self.log.info("%s: %s", self.fleet, verdict.reason)
        if verdict.ended is not Ended.DONE:
            msg = f"fleet {self.fleet}: {self.at_least} were to serve: {verdict.reason}"
            raise AirflowSensorTimeout(msg)

    def _asked(self) -> tuple[FleetSpec, ServesWait]:
        """Find the fleet, and what is waited for; what a person must mend fails without a retry."""
        from airflow.sdk.exceptions import AirflowFailException

        from predictive_scaling.errors import InvalidFleet, OutOfBounds
        from predictive_scaling.fleet_folder import named, read_fleets
        from predictive_scaling.links import console_address
        from predictive_scaling.operators.one_fleet import positive
        from predictive_scaling.settings import Settings
        from predictive_scaling.waits import ServesWait

        try:
            spec = named(self.fleet, read_fleets(Settings.from_airflow().fleets_folder).fleets)
            wait = ServesWait(goal=positive("at_least", self.at_least))
        except (InvalidFleet, OutOfBounds) as error:
            raise AirflowFailException(str(error)) from error
        self.console = console_address(spec)
        return spec, wait
