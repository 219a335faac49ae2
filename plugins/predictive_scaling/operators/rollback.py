"""The operator that puts back what one operation changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from predictive_scaling.operators.one_fleet import OneFleetOperator, whole_number
from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.records import Event


class RollbackOperator(OneFleetOperator):
    """Restore the state before an event's operation, verified; refuse when somebody else changed it since."""

    template_fields: Sequence[str] = (*OneFleetOperator.template_fields, "event_id", "operation_id", "force")

    def __init__(
        self,
        *,
        event_id: int | str | None = None,
        operation_id: str | None = None,
        force: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"fleet": "", **kwargs})
        self.event_id = event_id
        self.operation_id = operation_id
        self.force = force

    def execute(self, context: Context) -> dict[str, Any]:
        """Find what was changed, and put it back."""
        from predictive_scaling.balancer import Balancer
        from predictive_scaling.rollback import moved_traffic, roll_back
        from predictive_scaling.traffic import Crossing, restore_split

        event = self._event()
        self.fleet = event.fleet
        with self._at(context) as (spec, at):
            force = str(self.force).lower() == "true"
            why_not = self._why_not(spec)
            if moved_traffic(event, at.ledger):
                crossing = Crossing(spec=spec, balancer=Balancer.of(spec), at=at)
                restored = restore_split(event, crossing, self.reason, force=force, why_not=why_not)
            else:
                restored = roll_back(event, at, self.reason, force=force, why_not=why_not)
        self._tell(*restored.lines)
        return {"fleet": self.fleet, "operation": restored.operation_id, "written": restored.written}

    def _find(self, fleets: Sequence[FleetSpec]) -> FleetSpec:
        from predictive_scaling.fleet_folder import once_named

        return once_named(self.fleet, fleets)

    @mended_by_a_person()
    def _event(self) -> Event:
        from predictive_scaling.errors import NothingToRestore, OutOfBounds
        from predictive_scaling.ledger.store import SqlLedger
        from predictive_scaling.rollback import find_event

        try:
            number = whole_number("event_id", self.event_id)
            return find_event(SqlLedger.from_connection(), event_id=number, operation_id=self.operation_id)
        except (NothingToRestore, OutOfBounds) as error:
            raise AirflowFailException(str(error)) from error
