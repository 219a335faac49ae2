"""How often a fleet grew and shrank is told by what we wrote and AWS has carried out since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from predictive_scaling.ledger.records import Event, EventKind, TaskRun
from predictive_scaling.tally import Tally, tally

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def an_event(number: int, call: str, after: dict[str, Any], *, hours_ago: float, before: Any = None) -> Event:
    return Event(
        id=number,
        fleet="web",
        kind=EventKind.APPLIED,
        reason="",
        by=TaskRun(actor="ada"),
        call=call,
        before=before or {},
        after=after,
        at=NOON - hours_ago * HOUR,
    )


def scheduled(**floors: int) -> dict[str, Any]:
    """Name an action after the hours ago that it starts."""
    return {
        name: {"start": (NOON - int(name.strip("h_")) * HOUR).isoformat(), "min": size} for name, size in floors.items()
    }


def test_steps_of_the_plan_count_when_they_have_been_carried_out() -> None:
    events = [an_event(1, "put 1 of 1", scheduled(h10=2, h8=5, h4=9, h1=3), hours_ago=20)]
    assert tally(events, since=NOON - DAY, now=NOON) == Tally(ups=2, downs=1)
    assert tally(events, since=NOON - 5 * HOUR, now=NOON) == Tally(ups=1, downs=1)
    assert tally(events, since=NOON - DAY, now=NOON - 6 * HOUR) == Tally(ups=1, downs=0)


def test_a_step_that_was_taken_back_in_time_is_none() -> None:
    put = an_event(1, "put 1 of 1", scheduled(h10=2, h8=5), hours_ago=20)
    gone = an_event(2, "delete 1 of 1", {}, before=scheduled(h8=5), hours_ago=9)
    assert tally([put, gone], since=NOON - DAY, now=NOON) == Tally()


def test_changes_by_hand_and_by_reaction_count_too() -> None:
    events = [
        an_event(1, "resize to its load", {"desired": 5}, hours_ago=6),
        an_event(2, "resize to its load", {"desired": 8}, hours_ago=5),
        an_event(3, "retire i-1", {"desired": 7, "retired": ["i-1"]}, hours_ago=4),
    ]
    assert tally(events, since=NOON - DAY, now=NOON) == Tally(ups=1, downs=1)
    assert tally([], since=NOON - DAY, now=NOON) == Tally()


def test_a_change_by_hand_is_told_from_the_size_it_found_and_not_from_the_last_that_was_written() -> None:
    first = an_event(1, "resize to a given size", {"desired": 5}, hours_ago=6, before={"min": 2, "desired": 3})
    assert tally([first], since=NOON - DAY, now=NOON) == Tally(ups=1, downs=0)
    # Target tracking had raised it to 9 meanwhile.
    later = an_event(2, "resize to a given size", {"desired": 7}, hours_ago=4, before={"min": 2, "desired": 9})
    assert tally([first, later], since=NOON - DAY, now=NOON) == Tally(ups=1, downs=1)
