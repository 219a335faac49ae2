"""What the operators share that bring groups to their plans: what they reach, a fleet's turn, and how they fail."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.settings import Settings
    from predictive_scaling.steer import Circumstances, Steered


class SteeringOperator(BaseOperator):
    """Steers fleets one after the other; the trouble of one is recorded, and fails the task after the last."""

    def _steer_all(self, fleets: Iterable[FleetSpec], around: Circumstances) -> list[Steered]:
        done = [(spec, self._turn(spec, around)) for spec in fleets]
        self._fail_if_any([(spec.name, result) for spec, result in done if isinstance(result, Exception)])
        return [result for _, result in done if not isinstance(result, Exception)]

    def _around(
        self, context: Context, settings: Settings, fleets: Sequence[FleetSpec], *, dry_run: bool = False
    ) -> Circumstances:
        """Reach what fleets are steered with."""
        from predictive_scaling.around import around
        from predictive_scaling.task_run import task_run

        return around(task_run(context), settings, fleets, dry_run=dry_run)

    def _turn(self, spec: FleetSpec, around: Circumstances) -> Steered | Exception:
        """Steer one fleet and tell its story; its trouble is recorded and given back."""
        from forecasting import ForecastingError
        from predictive_scaling.errors import LedgerUnavailable, PredictiveScalingError
        from predictive_scaling.steer import refusal, steer
        from predictive_scaling.summary import status_after, status_of_trouble

        now = datetime.now(UTC)
        try:
            steered = steer(spec, around, now=now)
        except LedgerUnavailable:
            raise
        except (PredictiveScalingError, ForecastingError) as error:
            self.log.error("%s: NOT STEERED: %s", spec.name, error)  # noqa: TRY400 - the message is the whole story
            around.ledger.record(refusal(spec, error, around.by))
            around.statuses.save(status_of_trouble(spec, around.statuses.of(spec.name), str(error), now=now))
            return error
        around.statuses.save(status_after(spec, steered), json.loads(steered.plan.to_json()))
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
