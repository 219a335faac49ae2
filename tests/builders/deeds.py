"""What is done by hand in the stories of death: each can be begun in one process and taken up in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from by_hand import WEB

from predictive_scaling.fleets import Sizes
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.raised import Fallback
from predictive_scaling.rollback import roll_back
from predictive_scaling.scale_in import Request, let_go
from predictive_scaling.scale_out import give_up, raise_desired
from predictive_scaling.set_capacity import set_capacity

if TYPE_CHECKING:
    from collections.abc import Callable

    from predictive_scaling.workplace import Workplace


def scale_out(at: Workplace) -> None:
    raise_desired(WEB, at, 2, "a sale")


def scale_out_and_give_up(at: Workplace) -> None:
    raised = raise_desired(WEB, at, 2, "a sale")
    give_up(raised, Fallback.ROLLBACK, "they did not come", at)


def scale_in(at: Workplace) -> None:
    let_go(Request(amount=2, reason="it is over"), at)


def set_sizes(at: Workplace) -> None:
    set_capacity(WEB, at, Sizes(min_size=3, desired=6), "a test")


def undo(at: Workplace) -> None:
    """Roll back the first operation there was."""
    first = min(at.ledger.events(fleet="web", limit=1000), key=lambda event: event.id or 0)
    assert first.kind is EventKind.INTENT
    roll_back(first, at, "a mistake")


DEEDS: Final[dict[str, Callable[[Workplace], None]]] = {
    "scale_out": scale_out,
    "give_up": scale_out_and_give_up,
    "scale_in": scale_in,
    "set_capacity": set_sizes,
    "roll_back": undo,
}
