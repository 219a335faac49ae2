"""How often a fleet was made larger and smaller lately, by what we wrote and AWS has carried out since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from predictive_scaling.ledger.records import EventKind
from predictive_scaling.ownership import moves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.ledger.records import Event

_SIZES = ("min", "desired")


@dataclass(frozen=True, slots=True)
class Tally:
    """Raises and lowerings of the floor or of the desired capacity."""

    ups: int = 0
    downs: int = 0


def tally(events: Sequence[Event], *, since: datetime, now: datetime) -> Tally:
    """Count the changes in a window.

    A change at once tells what it found; a scheduled one changes what the one before it left, and is not counted where
    that is not known.
    """
    found = {event.at: _sizes(event.before) for event in events if event.kind is EventKind.APPLIED}
    known: dict[str, int] = {}
    ups = downs = 0
    for move in sorted(moves(events), key=lambda move: move.at):
        if move.at > now:
            continue
        known |= {} if move.name else found.get(move.at, {})
        given = _sizes(move.sizes)
        change = sum(size - known[name] for name, size in given.items() if name in known)
        known |= given
        ups += change > 0 and move.at >= since
        downs += change < 0 and move.at >= since
    return Tally(ups, downs)


def _sizes(state: Mapping[str, Any] | None) -> dict[str, int]:
    return {name: state[name] for name in _SIZES if state.get(name) is not None} if state else {}
