"""Tables, progress and plain lines on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Item = TypeVar("Item")


def write(line: str) -> None:
    """Print one line on stdout."""
    sys.stdout.write(f"{line}\n")


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
