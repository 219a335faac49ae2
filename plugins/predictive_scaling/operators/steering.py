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

    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.settings import Settings
    from predictive_scaling.steer import Steered


class SteeringOperator(BaseOperator):
    """Steers fleets one after the other; the trouble of one is recorded, and fails the task after the last."""

    def _steer_all(self, fleets: Iterable[FleetSpec], around: Circumstances, context: Context) -> list[Steered]:
        news: list[str] = []
        done = [(spec, self._turn(spec, around, news)) for spec in fleets]
        self._pass_on(news, context)
        self._fail_if_any([(spec.name, result) for spec, result in done if isinstance(result, Exception)])
        return [result for _, result in done if not isinstance(result, Exception)]

    def _around(
        self, context: Context, settings: Settings, fleets: Sequence[FleetSpec], *, dry_run: bool = False
    ) -> Circumstances:
        """Reach what fleets are steered with."""
        from predictive_scaling.around import around
        from predictive_scaling.task_run import task_run

        return around(task_run(context), settings, fleets, dry_run=dry_run)

    def _turn(self, spec: FleetSpec, around: Circumstances, news: list[str]) -> Steered | Exception:
        """Steer one fleet and tell its story; its trouble is recorded and given back, and what is new is news."""
        from forecasting import ForecastingError
        from predictive_scaling import concerns
        from predictive_scaling.awaiting import await_answer
        from predictive_scaling.errors import LedgerUnavailable, PredictiveScalingError
        from predictive_scaling.measures import emit, measures_of
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
            before = around.statuses.of(spec.name)
            status = status_of_trouble(spec, before, str(error), now=now)
            if before and not before.problem:
                news.append(f"{spec.name}: not steered: {error}")
            around.statuses.save(status)
            emit(measures_of(status))
            return error
        before = around.statuses.of(spec.name)
        status = status_after(spec, steered, before)
        fresh = concerns.news(steered.concerns, before.concerns if before else ())
        news += [f"{spec.name}: {concern.text}" for concern in fresh]
        around.statuses.save(status, json.loads(steered.plan.to_json()))
        around.storage.save_inventory(spec.name, steered.observed.instances, now=now)
        emit(measures_of(status))
        for line in steered.story():
            self.log.info("%s", line)
        for question in steered.questions:
            if trouble := await_answer(question):
                self.log.warning("%s", trouble)
        return steered

    def _pass_on(self, news: list[str], context: Context) -> None:
        """Tell people, in one message a task; a notifier that fails is told in the log."""
        from predictive_scaling.notify import notify
        from predictive_scaling.settings import Settings

        for line in news:
            self.log.warning("%s", line)
        for trouble in notify("\n".join(news), Settings.from_airflow().notifiers, context) if news else ():
            self.log.warning("%s", trouble)

    def _fail_if_any(self, failures: list[tuple[str, Exception]]) -> None:
        """A retry helps against a busy fleet or a failing cloud, and not against a wrong fleet file."""
        if not failures:
            return
        from predictive_scaling.steer import may_pass

        told = "; ".join(f"{name}: {error}" for name, error in failures)
        msg = f"{len(failures)} fleets were not steered: {told}"
        raise (AirflowException if any(may_pass(error) for _, error in failures) else AirflowFailException)(msg)
