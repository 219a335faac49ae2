"""What the operators share that bring groups to their plans: what they reach, a fleet's turn, and how they fail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.sdk import BaseOperator

from predictive_scaling.operators.permanent import fail_if_any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow.sdk import Context

    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.settings import Settings
    from predictive_scaling.status import Status
    from predictive_scaling.steered import Steered


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """What came of one fleet's turn: it was steered, or there was trouble; and what people should hear of."""

    fleet: str
    steered: Steered | None = None
    trouble: Exception | None = None
    news: tuple[str, ...] = ()


class SteeringOperator(BaseOperator):
    """Steers fleets one after the other; the trouble of one is recorded, and fails the task after the last."""

    def _steer_all(self, fleets: Iterable[FleetSpec], around: Circumstances, context: Context) -> list[Steered]:
        turns = [self._turn(spec, around) for spec in fleets]
        self._pass_on([line for turn in turns for line in turn.news], context)
        troubles = {turn.fleet: turn.trouble for turn in turns if turn.trouble}
        fail_if_any(troubles, f"{len(troubles)} fleets were not steered")
        return [turn.steered for turn in turns if turn.steered]

    def _around(
        self, context: Context, settings: Settings, fleets: Sequence[FleetSpec], *, dry_run: bool = False
    ) -> Circumstances:
        """Reach what fleets are steered with."""
        from predictive_scaling.around import around
        from predictive_scaling.task_run import task_run

        return around(task_run(context), settings, fleets, dry_run=dry_run)

    def _turn(self, spec: FleetSpec, around: Circumstances) -> Turned:
        """Steer one fleet and tell its story; its trouble is recorded, and stops no other."""
        from forecasting import ForecastingError
        from predictive_scaling.errors import LedgerUnavailable, PredictiveScalingError, Unforeseen, unforeseen
        from predictive_scaling.steer import steer

        before = around.statuses.of(spec.name)
        try:
            steered = steer(spec, around, now=datetime.now(UTC), before=before)
        except LedgerUnavailable:
            raise
        except (PredictiveScalingError, ForecastingError) as error:
            return self._troubled(spec, error, around, before)
        except Exception as error:
            self.log.exception("%s: broke off", spec.name)
            return self._troubled(spec, Unforeseen(unforeseen(error)), around, before)
        return self._told(spec, steered, around, before)

    def _troubled(self, spec: FleetSpec, error: Exception, around: Circumstances, before: Status | None) -> Turned:
        """Record why a fleet was left as it is; it is news where it was well before."""
        from predictive_scaling.measures import emit, measures_of
        from predictive_scaling.steer import refusal
        from predictive_scaling.summary import status_of_trouble

        self.log.error("%s: NOT STEERED: %s", spec.name, error)
        around.ledger.record(refusal(spec, error, around.by))
        status = status_of_trouble(spec, around.statuses.of(spec.name), str(error), now=datetime.now(UTC))
        around.statuses.save(status)
        emit(measures_of(status))
        news = (f"{spec.name}: not steered: {error}",) if before and not before.problem else ()
        return Turned(fleet=spec.name, trouble=error, news=news)

    def _told(self, spec: FleetSpec, steered: Steered, around: Circumstances, before: Status | None) -> Turned:
        """Keep what the page shows, tell the story, and let questions wait for their people."""
        from predictive_scaling import concerns
        from predictive_scaling.awaiting import await_answer
        from predictive_scaling.measures import emit, measures_of
        from predictive_scaling.summary import status_after

        status = status_after(spec, steered, around.statuses.of(spec.name))
        around.statuses.save(status, json.loads(steered.plan.to_json()))
        self._picture(spec, steered, around)
        emit(measures_of(status))
        for line in steered.story():
            self.log.info("%s", line)
        for question in steered.questions:
            if trouble := await_answer(question):
                self.log.warning("%s", trouble)
        fresh = concerns.news(steered.concerns, before.concerns if before else ())
        return Turned(fleet=spec.name, steered=steered, news=tuple(f"{spec.name}: {each.text}" for each in fresh))

    def _picture(self, spec: FleetSpec, steered: Steered, around: Circumstances) -> None:
        """Keep what the page draws of a fleet; that it cannot be kept is no reason to leave out the next one."""
        from predictive_scaling.summary import size_seen

        try:
            around.storage.save_inventory(spec.name, steered.observed.instances, now=steered.now)
            around.storage.save_size(spec.name, size_seen(steered))
        except Exception:
            self.log.exception("%s: the page shows its instances and sizes of before", spec.name)

    def _pass_on(self, news: list[str], context: Context) -> None:
        """Tell people, in one message a task; a notifier that fails is told in the log."""
        from predictive_scaling.notify import notify
        from predictive_scaling.settings import Settings

        for line in news:
            self.log.warning("%s", line)
        for trouble in notify("\n".join(news), Settings.from_airflow().notifiers, context) if news else ():
            self.log.warning("%s", trouble)
