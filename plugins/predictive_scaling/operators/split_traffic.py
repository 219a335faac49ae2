"""The operator that splits each fleet's traffic between its baseline and its burst."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from predictive_scaling.operators.permanent import fail_if_any, mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.overriding import Desk
    from predictive_scaling.settings import Settings
    from predictive_scaling.workplace import Turn


class SplitTrafficOperator(BaseOperator):
    """Give each baseline the traffic it can bear, and the rest to the burst, for all fleets with `burst:`."""

    template_fields: Sequence[str] = ("only_plan",)

    def __init__(self, *, only_plan: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.only_plan = only_plan

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, str]:
        """Split fleet after fleet; the trouble of one stops no other, and fails the task after the last."""
        from predictive_scaling.errors import LedgerUnavailable, PredictiveScalingError
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        fleets = [spec for spec in read_fleets(settings.fleets_folder).fleets if spec.burst]
        if not fleets:
            msg = "no fleet file has `burst:`: there is no traffic to split"
            raise AirflowSkipException(msg)
        desk, turn = _at(context, settings)
        dry = settings.dry_run or str(self.only_plan).lower() == "true"
        told: dict[str, str] = {}
        troubles: dict[str, PredictiveScalingError] = {}
        for spec in fleets:
            try:
                told[spec.name] = _split(spec, desk, turn, dry=dry)
                self.log.info("%s: %s", spec.name, told[spec.name])
            except LedgerUnavailable:
                raise
            except PredictiveScalingError as error:
                troubles[spec.name] = error
                self.log.error("%s: NOT SPLIT: %s", spec.name, error)  # noqa: TRY400 - the message is the whole story
        fail_if_any(troubles, f"the traffic of {len(troubles)} fleets was not split")
        return told


def _at(context: Context, settings: Settings) -> tuple[Desk, Turn]:
    """Reach the ledger, which must be usable before anything is looked at."""
    from predictive_scaling.ledger.overrides import SqlOverrides
    from predictive_scaling.ledger.store import SqlLedger
    from predictive_scaling.overriding import Desk
    from predictive_scaling.task_run import task_run
    from predictive_scaling.workplace import Turn

    ledger, by = SqlLedger.from_connection(), task_run(context)
    ledger.check()
    turn = Turn(by=by, now=datetime.now(UTC), patience=settings.operation_patience)
    return Desk(overrides=SqlOverrides.from_connection(), ledger=ledger, by=by), turn


def _split(spec: FleetSpec, desk: Desk, turn: Turn, *, dry: bool) -> str:
    from predictive_scaling.balancer import Balancer
    from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
    from predictive_scaling.permission import reacting
    from predictive_scaling.traffic import Crossing, split_traffic
    from predictive_scaling.workplace import Workplace

    why_not = "this is a dry run" if dry else reacting(spec, desk.overrides.open(spec.name), turn.now)
    at = Workplace(name=spec.name, fleet=AutoScalingFleet.of(spec), ledger=desk.ledger, turn=turn)
    return split_traffic(Crossing(spec=spec, balancer=Balancer.of(spec), at=at), why_not)
