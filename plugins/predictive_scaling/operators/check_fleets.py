"""The operator that looks for what is wrong with the groups of fleets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.settings import Settings


class CheckFleetsOperator(BaseOperator):
    """Check some fleets' groups, or all: log each flaw with its mend, and fail on a grave one. Changes nothing."""

    template_fields: Sequence[str] = ("fleets",)

    def __init__(self, *, fleets: Sequence[str] | str = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fleets = fleets

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, list[str]]:  # noqa: ARG002 - Airflow's signature
        """Look at one group after the other."""
        from airflow.sdk.exceptions import AirflowFailException

        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        told: dict[str, list[str]] = {}
        grave: list[str] = []
        for spec in self._specs(settings):
            told[spec.name] = self._check(spec, settings, grave)
        if grave:
            msg = f"grave flaws in {len(grave)} of {len(told)} fleets, see the log above: {', '.join(grave)}"
            raise AirflowFailException(msg)
        return told

    def _specs(self, settings: Settings) -> list[FleetSpec]:
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.operators.one_fleet import named

        known = read_fleets(settings.fleets_folder).fleets
        names = self.fleets.replace(",", " ").split() if isinstance(self.fleets, str) else self.fleets
        return [named(name, known) for name in names] if names else list(known)

    def _check(self, spec: FleetSpec, settings: Settings, grave: list[str]) -> list[str]:
        """Check one; a group that cannot be seen is grave, and the others are checked all the same."""
        from predictive_scaling.checks import lines_of
        from predictive_scaling.errors import PredictiveScalingError
        from predictive_scaling.fleet_check import check_fleet, reach_of

        try:
            flaws = check_fleet(spec, reach_of(spec), settings, now=datetime.now(UTC))
        except PredictiveScalingError as error:
            self.log.error("%s: not checked: %s", spec.name, error)  # noqa: TRY400 - the message is the whole story
            grave.append(spec.name)
            return [f"not checked: {error}"]
        for line in lines_of(spec.name, flaws):
            self.log.info("%s", line)
        if any(flaw.grave for flaw in flaws):
            grave.append(spec.name)
        return [str(flaw) for flaw in flaws]
