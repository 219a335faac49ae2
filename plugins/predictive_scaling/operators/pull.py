"""Operators that cut the fleets into shards and pull each shard's metric history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from predictive_scaling.assets import METRIC_HISTORY
from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


PATIENCE: Final = timedelta(minutes=10)
"""How long a pull waits for a source, well within the task's time: what the others gave has to be stored in it too."""


class ListShardsOperator(BaseOperator):
    """Read the fleet files and give the keys of the shards to work on."""

    @mended_by_a_person()
    def execute(self, context: Context) -> list[str]:  # noqa: ARG002 - Airflow's signature
        """Give keys such as 1-of-3; a bad file is left out here, and named by CheckPullOperator."""
        from predictive_scaling.fleet_folder import fleets_at_hand
        from predictive_scaling.fleet_spec import shards_of
        from predictive_scaling.schedule import counted
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        folder = fleets_at_hand(settings.fleets_folder)
        shards = shards_of(folder.fleets, fleets_per_shard=settings.fleets_per_shard)
        self.log.info(
            "%s in %s, cut into %s of at most %d; %s cannot be used",
            counted(folder.fleets, "fleet"),
            settings.fleets_folder,
            counted(shards, "shard"),
            settings.fleets_per_shard,
            counted(folder.problems, "file"),
        )
        return [str(shard) for shard in shards]


class PullMetricsOperator(BaseOperator):
    """Bring the stored history of one shard's fleets up to now."""

    template_fields: Sequence[str] = ("shard",)

    def __init__(self, *, shard: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:
        """Pull, and announce the shard's history; fail only when not one fleet could be pulled."""
        from predictive_scaling.fleet_folder import fleets_at_hand
        from predictive_scaling.fleet_spec import Shard, each_load, in_shard
        from predictive_scaling.pull import pull
        from predictive_scaling.settings import Settings
        from predictive_scaling.sources.routed import RoutedSource, shipped_sources
        from predictive_scaling.storage import Storage

        settings = Settings.from_airflow()
        fleets = each_load(in_shard(fleets_at_hand(settings.fleets_folder).fleets, Shard.parse(self.shard)))
        source = RoutedSource(shipped_sources(), patience=PATIENCE)
        pulled = pull(fleets, source, Storage.at(settings.storage), now=datetime.now(UTC))
        for each in pulled:
            (self.log.warning if each.problem or each.remark else self.log.info)("%s", each)
        problems = [str(each) for each in pulled if each.problem]
        if fleets and len(problems) == len(fleets):
            msg = f"not one of the {len(fleets)} fleets of shard {self.shard} could be pulled. {problems[0]}"
            raise AirflowException(msg)
        context["outlet_events"][METRIC_HISTORY].add_partitions(self.shard)
        return {"shard": self.shard, "pulled": len(pulled) - len(problems), "problems": problems}


class CheckPullOperator(BaseOperator):
    """Fail, once the good fleets have been served, with the name of every file, shard and fleet that could not be."""

    template_fields: Sequence[str] = ("shards", "pulled")

    def __init__(self, *, shards: Any, pulled: Any, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": "all_done", "retries": 0, **kwargs})
        self.shards = shards
        self.pulled = pulled

    @mended_by_a_person()
    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Gather the problems of files and shards; a shard that told nothing has failed as a whole."""
        from predictive_scaling.fleet_folder import fleets_at_hand
        from predictive_scaling.settings import Settings

        files = fleets_at_hand(Settings.from_airflow().fleets_folder).problems
        told = {shard["shard"]: shard["problems"] for shard in self.pulled or () if shard}
        silent = [f"shard {shard}: the log of its pull says why" for shard in self.shards or () if shard not in told]
        if self.shards is None:
            silent = ["all shards: the log of list_shards says why"]
        fleets = [problem for problems in told.values() for problem in problems]
        problems = (*files, *silent, *fleets)
        for problem in problems:
            self.log.error("%s", problem)
        if problems:
            counts = f"{len(files)} fleet files, {len(silent)} shards and {len(fleets)} fleets"
            msg = f"{counts} need a person: {'; '.join(problems)}"
            raise AirflowFailException(msg)
        self.log.info("every fleet file is good and every fleet was pulled")
