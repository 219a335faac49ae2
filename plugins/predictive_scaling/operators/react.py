"""The operator that tells what the watch did about a load, and does what the watch could not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from airflow.sdk import Context

    from predictive_scaling.answering import Answer
    from predictive_scaling.reaction import Reaction


class ReactToLoadOperator(BaseOperator):
    """Tell of each fleet that an event names; look again at those that could not be changed, and change them."""

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Answer what is left; the trouble of one fleet stops no other, and fails the task after the last."""
        known = _newest(context)
        left = [answer for answer in known if answer.failed]
        for answer in known:
            by = "the watch tried, and failed" if answer.failed else "done by the watch"
            self._tell(answer, f"{answer.reaction.reason}; {by} at {answer.reaction.decided_at:%H:%M:%S} UTC")
        again = self._again([answer.reaction for answer in left], context) if left else []
        for answer in again:
            self._tell(answer, "done by this run")
        failures = [f"{answer.reaction.fleet}: {answer.told}" for answer in again if answer.failed]
        if failures:
            msg = f"{len(failures)} fleets were not changed: {'; '.join(failures)}"
            raise AirflowException(msg)
        return [answer.as_json() for answer in known if not answer.failed] + [answer.as_json() for answer in again]

    def _tell(self, answer: Answer, more: str) -> None:
        tell = self.log.error if answer.failed else self.log.info
        tell("%s: %s (%s)", answer.reaction.fleet, answer.told, more)

    def _again(self, asked: list[Reaction], context: Context) -> list[Answer]:
        """Look at each group anew, and answer; a fleet whose file is gone is not looked at."""
        from predictive_scaling.answering import Answer, answer_all, looked_at
        from predictive_scaling.around import around
        from predictive_scaling.errors import PredictiveScalingError
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.reaction import Watched
        from predictive_scaling.settings import Settings
        from predictive_scaling.task_run import task_run

        settings = Settings.from_airflow()
        fleets = {spec.name: spec for spec in read_fleets(settings.fleets_folder).fleets}
        means = around(task_run(context), settings, tuple(fleets.values()))
        watched, blind, now = {}, [], datetime.now(UTC)
        for reaction in asked:
            if spec := fleets.get(reaction.fleet):
                try:
                    watched[spec.name] = Watched(spec=spec, group=looked_at(spec, means, now))
                except PredictiveScalingError as error:
                    blind.append(Answer(reaction=reaction, told=str(error), failed=True))
        seen = [reaction for reaction in asked if reaction.fleet in watched]
        return [*blind, *answer_all(seen, watched, means, now=now)]


def _newest(context: Context) -> list[Answer]:
    """Read the events behind the run; of several about one fleet the last counts."""
    from predictive_scaling.answering import Answer

    events = [event for group in context["triggering_asset_events"].values() for event in group]
    read = [Answer.from_json(row) for event in events for row in event.extra["payload"]["reactions"]]
    newest = {each.reaction.fleet: each for each in sorted(read, key=lambda each: each.reaction.decided_at)}
    return list(newest.values())
