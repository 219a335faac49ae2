"""Tables, progress and plain lines on a terminal."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Item = TypeVar("Item")


def write(line: str) -> None:
    """Print one line on stdout."""
    sys.stdout.write(f"{line}\n")


def write_json(data: object) -> None:
    """Print one JSON object on stdout; what could not be computed is null, for JSON knows no NaN."""
    write(json.dumps(_finite(data), allow_nan=False))


def figure(value: float, how: str) -> str:
    """Show a number, and a dash where it could not be computed."""
    return format(value, how) if math.isfinite(value) else "-"


def show(header: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1) -> None:
    """Print a table; all columns but the first `words` are numbers and stand on the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index < words else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160, highlight=False, markup=False).print(table)


def progress(items: Iterable[Item], total: int, *, doing: str) -> Iterable[Item]:
    """Show a bar on stderr while a terminal is watching."""
    if not sys.stderr.isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, total=total, description=doing, console=Console(stderr=True), transient=True)


def _finite(data: object) -> object:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data
