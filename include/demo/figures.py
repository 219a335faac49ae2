"""How well capacity followed a simulated load: pure functions of the minutes that were lived through.

A size is read at the end of a minute, so what came in between is told by its bound: within, or at least.
"""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.load_simulation import Minute


def figures(lived: Sequence[Minute]) -> list[str]:
    """Give reaction, stability, accuracy, and for how long the need was low before anything was taken away."""
    return [
        f"reaction:  {_reaction(lived)}",
        f"stability: {_stability(lived)}",
        f"accuracy:  {_accuracy(lived)}",
        f"window:    {_window(lived)}",
    ]


def _reaction(lived: Sequence[Minute]) -> str:
    first = next((minute for minute in lived if minute.needed > minute.wanted), None)
    if first is None:
        return "never were more needed than were wanted"
    rest = lived[first.number :]
    asked = next((each for each in rest if each.wanted > first.wanted), None)
    enough = next((each for each in rest if each.in_service >= each.needed), None)
    words = ("more were wanted", asked), ("enough were in service", enough)
    return f"from minute {first.number} on more were needed; " + "; ".join(
        f"{what} within {each.number - first.number + 1} min" if each else f"NEVER: {what}" for what, each in words
    )


def _stability(lived: Sequence[Minute]) -> str:
    changes = [after.wanted - before.wanted for before, after in pairwise(lived) if after.wanted != before.wanted]
    ups = sum(change > 0 for change in changes)
    turns = sum((one > 0) != (other > 0) for one, other in pairwise(changes))
    return f"{ups} up, {len(changes) - ups} down; turns: {turns}"


def _accuracy(lived: Sequence[Minute]) -> str:
    most = sum(minute.needed for minute in lived)
    lacking = sum(max(minute.needed - minute.in_service, 0) for minute in lived)
    idle = sum(max(minute.in_service - minute.needed, 0) for minute in lived)
    return f"of the instance-minutes needed {lacking / most:.0%} were missing, and {idle / most:.0%} idle beside them"


def _window(lived: Sequence[Minute]) -> str:
    """A lowering lies between two readings: by the first of them the need had been low for so long."""
    steps = enumerate(pairwise(lived), start=1)
    lows = [_low_before(lived[:at], after.wanted) for at, (before, after) in steps if after.wanted < before.wanted]
    return f"the need had been low for at least {min(lows)} min before a lowering" if lows else "nothing was lowered"


def _low_before(lived: Sequence[Minute], size: int) -> int:
    return sum(1 for _ in takewhile(lambda minute: minute.needed <= size, reversed(lived)))
