"""`diff`: what changed from one plan to the next, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, tables
from forecasting.errors import InvalidPlan
from forecasting.plan import Plan
from forecasting.plan_changes import Change, changes

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("diff", help="show what changed from one plan to the next, and why")
    parser.add_argument("old", metavar="OLD.json", help="what `plan --json` printed")
    parser.add_argument("new", metavar="NEW.json")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Read both plans and show the differences."""
    old, new = _read(given.old), _read(given.new)
    found = changes(old, new)
    if given.json:
        data = [_as_json(change) for change in found]
        tables.write_json({"old": old.plan_id, "new": new.plan_id, "changes": data})
    elif found:
        rows = [[_time(change), str(change.before), str(change.after), change.reason] for change in found]
        tables.show(["time", "before", "after", "why"], rows, words=4)
    else:
        tables.write(f"the capacities of {old.plan_id} and {new.plan_id} are the same from {new.start.isoformat()} on")


def _read(path: str) -> Plan:
    with options.naming(path):
        try:
            return Plan.from_json(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            msg = f"cannot be read ({error.strerror}): give the path of a plan"
            raise InvalidPlan(msg) from error
        except UnicodeDecodeError as error:
            msg = f"is not text in UTF-8 ({error}): give what `plan --json` printed"
            raise InvalidPlan(msg) from error


def _time(change: Change) -> str:
    until = f"{change.end:%a %d %b %H:%M}" if change.end else "on"
    return f"{change.start:%a %d %b %H:%M} - {until} UTC"


def _as_json(change: Change) -> dict[str, Any]:
    return {
        "start": change.start.isoformat(),
        "end": change.end.isoformat() if change.end else None,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
    }
