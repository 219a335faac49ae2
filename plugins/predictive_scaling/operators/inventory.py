"""The operator that lists the instances of fleets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec


class InventoryOperator(BaseOperator):
    """Log and return every instance of some fleets, or of all: state, health, targets, age. Changes nothing."""

    template_fields: Sequence[str] = ("fleets",)

    def __init__(self, *, fleets: Sequence[str] | str = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fleets = fleets

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:  # noqa: ARG002 - Airflow's signature
        """Look at one fleet after the other; one that cannot be seen is told, and the others are listed."""
        return [row for spec in self._specs() for row in self._rows(spec)]

    def _specs(self) -> list[FleetSpec]:
        from predictive_scaling.fleet_folder import named, read_fleets
        from predictive_scaling.settings import Settings

        known = read_fleets(Settings.from_airflow().fleets_folder).fleets
        names = self.fleets.replace(",", " ").split() if isinstance(self.fleets, str) else self.fleets
        return [named(name, known) for name in names] if names else list(known)

    def _rows(self, spec: FleetSpec) -> list[dict[str, Any]]:
        from predictive_scaling.errors import CloudUnavailable, GroupNotFound
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
        from predictive_scaling.inventory import lines_of, rows_of

        try:
            observed = AutoScalingFleet.of(spec).examine().observed
        except (CloudUnavailable, GroupNotFound) as error:
            self.log.warning("%s: not seen: %s", spec.name, error)
            return []
        for line in lines_of(spec.name, observed, datetime.now(UTC)):
            self.log.info("%s", line)
        return rows_of(spec.name, observed)
