"""The operator that looks for what is wrong with the groups of fleets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


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

        from predictive_scaling.fleet_check import check_fleets
        from predictive_scaling.settings import Settings

        names = self.fleets.replace(",", " ").split() if isinstance(self.fleets, str) else self.fleets
        found = list(check_fleets(names, Settings.from_airflow(), now=datetime.now(UTC)))
        for checked in found:
            for line in checked.lines():
                self.log.log(logging.ERROR if checked.problem else logging.INFO, "%s", line)
        grave = [checked.name for checked in found if checked.grave]
        if grave:
            msg = f"grave flaws in {len(grave)} of {len(found)} fleets, see the log above: {', '.join(grave)}"
            raise AirflowFailException(msg)
        return {checked.name: [str(flaw) for flaw in checked.flaws] for checked in found}
