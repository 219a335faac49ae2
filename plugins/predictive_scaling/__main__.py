"""`predictive-scaling`: ledger, fleet files and groups from a shell, beside Airflow's own command."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

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
    try:
        options = _parser().parse_args(arguments)
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


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating the usage."""

    def error(self, message: str) -> NoReturn:
        """Leave with 2, the code of bad input."""
        self.exit(2, f"error: {message}; see {self.prog} --help\n")


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        msg = f"{text!r} is not a whole number of at least 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="predictive-scaling", description="Look at predictive scaling from a shell.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ledger = commands.add_parser("ledger", help="list what happened to the fleets, newest first")
    ledger.add_argument("--fleet", help="only this fleet")
    ledger.add_argument("--limit", type=_positive, default=30, help="how many events (default 30)")
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
    from predictive_scaling.fleet_folder import fleets_at_hand
    from predictive_scaling.schedule import counted
    from predictive_scaling.settings import Settings

    folder = fleets_at_hand(Settings.from_airflow().fleets_folder)
    for problem in folder.problems:
        print(problem, file=sys.stderr)  # noqa: T201 - the command's output
    names = ", ".join(fleet.name for fleet in folder.fleets)
    print(f"{counted(folder.fleets, 'good fleet')}: {names or 'none'}")  # noqa: T201 - the command's output
    return 2 if folder.problems else 0


def _check_groups(options: argparse.Namespace) -> int:
    from contextlib import redirect_stdout
    from dataclasses import asdict
    from datetime import UTC, datetime

    from predictive_scaling.fleet_check import check_fleets
    from predictive_scaling.settings import Settings

    names = [options.fleet] if options.fleet else []
    with redirect_stdout(sys.stderr):  # Airflow's connections log to stdout, which is for the answer alone
        found = list(check_fleets(names, Settings.from_airflow(), now=datetime.now(UTC)))
    for problem in [each for each in found if each.problem]:
        print("\n".join(problem.lines()), file=sys.stderr)  # noqa: T201 - the command's output
    told = [each for each in found if not each.problem]
    if options.json:
        print(json.dumps({each.name: [asdict(flaw) for flaw in each.flaws] for each in told}, indent=2))  # noqa: T201 - the command's output
    else:
        print("\n".join(line for each in told for line in each.lines()))  # noqa: T201 - the command's output
    if any(each.problem for each in found):
        return 2
    return int(any(each.grave for each in found))


def _schema(_options: argparse.Namespace) -> int:
    from predictive_scaling.fleet_file import fleet_schema

    print(json.dumps(fleet_schema(), indent=2))  # noqa: T201 - the command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
