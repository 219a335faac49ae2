"""Looking at every fleet that we react for: its load and its group, a few calls for all of them together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.aws_client import client, reading
from predictive_scaling.errors import PredictiveScalingError
from predictive_scaling.fleet_folder import FleetFolder, read_folder, with_autoscalers
from predictive_scaling.fleet_spec import Shard, each_load, in_shard
from predictive_scaling.fleets import aws_answers
from predictive_scaling.reaction import Memory, Reaction, Sight, Watched, reactions
from predictive_scaling.sources.routed import RoutedSource, shipped_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.outlook import Outlooks
    from predictive_scaling.sources import Latest, Source

PAGE: Final = 100
"""Groups that one DescribeAutoScalingGroups gives."""


@dataclass(slots=True)
class Lookout:
    """Keeps what a look needs from the one before, and what the last one found.

    That is the fleet files, while none has changed, and the memory of what was asked for. `fleets` are those of all
    shards, for a budget knows none.
    """

    folder: Path
    shard: Shard
    source: Source = field(default_factory=lambda: RoutedSource(shipped_sources()))
    memory: Memory = field(default_factory=Memory)
    watched: dict[str, Watched] = field(default_factory=dict)
    fleets: tuple[FleetSpec, ...] = ()
    outlooks: Outlooks | None = None
    _known: tuple[object, FleetFolder] = (None, FleetFolder(fleets=(), problems=()))

    def look(self, now: datetime) -> tuple[list[Reaction], list[str]]:
        """Give the changes that the load asks for, and a line for each fleet about which there is news."""
        self.fleets = self._read()
        fleets = tuple(each for each in in_shard(self.fleets, self.shard) if each.reaction is not None)
        told = dict(self.memory.told)
        groups, out_of_reach = groups_of(fleets)
        latest = self.source.latest(each_load(fleet for fleet in fleets if fleet.name in groups), now=now)
        ahead = self.outlooks.ahead(fleets, latest.seen, now=now) if self.outlooks else {}
        self.watched = {
            fleet.name: Watched(
                spec=fleet,
                group=groups[fleet.name],
                sights=tuple(_sight(load, latest) for load in fleet.loads),
                ahead=ahead.get(fleet.name),
            )
            for fleet in fleets
            if fleet.name in groups
        }
        asked = list(reactions(self.watched.values(), self.memory, now))
        self.memory.told |= out_of_reach
        news = [f"{name}: {line}" for name, line in self.memory.told.items() if told.get(name) != line]
        return asked, news

    def _read(self) -> tuple[FleetSpec, ...]:
        """Read the files again only when one of them has changed; autoscalers are looked up every time."""
        stamps = sorted((path.name, path.stat().st_mtime_ns) for path in self.folder.iterdir())
        if self._known[0] != stamps:
            self._known = stamps, read_folder(self.folder)
        return with_autoscalers(self._known[1]).fleets


def _sight(load: FleetSpec, latest: Latest) -> Sight:
    return Sight(load=load, seen=latest.seen.get(load.name), problem=latest.problems.get(load.name, ""))


def groups_of(fleets: Iterable[FleetSpec]) -> tuple[dict[str, Observed], dict[str, str]]:
    """Describe the groups, a hundred a call; those of a connection that fails are told, and cost no others."""
    places: dict[tuple[str, str | None], list[FleetSpec]] = defaultdict(list)
    for fleet in fleets:
        places[fleet.connection, fleet.region].append(fleet)
    found: dict[str, Observed] = {}
    problems: dict[str, str] = {}
    for (connection, region), members in places.items():
        try:
            rows = _described([fleet.group for fleet in members], connection, region)
        except PredictiveScalingError as error:
            problems |= dict.fromkeys((fleet.name for fleet in members), str(error))
            continue
        for fleet in members:
            if fleet.group in rows:
                found[fleet.name] = rows[fleet.group]
            else:
                problems[fleet.name] = f"Auto Scaling group {fleet.group!r} does not exist: correct `group:`"
    return found, problems


def _described(groups: Sequence[str], connection: str, region: str | None) -> dict[str, Observed]:
    autoscaling: Any = client("autoscaling", connection=connection, region=region)
    rows: dict[str, Observed] = {}
    for at in range(0, len(groups), PAGE):
        with reading(f"describing {len(groups)} groups"):
            answer = autoscaling.describe_auto_scaling_groups(
                AutoScalingGroupNames=list(groups[at : at + PAGE]), MaxRecords=PAGE
            )
        for row in answer["AutoScalingGroups"]:
            rows[row["AutoScalingGroupName"]] = aws_answers.observed(row)
    return rows
