"""The operator that changes the size of the fleets whose load asked for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from predictive_scaling.change import Workplace
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.overrides import Overrides
    from predictive_scaling.reaction import Reaction


class ReactToLoadOperator(BaseOperator):
    """Look again at each fleet that an event names, and set its desired capacity where that is still right."""

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """React fleet after fleet; the trouble of one stops no other, and fails the task after the last."""
        from predictive_scaling.errors import PredictiveScalingError

        done, failures = [], []
        for reaction, spec, at, overrides in self._asked(context):
            try:
                line = _carried_out(reaction, spec, at, overrides)
            except PredictiveScalingError as error:
                failures.append(f"{spec.name}: {error}")
                self.log.error("%s: NOT CHANGED: %s", spec.name, error)  # noqa: TRY400 - the message is the whole story
                continue
            self.log.info("%s: %s", spec.name, line)
            seconds = (datetime.now(UTC) - reaction.decided_at).total_seconds()
            done.append({"fleet": spec.name, "capacity": reaction.capacity, "done": line, "seconds": round(seconds, 3)})
        if failures:
            msg = f"{len(failures)} fleets were not changed: {'; '.join(failures)}"
            raise AirflowException(msg)
        return done

    def _asked(self, context: Context) -> Iterator[tuple[Reaction, FleetSpec, Workplace, Overrides]]:
        """Yield the newest reaction of each fleet, with what it needs to be carried out."""
        from predictive_scaling.change import Workplace
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
        from predictive_scaling.ledger.overrides import SqlOverrides
        from predictive_scaling.ledger.store import SqlLedger
        from predictive_scaling.settings import Settings
        from predictive_scaling.settle import Turn
        from predictive_scaling.task_run import task_run

        settings, asked = Settings.from_airflow(), _newest(context)
        fleets = {spec.name: spec for spec in read_fleets(settings.fleets_folder).fleets}
        ledger, overrides = SqlLedger.from_connection(), SqlOverrides.from_connection()
        ledger.check()
        turn = Turn(by=task_run(context), now=datetime.now(UTC), patience=settings.operation_patience)
        for reaction in asked:
            if spec := fleets.get(reaction.fleet):
                at = Workplace(name=spec.name, fleet=AutoScalingFleet.of(spec), ledger=ledger, turn=turn)
                yield reaction, spec, at, overrides


def _newest(context: Context) -> list[Reaction]:
    """Read the events behind the run; of several about one fleet the last counts."""
    from predictive_scaling.reaction import Reaction

    events = [event for group in context["triggering_asset_events"].values() for event in group]
    read = [Reaction.from_json(row) for event in events for row in event.extra["payload"]["reactions"]]
    newest = {each.fleet: each for each in sorted(read, key=lambda each: each.decided_at)}
    return list(newest.values())


def _carried_out(reaction: Reaction, spec: FleetSpec, at: Workplace, overrides: Overrides) -> str:
    """Change the size unless the group has got there, or beyond, since the decision."""
    from predictive_scaling.fleets import Sizes
    from predictive_scaling.permission import reacting
    from predictive_scaling.set_capacity import set_capacity

    observed = at.fleet.observe()
    there = observed.desired >= reaction.capacity if reaction.out else observed.desired <= reaction.capacity
    if there:
        return f"nothing to do: {observed.desired} were asked for since; it was {reaction.reason}"
    size = max(min(reaction.capacity, observed.max_size), observed.min_size)
    why_not = reacting(spec, overrides.open(spec.name), at.turn.now)
    return set_capacity(spec, at, Sizes(desired=size), reaction.reason, why_not=why_not)
