"""The operators of the gate: one holds every forecast against the past, one lets a person have the last word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseOperator

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ReviewFleetsOperator(BaseOperator):
    """Judge each fleet of a shard on its last weeks, move its gate, and tell people of every move."""

    template_fields: Sequence[str] = ("shard",)

    def __init__(self, *, shard: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Review, log a line a fleet, and send the moves to the notifiers."""
        from predictive_scaling.contest import contests
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.fleet_spec import Shard, each_load, in_shard
        from predictive_scaling.notify import notify
        from predictive_scaling.review import as_row, bench_of, review
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        fleets = in_shard(read_fleets(settings.fleets_folder).fleets, Shard.parse(self.shard))
        bench, now = bench_of(context, settings), datetime.now(UTC)
        for line in contests(each_load(fleets), bench.storage, now=now):
            self.log.info("%s", line)
        found, empty = review(fleets, bench, now=now)
        for line in empty:
            self.log.info("not reviewed: %s", line)
        for reviewed in found:
            (self.log.info if reviewed.verdict.passed else self.log.warning)("%s", reviewed)
        moves = [str(reviewed) for reviewed in found if reviewed.moved]
        for trouble in notify("\n".join(moves), settings.notifiers, context) if moves else ():
            self.log.warning("%s", trouble)
        return [as_row(reviewed) for reviewed in found]


COMES: Final = {
    "auto": "the next apply_plans writes its plan",
    "observe": "the next apply_plans takes back what is scheduled, and the floor returns to min",
}


class PromoteFleetOperator(BaseOperator):
    """Move one fleet at the gate by a person's word: to auto when it waits for it, or back to observe."""

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:
        """Do as the run's form asks, and remember who asked."""
        from forecasting.gate import Stage
        from predictive_scaling.fleet_folder import named, read_fleets
        from predictive_scaling.notify import notify
        from predictive_scaling.review import bench_of, promote
        from predictive_scaling.settings import Settings

        settings, form = Settings.from_airflow(), context["params"]
        bench, now = bench_of(context, settings), datetime.now(UTC)
        fleet = named(form["fleet"], read_fleets(settings.fleets_folder).fleets)
        before, gate = promote(fleet, Stage(form["to"]), form["reason"], bench, now=now)
        stage = gate.standing.stage
        comes = COMES.get(stage, "a review has moved it since")
        told = f"{gate.fleet}: {before} -> {stage} by {gate.actor}: {gate.standing.reason}; {comes}"
        self.log.info("%s", told)
        for trouble in notify(told, settings.notifiers, context):
            self.log.warning("%s", trouble)
        return {"fleet": gate.fleet, "stage": stage.value}
