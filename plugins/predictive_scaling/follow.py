"""The end of a story: what a wait saw, and how many seconds after the decision, kept as an event of the operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from predictive_scaling.ledger.records import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from predictive_scaling.ledger import Ledger
    from predictive_scaling.waits import Verdict
    from predictive_scaling.workplace import Workplace


class Begun(Protocol):
    """A change that was made and is being followed."""

    @property
    def asked_at(self) -> datetime:
        """When it was decided."""

    @property
    def operation_id(self) -> str | None:
        """The operation that made it."""

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked for, as the event keeps it."""


def is_conclusion(event: Event) -> bool:
    """Whether an event is the end of a story, as `conclude` tells it."""
    return event.call is None and "ended" in (event.after or {})


def conclude(
    begun: Begun, verdict: Verdict, at: Workplace, *, error: str | None = None, lead_time: timedelta | None = None
) -> float:
    """Remember how it ended, with the seconds from the decision to now, and whether they were promised; give them.

    The same end is told once: Airflow may run a task again whose end it has missed.
    """
    ended = verdict.ended.value
    seconds = _told(begun, ended, at.ledger)
    if seconds is not None:
        return seconds
    seconds = (at.turn.now - begun.asked_at).total_seconds()
    kept = f"; {promised(lead_time, seconds)}" if lead_time else ""
    event = Event(
        fleet=at.name,
        kind=EventKind.FAILED if error else EventKind.APPLIED,
        operation_id=begun.operation_id,
        by=at.turn.by,
        after={"ended": ended, **begun.asked, "seconds": round(seconds, 1)},
        reason=f"followed for {seconds:.0f} s since the decision: {verdict.reason}{kept}",
        error=error,
    )
    at.ledger.record(event)
    return seconds


def promised(lead_time: timedelta, seconds: float) -> str:
    """Say whether it was as quick as its fleet file counts on."""
    most = lead_time.total_seconds()
    return f"{'within' if seconds <= most else 'LATER than'} the {most:.0f} s of lead_time"


def _told(begun: Begun, ended: str, ledger: Ledger) -> float | None:
    """Give the seconds it took when this end has been told already; None when it has not."""
    events = ledger.events(operation_id=begun.operation_id) if begun.operation_id else ()
    newest = next((event.after or {} for event in events if is_conclusion(event)), {})
    return float(newest["seconds"]) if newest.get("ended") == ended else None
