"""All fleets there are: the good ones to work with, and what is wrong with the others.

A fleet is a file of the folder or an autoscaler made through the API; underneath they are the same, and where both name
one fleet, or one group, the file wins. One bad file must not stop the other fleets, and must not pass unseen either:
its fleet is left alone, and the check task of `pull_metrics` fails with its name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from predictive_scaling.errors import (
    InvalidFleet,
    InvalidSetting,
    LedgerUnavailable,
    LedgerUnreachable,
    PredictiveScalingError,
)
from predictive_scaling.fleet_file import read_fleet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.autoscalers import StoredAutoscaler


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFolder:
    """What a folder of fleet files holds, and what was made through the API beside it."""

    fleets: tuple[FleetSpec, ...]
    problems: tuple[str, ...]


def read_fleets(folder: str | Path) -> FleetFolder:
    """Give the fleets of the folder, and those made through the API; raises LedgerUnreachable.

    Who changes fleets must know them all, and is tried again when the ledger answers.
    """
    files = read_folder(folder)
    try:
        return joined(files, _autoscalers())
    except LedgerUnavailable as error:
        return _alone(files, error)


def fleets_at_hand(folder: str | Path) -> FleetFolder:
    """Give the fleets that can be known now, to who only measures: those of the folder whatever the ledger does."""
    return with_autoscalers(read_folder(folder))


def with_autoscalers(files: FleetFolder) -> FleetFolder:
    """Put those made through the API beside the files, as long as the ledger that keeps them answers."""
    try:
        return joined(files, _autoscalers())
    except (LedgerUnavailable, LedgerUnreachable) as error:
        return _alone(files, error)


def _alone(files: FleetFolder, error: PredictiveScalingError) -> FleetFolder:
    return FleetFolder(fleets=files.fleets, problems=(*files.problems, f"autoscalers are left alone: {error}"))


def read_folder(folder: str | Path) -> FleetFolder:
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


def joined(files: FleetFolder, autoscalers: Iterable[StoredAutoscaler]) -> FleetFolder:
    """Put autoscalers beside the files; one that cannot be, or need not be, is named among the problems."""
    fleets, problems = list(files.fleets), list(files.problems)
    for stored in autoscalers:
        try:
            spec = spec_of(stored)
        except InvalidFleet as error:
            problems.append(str(error))
            continue
        if why := overruled(spec, fleets):
            problems.append(f"autoscaler {stored.name} is left alone: {why}")
        else:
            fleets.append(spec)
    return FleetFolder(fleets=tuple(fleets), problems=tuple(problems))


def spec_of(stored: StoredAutoscaler) -> FleetSpec:
    """Give the fleet that was asked for."""
    from pydantic import ValidationError

    from predictive_scaling.autoscaler import Autoscaler

    try:
        return Autoscaler.model_validate(stored.asked).spec()
    except ValidationError as error:
        told = "; ".join(each["msg"] for each in error.errors())
        msg = f"autoscaler {stored.name}: cannot be read any more ({told}): delete it and make it anew"
        raise InvalidFleet(msg) from error


def overruled(spec: FleetSpec, fleets: Sequence[FleetSpec]) -> str:
    """Say which of these fleets goes before a new one; empty when none does."""
    for other in fleets:
        if other.name == spec.name:
            return f"fleet {spec.name!r} has a file, which wins: delete the one, or give it another name"
        if _moved(other) == _moved(spec):
            return f"group {spec.group!r} is moved by fleet {other.name!r} already: one fleet a group"
    return ""


def named(name: str, fleets: Sequence[FleetSpec]) -> FleetSpec:
    """Find a fleet by its name, or name those there are."""
    known = {fleet.name: fleet for fleet in fleets}
    if name not in known:
        choice = ", ".join(sorted(known)) or "none, for the folder has no good file"
        msg = f"there is no fleet {name!r}: choose one of {choice}"
        raise InvalidFleet(msg)
    return known[name]


def once_named(name: str, fleets: Sequence[FleetSpec]) -> FleetSpec:
    """Find the fleet of something in the ledger; without its file nobody knows where its group is."""
    if name not in {fleet.name for fleet in fleets}:
        msg = (
            f"fleet {name!r} has no usable file any more: put back the one it had, or give a renamed fleet this name "
            "again, with the group it had, and do this again; after the next apply_plans it may go"
        )
        raise InvalidFleet(msg)
    return named(name, fleets)


def _autoscalers() -> Sequence[StoredAutoscaler]:
    """Read them as a task does; without a connection to the ledger there can be none."""
    from sqlalchemy.exc import SQLAlchemyError

    from predictive_scaling.ledger.autoscalers import SqlAutoscalers
    from predictive_scaling.ledger.connection import CONNECTION, first_line

    if not _has_connection(CONNECTION):
        return ()
    try:
        return SqlAutoscalers.from_connection().all()
    except SQLAlchemyError as error:
        why = first_line(error)
        msg = f"scaling_autoscaler could not be read through {CONNECTION!r} ({why}): run `airflow db migrate`"
        raise LedgerUnavailable(msg) from error


def _has_connection(conn_id: str) -> bool:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return bool(Connection.get(conn_id))
    except AirflowNotFoundException:
        return False


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
