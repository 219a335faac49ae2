"""The operator that holds fleets against their budgets before money is spent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from predictive_scaling.operators.one_fleet import MOST_DIGITS, number_of_hours
from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.cost_gate import CostGate, Gated, Wish
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.records import TaskRun


class CostGateOperator(BaseOperator):
    """Judge what some fleets, or all, hold or would like to add, against every budget that covers them.

    Each row returned tells the outcome, the instances granted of those asked for, and the sum. The task fails where
    nothing of what was asked for is within the budget; a number below 0 gives instances back, and always passes.
    """

    template_fields: Sequence[str] = ("fleets", "amount", "hours")

    def __init__(
        self, *, fleets: Sequence[str] | str = (), amount: int | str = 0, hours: float | str = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.fleets = fleets
        self.amount = amount
        self.hours = hours

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Judge fleet after fleet."""
        from predictive_scaling.task_run import task_run

        specs, gate = self._gate()
        by, wish = task_run(context), self._wish()
        return [self._row(spec, gate, wish, by) for spec in specs]

    def _wish(self) -> Wish:
        from predictive_scaling.cost_gate import Wish

        amount = str(self.amount).strip()
        if not re.fullmatch(rf"-?\d{{1,{MOST_DIGITS}}}", amount, re.ASCII):
            msg = f"amount {self.amount!r} is not a whole number: write for example 3, or -2 to give two back"
            raise AirflowFailException(msg)
        return Wish(amount=int(amount), lasting=timedelta(hours=number_of_hours(self.hours) or 1))

    def _gate(self) -> tuple[list[FleetSpec], CostGate]:
        from predictive_scaling.cost_gate import CostGate
        from predictive_scaling.cost_store import CostStore
        from predictive_scaling.errors import InvalidFleet
        from predictive_scaling.fleet_folder import named, read_fleets
        from predictive_scaling.ledger.statuses import SqlStatuses
        from predictive_scaling.ledger.store import SqlLedger
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        known = read_fleets(settings.fleets_folder).fleets
        names = self.fleets.replace(",", " ").split() if isinstance(self.fleets, str) else self.fleets
        ledger = SqlLedger.from_connection()
        ledger.check()
        store, statuses = CostStore.at(settings.storage), SqlStatuses.from_connection()
        gate = CostGate.of(settings.fleets_folder.parent, known, store, ledger, statuses)
        for line in gate.unknown():
            self.log.warning("%s", line)
        try:
            return [named(name, known) for name in names] if names else list(known), gate
        except InvalidFleet as error:
            raise AirflowFailException(str(error)) from error

    def _row(self, spec: FleetSpec, gate: CostGate, wish: Wish, by: TaskRun) -> dict[str, Any]:
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

        now = datetime.now(UTC)
        observed = AutoScalingFleet.of(spec).observe()
        gated = gate.capped(gate.claim(spec, observed, wish, now=now), by=by, now=now)
        for note in gated.notes or ("no budget covers it",):
            self.log.info("%s: %s", spec.name, note)
        granted = gated.plan.capacity_at(now) - observed.desired if wish.amount else 0
        if wish.amount > 0 and granted <= 0 and not gated.asks:
            msg = f"{spec.name}: none of the {wish.amount} instances is within the budget: {_why(gated)}"
            raise AirflowFailException(msg)
        verdicts = [each.as_json() for each in gated.verdicts]
        outcome = next((row["outcome"] for row in verdicts if row["outcome"] != "within"), "within")
        return {"fleet": spec.name, "outcome": outcome, "granted": granted, "verdicts": verdicts}


def _why(gated: Gated) -> str:
    return "; ".join(each.reason for each in gated.verdicts)
