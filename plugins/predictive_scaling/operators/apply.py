"""The operator that puts one shard's plans in place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.steer import Circumstances, Steered


class ApplyPlansOperator(BaseOperator):
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
        around = self._circumstances(context, settings)
        around.ledger.check()
        fleets = in_shard(read_fleets(settings.fleets_folder).fleets, Shard.parse(self.shard))
        done = [(spec, self._turn(spec, around)) for spec in fleets]
        self._fail_if_any([(spec.name, result) for spec, result in done if isinstance(result, Exception)])
        return [_row(result) for _, result in done if not isinstance(result, Exception)]

    def _circumstances(self, context: Context, settings: Any) -> Circumstances:
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
        from predictive_scaling.ledger.store import SqlLedger
        from predictive_scaling.steer import Circumstances
        from predictive_scaling.storage import Storage
        from predictive_scaling.task_run import task_run

        return Circumstances(
            by=task_run(context),
            storage=Storage.at(settings.storage),
            ledger=SqlLedger.from_connection(),
            reach=AutoScalingFleet.of,
            prefix=settings.action_prefix,
            patience=settings.operation_patience,
            dry_run=settings.dry_run or str(self.only_plan).lower() == "true",
        )

    def _turn(self, spec: FleetSpec, around: Circumstances) -> Steered | Exception:
        from forecasting import ForecastingError
        from predictive_scaling.errors import LedgerUnavailable, PredictiveScalingError
        from predictive_scaling.steer import refusal, steer

        try:
            steered = steer(spec, around, now=datetime.now(UTC))
        except LedgerUnavailable:
            raise
        except (PredictiveScalingError, ForecastingError) as error:
            self.log.error("%s: NOT STEERED: %s", spec.name, error)  # noqa: TRY400 - the message is the whole story
            around.ledger.record(refusal(spec, error, around.by))
            return error
        for line in steered.story():
            self.log.info("%s", line)
        return steered

    def _fail_if_any(self, failures: list[tuple[str, Exception]]) -> None:
        """A retry helps against a busy fleet or a failing cloud, and not against a wrong fleet file."""
        if not failures:
            return
        from predictive_scaling.steer import may_pass

        told = "; ".join(f"{name}: {error}" for name, error in failures)
        msg = f"{len(failures)} fleets were not steered: {told}"
        raise (AirflowException if any(may_pass(error) for _, error in failures) else AirflowFailException)(msg)


def _row(steered: Steered) -> dict[str, Any]:
    """What the run's XCom keeps of a fleet: enough for a summary."""
    coming = next((step for step in steered.plan.steps if step.at > steered.now), None)
    changes = steered.applied.changes
    return {
        "fleet": steered.fleet,
        "plan_id": steered.plan.plan_id,
        "forecast_id": steered.forecast_id,
        "peak": {"demand": steered.peak.demand, "at": steered.peak.at.isoformat()},
        "steps": len(steered.plan.steps),
        "written": len(changes.put) + len(changes.delete) if steered.applied.written else 0,
        "reason": steered.applied.reason,
        "next": {"at": coming.at.isoformat(), "capacity": coming.capacity, "reason": coming.reason} if coming else None,
    }
