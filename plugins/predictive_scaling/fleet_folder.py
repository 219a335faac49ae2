"""All fleets of a folder: the good ones to work with, and what is wrong with the others.

One bad file must not stop the other fleets, and must not pass unseen either: its fleet is left alone, and the check
task of `pull_metrics` fails with its name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from predictive_scaling.errors import InvalidFleet, InvalidSetting
from predictive_scaling.fleet_file import read_fleet

if TYPE_CHECKING:
    from predictive_scaling.fleet_spec import FleetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFolder:
    """What a folder of fleet files holds."""

    fleets: tuple[FleetSpec, ...]
    problems: tuple[str, ...]


def read_fleets(folder: str | Path) -> FleetFolder:
    """Read every `*.yaml` and `*.yml` file of the folder."""
    place = Path(folder)
    if not place.is_dir():
        msg = f"fleets_folder {str(place)!r} is no folder: create it, or set [predictive_scaling] fleets_folder"
        raise InvalidSetting(msg)
    fleets: list[tuple[str, FleetSpec]] = []
    problems: list[str] = []
    for path in sorted(file for file in place.iterdir() if file.suffix in {".yaml", ".yml"}):
        try:
            fleets.append((path.name, read_fleet(path)))
        except InvalidFleet as error:
            problems.append(str(error))
    clashes = _clashes(fleets)
    return FleetFolder(
        fleets=tuple(fleet for file, fleet in fleets if file not in clashes),
        problems=(*problems, *clashes.values()),
    )


def _clashes(fleets: list[tuple[str, FleetSpec]]) -> dict[str, str]:
    """Find the files that name the same fleet, or move the same group; none of them may act."""
    names = Counter(fleet.name for _, fleet in fleets)
    groups = Counter(_moved(fleet) for _, fleet in fleets)
    found: dict[str, str] = {}
    for file, fleet in fleets:
        if names[fleet.name] > 1:
            others = ", ".join(name for name, other in fleets if other.name == fleet.name and name != file)
            found[file] = f"{file}: name: {fleet.name!r} is also the name in {others}: give each fleet its own"
        elif groups[_moved(fleet)] > 1:
            others = ", ".join(name for name, other in fleets if _moved(other) == _moved(fleet) and name != file)
            found[file] = f"{file}: group: {fleet.group!r} is also moved by {others}: one fleet a group"
    return found


def _moved(fleet: FleetSpec) -> tuple[str, str | None, str]:
    return fleet.connection, fleet.region, fleet.group
