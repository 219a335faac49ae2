"""Looking at every fleet that we react for: its load and its group, a few calls for all of them together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from predictive_scaling.aws_client import client, reading
from predictive_scaling.fleet_folder import FleetFolder, read_folder, with_autoscalers
from predictive_scaling.fleet_spec import Shard, each_load, in_shard
from predictive_scaling.fleets import aws_answers
from predictive_scaling.lookbook import Lookbook
from predictive_scaling.reaction import Memory, Reaction, Sight, Watched, kept, reactions
from predictive_scaling.rise import Rises
from predictive_scaling.sources.routed import RoutedSource, shipped_sources
from predictive_scaling.sources.side_by_side import SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.outlook import Outlooks
    from predictive_scaling.sources import Latest, Seen, Source

_Place: TypeAlias = tuple[str, str | None]
"""A connection and a region."""
_Groups: TypeAlias = "tuple[dict[str, Observed], dict[str, str]]"
"""Groups by their fleets' names, and why others could not be described."""
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
    book: Lookbook = field(default_factory=Lookbook)
    rises: Rises = field(default_factory=Rises)
    fleets: tuple[FleetSpec, ...] = ()
    outlooks: Outlooks | None = None
    _known: tuple[object, FleetFolder] = (None, FleetFolder(fleets=(), problems=()))
    _problems: tuple[str, ...] = ()
    _describing: SideBySide[_Place, _Groups] = field(default_factory=SideBySide)

    def look(self, now: datetime) -> tuple[list[Reaction], list[str]]:
        """Give the changes that the load asks for, and a line for each fleet and file about which there is news."""
        folder = self._read()
        self.fleets, before = folder.fleets, self._problems
        self._problems = folder.problems
        fleets = tuple(each for each in in_shard(self.fleets, self.shard) if each.reaction is not None)
        self.memory.forget_all_but(fleet.name for fleet in fleets)
        told = dict(self.memory.told)
        latest = self.source.latest(each_load(fleets), now=now)
        ahead = self.outlooks.ahead(fleets, latest.fully_seen, now=now) if self.outlooks else {}
        # Last, for what is written is written to the group as it is seen here.
        groups, out_of_reach = self._groups(fleets, now)
        self.watched = {
            fleet.name: Watched(
                spec=fleet,
                group=groups[fleet.name],
                sights=tuple(sight for load in fleet.loads for sight in _sights(load, latest, groups[fleet.name])),
                ahead=ahead.get(fleet.name),
            )
            for fleet in fleets
            if fleet.name in groups
        }
        watched = self.watched.values()
        asked = [*reactions(watched, self.memory, now), *kept(watched, self.memory, now)]
        self.memory.told |= out_of_reach
        news = [f"{name}: {line}" for name, line in self.memory.told.items() if told.get(name) != line]
        return asked, [*(f"not watched: {problem}" for problem in self._problems if problem not in before), *news]

    def _groups(self, fleets: Iterable[FleetSpec], now: datetime) -> _Groups:
        """Describe all groups, account beside account; what comes too late shows a group as it was, and is not used."""
        places = _by_place(fleets)
        questions = {place: partial(groups_of, members) for place, members in places.items()}
        found: dict[str, Observed] = {}
        problems: dict[str, str] = {}
        for place, asked in self._describing.ask(questions, now=now).items():
            if asked.at == now and asked.answer.done():
                found |= asked.answer.result()[0]
                problems |= asked.answer.result()[1]
            else:
                late = f"the groups of connection {place[0]!r} have not been described since {asked.at:%H:%M:%S} UTC"
                problems |= {fleet.name: f"{late}: trying again" for fleet in places[place]}
        return found, problems

    def _read(self) -> FleetFolder:
        """Read the files again only when one of them has changed; autoscalers are looked up every time."""
        stamps = sorted((path.name, _stamp(path)) for path in self.folder.iterdir())
        if self._known[0] != stamps:
            self._known = stamps, read_folder(self.folder)
        return with_autoscalers(self._known[1])


def _stamp(path: Path) -> int | None:
    """Tell when a file was changed; what an editor leaves beside it may be gone by now, or lead nowhere."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _sights(load: FleetSpec, latest: Latest, group: Observed) -> Iterator[Sight]:
    """Give what was seen of a load, and what was not: one that was seen in part gives both."""
    seen, problem = latest.seen.get(load.name), latest.problems.get(load.name, "")
    if seen is not None:
        yield Sight(load=load, seen=seen)
        problem = problem or _in_part(load, seen, group)
    elif not problem:
        problem = f"{load.metric.described} gave nothing of late: {load.metric.mend}"
    if problem:
        yield Sight(load=load, problem=problem)


def _in_part(load: FleetSpec, seen: Seen, group: Observed) -> str:
    """Say that some instances are silent: in a sum they would pass for idle ones."""
    if seen.instances is None or seen.instances >= group.in_service:
        return ""
    return f"{load.metric.described} was seen on {seen.instances} of {group.in_service} instances: {load.metric.mend}"


def groups_of(fleets: Iterable[FleetSpec]) -> _Groups:
    """Describe the groups, a hundred a call; those of a connection that fails are told, and cost no others."""
    found: dict[str, Observed] = {}
    problems: dict[str, str] = {}
    for (connection, region), members in _by_place(fleets).items():
        try:
            rows = _described([fleet.group for fleet in members], connection, region)
        except Exception as error:  # noqa: BLE001 - whatever one account trips over must not reach the fleets of others
            problems |= dict.fromkeys((fleet.name for fleet in members), str(error) or repr(error))
            continue
        for fleet in members:
            if fleet.group in rows:
                found[fleet.name] = rows[fleet.group]
            else:
                problems[fleet.name] = f"Auto Scaling group {fleet.group!r} does not exist: correct `group:`"
    return found, problems


def _by_place(fleets: Iterable[FleetSpec]) -> dict[_Place, list[FleetSpec]]:
    places: dict[_Place, list[FleetSpec]] = defaultdict(list)
    for fleet in fleets:
        places[fleet.connection, fleet.region].append(fleet)
    return places


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
