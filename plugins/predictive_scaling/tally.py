"""How often a fleet was made larger and smaller lately, by what we wrote and AWS has carried out since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from predictive_scaling.ownership import moves

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from predictive_scaling.ledger.records import Event

_SIZES = ("min", "desired")


@dataclass(frozen=True, slots=True)
class Tally:
    """Raises and lowerings of the floor or of the desired capacity."""

    ups: int = 0
    downs: int = 0


def tally(events: Sequence[Event], *, since: datetime, now: datetime) -> Tally:
    """Count the changes in a window; one whose size before is not known, as it is the first of all, is not counted."""
    known: dict[str, int] = {}
    ups = downs = 0
    for move in sorted(moves(events), key=lambda move: move.at):
        if move.at > now:
            continue
        given = {name: move.sizes[name] for name in _SIZES if move.sizes.get(name) is not None}
        change = sum(size - known[name] for name, size in given.items() if name in known)
        known |= given
        ups += change > 0 and move.at >= since
        downs += change < 0 and move.at >= since
    return Tally(ups, downs)
