"""`predictive-scaling`: ledger, fleet files and groups from a shell, beside Airflow's own command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from predictive_scaling.errors import PredictiveScalingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from predictive_scaling.ledger.records import Event

PIPE_WIDTH: Final = 220
"""Columns when nobody's terminal says how many there are."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 for input a person can mend."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, `head` for one, has seen enough; Python must not complain about it at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except PredictiveScalingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's output
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="predictive-scaling", description="Look at predictive scaling from a shell.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ledger = commands.add_parser("ledger", help="list what happened to the fleets, newest first")
    ledger.add_argument("--fleet", help="only this fleet")
    ledger.add_argument("--limit", type=int, default=30, help="how many events (default 30)")
    ledger.add_argument("--json", action="store_true", help="print JSON, whole events")
    ledger.set_defaults(run=_ledger)
    check = commands.add_parser("check", help="check every fleet file")
    check.set_defaults(run=_check)
    fleets = commands.add_parser("fleets", help="look at the groups of the fleets; changes nothing")
    looks = fleets.add_subparsers(required=True, metavar="LOOK")
    look = looks.add_parser("check", help="quotas, sizes, timeouts, hooks, other owners: what to mend, exit 1 if grave")
    look.add_argument("--fleet", help="only this fleet")
    look.add_argument("--json", action="store_true", help="print JSON")
    look.set_defaults(run=_check_groups)
    schema = commands.add_parser("schema", help="print the JSON schema of a fleet file")
    schema.set_defaults(run=_schema)
    return parser


def _ledger(options: argparse.Namespace) -> int:
    from predictive_scaling.ledger.store import SqlLedger

    ledger = SqlLedger.from_connection()
    ledger.check()
    events = ledger.events(fleet=options.fleet, limit=options.limit)
    if options.json:
        print(json.dumps([_as_json(event) for event in events], indent=2))  # noqa: T201 - the command's output
    else:
        width = None if sys.stdout.isatty() else PIPE_WIDTH
        Console(width=width).print(_table(events))
    return 0


def _table(events: Sequence[Event]) -> Table:
    table = Table(box=None, header_style="bold")
    for column in ("at (UTC)", "fleet", "event", "call", "by", "reason"):
        table.add_column(column, overflow="fold")
    for event in events:
        at = f"{event.at:%Y-%m-%d %H:%M:%S}" if event.at else ""
        reason = f"{event.reason} ({event.error})" if event.error else event.reason
        table.add_row(at, event.fleet, event.kind.value, event.call or "", event.by.actor, reason)
    return table


def _as_json(event: Event) -> dict[str, object]:
    import dataclasses

    return {**dataclasses.asdict(event), "at": event.at.isoformat() if event.at else None}


def _check(_options: argparse.Namespace) -> int:
    from predictive_scaling.fleet_folder import read_fleets
    from predictive_scaling.settings import Settings

    folder = read_fleets(Settings.from_airflow().fleets_folder)
    for problem in folder.problems:
        print(problem, file=sys.stderr)  # noqa: T201 - the command's output
    names = ", ".join(fleet.name for fleet in folder.fleets)
    print(f"{len(folder.fleets)} good fleets: {names or 'none'}")  # noqa: T201 - the command's output
    return 2 if folder.problems else 0


def _check_groups(options: argparse.Namespace) -> int:
    from contextlib import redirect_stdout
    from dataclasses import asdict
    from datetime import UTC, datetime

    from predictive_scaling.checks import lines_of
    from predictive_scaling.fleet_check import check_fleet, reach_of
    from predictive_scaling.fleet_folder import read_fleets
    from predictive_scaling.operators.one_fleet import named
    from predictive_scaling.settings import Settings

    settings = Settings.from_airflow()
    known = read_fleets(settings.fleets_folder).fleets
    chosen = [named(options.fleet, known)] if options.fleet else known
    with redirect_stdout(sys.stderr):  # Airflow's connections log to stdout, which is for the answer alone
        found = {spec.name: check_fleet(spec, reach_of(spec), settings, now=datetime.now(UTC)) for spec in chosen}
    if options.json:
        print(json.dumps({name: [asdict(flaw) for flaw in flaws] for name, flaws in found.items()}, indent=2))  # noqa: T201 - the command's output
    else:
        for name, flaws in found.items():
            print("\n".join(lines_of(name, flaws)))  # noqa: T201 - the command's output
    return int(any(flaw.grave for flaws in found.values() for flaw in flaws))


def _schema(_options: argparse.Namespace) -> int:
    from predictive_scaling.fleet_file import fleet_schema

    print(json.dumps(fleet_schema(), indent=2))  # noqa: T201 - the command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
