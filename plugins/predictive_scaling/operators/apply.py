"""The operator that puts one shard's plans in place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from predictive_scaling.operators.permanent import mended_by_a_person
from predictive_scaling.operators.steering import SteeringOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.steered import Steered


class ApplyPlansOperator(SteeringOperator):
    """Draw each fleet's plan from its newest forecast and bring its scheduled actions to it."""

    template_fields: Sequence[str] = ("shard", "only_plan")

    def __init__(
        self,
        *,
        shard: str = "{{ dag_run.partition_key or '' }}",
        only_plan: bool | str = "{{ params.dry_run }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shard = shard
        self.only_plan = only_plan

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Steer fleet after fleet; the trouble of one is recorded, and fails the task after the last."""
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.fleet_spec import Shard, in_shard
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        every = read_fleets(settings.fleets_folder).fleets
        around = self._around(context, settings, every, dry_run=str(self.only_plan).lower() == "true")
        fleets = in_shard(every, Shard.parse(self.shard))
        self._review_the_new(fleets, around)
        return [_row(steered) for steered in self._steer_all(fleets, around, context)]

    def _review_the_new(self, fleets: list[FleetSpec], around: Circumstances) -> None:
        """Judge the fleets that would act and never were judged on their metrics: a new one need not wait a day."""
        from predictive_scaling.fleet_spec import Mode
        from predictive_scaling.review import Bench, review

        known = {gate.fleet: gate.measured_by for gate in around.gates.all()}
        new = [spec for spec in fleets if spec.mode is not Mode.OBSERVE and known.get(spec.name) != spec.measured_by]
        bench = Bench(
            storage=around.storage, gates=around.gates, ledger=around.ledger, reach=around.reach, by=around.by
        )
        judged, empty = review(new, bench, now=datetime.now(UTC))
        for line in (*judged, *empty):
            self.log.info("%s", line)


def _row(steered: Steered) -> dict[str, Any]:
    """What the run's XCom keeps of a fleet: enough for a summary."""
    coming = next((step for step in steered.plan.steps if step.at > steered.now), None)
    changes, peak = steered.applied.changes, steered.peak
    return {
        "fleet": steered.fleet,
        "plan_id": steered.plan.plan_id,
        "forecast_id": steered.forecast_id,
        "peak": {"demand": peak.demand, "at": peak.at.isoformat()} if peak else None,
        "steps": len(steered.plan.steps),
        "written": len(changes.put) + len(changes.delete) if steered.applied.written else 0,
        "reason": steered.applied.reason,
        "next": {"at": coming.at.isoformat(), "capacity": coming.capacity, "reason": coming.reason} if coming else None,
    }
