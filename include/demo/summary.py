"""What a person sees of a cycle: one row a fleet."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from demo.airflow_api import AirflowApi
    from demo.cycle import Cycle


def summary_table(cycle: Cycle, airflow: AirflowApi) -> Table:
    """Lay out the fleets: forecast peak, what was written, and the next step with its reason."""
    table = Table(title=f"One cycle: {len(cycle.tasks)} tasks, {cycle.seconds:.0f} s, {airflow.url}")
    for column in ("fleet", "forecast peak", "steps", "written", "next step", "why"):
        table.add_column(column, overflow="fold")
    for row in cycle.rows:
        table.add_row(
            row["fleet"],
            _peak(row),
            str(row["steps"]),
            _written(row),
            _next(row),
            row["next"]["reason"] if row["next"] else "",
        )
    return table


def _peak(row: dict[str, Any]) -> str:
    peak = row["peak"]
    return f"{peak['demand']:,.0f} at {_clock(peak['at'])}"


def _written(row: dict[str, Any]) -> str:
    return str(row["written"]) if row["written"] else f"0 ({row['reason'].split(':')[0]})"


def _next(row: dict[str, Any]) -> str:
    return f"{_clock(row['next']['at'])} -> {row['next']['capacity']}" if row["next"] else "none"


def _clock(text: str) -> str:
    return f"{datetime.fromisoformat(text):%a %H:%M} UTC"
