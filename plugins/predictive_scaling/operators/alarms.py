"""The operator that keeps the alarms which wake the watch as the fleet files say."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec


class EnsureAlarmsOperator(BaseOperator):
    """Give each fleet with `reaction:` or `burst:` its alarm; make topic and queue too, unless a topic is given."""

    template_fields: Sequence[str] = ("topic", "only_plan")

    def __init__(self, *, topic: str = "", only_plan: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.only_plan = only_plan

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002 - Airflow's signature
        """Plan account after account, tell it, and apply it unless this is a dry run."""
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        dry = settings.dry_run or str(self.only_plan).lower() == "true"
        folder = read_fleets(settings.fleets_folder)
        for problem in folder.problems:
            self.log.warning("no alarm is deleted while a fleet file is bad: %s", problem)
        parts = [list(part) for _, part in groupby(sorted(folder.fleets, key=_place), _place)]
        prefix, whole = settings.action_prefix, not folder.problems
        rows = [row for part in parts for row in self._ensure(part, prefix, dry=dry, whole=whole)]
        if refused := [row["refused"] for row in rows if "refused" in row]:
            msg = f"{len(refused)} alarms could not be written, all others were: {'; '.join(refused)}"
            raise AirflowException(msg)
        return rows

    def _ensure(self, specs: list[FleetSpec], prefix: str, *, dry: bool, whole: bool) -> list[dict[str, str]]:
        from predictive_scaling.alarms import apply_changes, changes, wanted_alarms
        from predictive_scaling.aws_client import client

        cloudwatch = client("cloudwatch", connection=specs[0].connection, region=specs[0].region)
        ringing = any(spec.reaction or spec.burst for spec in specs)
        topic = self.topic or (self._bell(specs[0], f"{prefix}-load-alarms", dry=dry) if ringing else "")
        if not ringing:
            told = "no fleet of connection %r has `reaction:` or `burst:` in its file: no alarm is wanted"
            self.log.info(told, specs[0].connection)
        wanted, none = wanted_alarms(specs, prefix, topic)
        for fleet, why in none.items():
            self.log.warning("%s: %s", fleet, why)
        planned = [change for change in changes(cloudwatch, prefix, wanted) if whole or change.verb != "delete"]
        for change in planned:
            self.log.info("%s%s", "would " if dry and change.verb != "keep" else "", change)
        refused = {} if dry else apply_changes(cloudwatch, planned)
        return [
            {"alarm": each.name, "change": each.verb, "written": str(not dry).lower()}
            | ({"refused": refused[each.name]} if each.name in refused else {})
            for each in planned
        ]

    def _bell(self, spec: FleetSpec, name: str, *, dry: bool) -> str:
        """Give the topic; of one that is not made in a dry run, what stands in its place."""
        from predictive_scaling.alarms import make_bell
        from predictive_scaling.aws_client import client
        from predictive_scaling.settings import watch

        if dry:
            self.log.info("would make sure of topic and queue %s", name)
            return name
        sns, sqs = (client(service, connection=spec.connection, region=spec.region) for service in ("sns", "sqs"))
        bell = make_bell(sns, sqs, name, shards=watch().shards)
        told = "alarms ring at %s: set [predictive_scaling] alarm_queues = %s and alarm_connection = %s"
        self.log.info(told, bell.topic, " ".join(bell.queues), spec.connection)
        return bell.topic


def _place(spec: FleetSpec) -> tuple[str, str]:
    return spec.connection, spec.region or ""
