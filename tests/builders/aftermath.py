"""What must hold after any trouble: nothing open, no raise without an end, nothing done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from by_hand import the_fleet

from predictive_scaling.follow import is_conclusion
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    import sandbox
    from predictive_scaling.ledger.records import Event
    from predictive_scaling.ledger.store import SqlLedger


def assert_every_intent_has_one_certain_outcome(ledger: SqlLedger) -> None:
    """Nothing is open, and nothing that was intended is without an end."""
    waiting: set[str | None] = set()
    for event in sorted(ledger.events(fleet="web", limit=1000), key=lambda event: event.id or 0):
        if event.kind is EventKind.INTENT:
            assert event.call not in waiting, "an intent was repeated before it was answered"
            waiting.add(event.call)
        elif event.kind in {EventKind.APPLIED, EventKind.FAILED} and event.call:
            waiting.remove(event.call)
    assert waiting == set()
    assert ledger.open_operation("web") is None


def assert_nothing_is_left(ledger: SqlLedger) -> None:
    """No open operation, no intent without one certain outcome, no raise that nobody followed to its end."""
    assert_every_intent_has_one_certain_outcome(ledger)
    assert raises_without_an_end(ledger) == []


def raises_without_an_end(ledger: SqlLedger) -> list[str]:
    """Give the operations that raised desired and of which the ledger does not tell how it ended."""
    events = ledger.events(fleet="web", limit=1000)
    ended = {event.operation_id for event in events if is_conclusion(event)}
    return [str(event.operation_id) for event in events if _is_applied_raise(event) and event.operation_id not in ended]


def launches_and_ends(cloud: sandbox.Cloud) -> tuple[int, int]:
    """Count what the group really did: instances launched and instances ended."""
    told = [activity.description.split()[0] for activity in the_fleet(cloud).activities()]
    return told.count("Launching"), told.count("Terminating")


def _is_applied_raise(event: Event) -> bool:
    return event.kind is EventKind.APPLIED and (event.call or "").startswith("resize up to")
