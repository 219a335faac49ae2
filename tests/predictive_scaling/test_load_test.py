"""The load test's arithmetic: when a ramp passes what is served well, and what the fleet's story says of the answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from load_test.following import Raise, Ramp, raises, told

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def a_row(number: int, kind: str, seconds: int, reason: str = "", *, operation: str = "one") -> dict[str, Any]:
    at = (NOON + seconds * SECOND).isoformat()
    return {"id": number, "kind": kind, "at": at, "reason": reason, "operation_id": operation}


@pytest.mark.parametrize(
    ("load", "most", "passes"), [("low", 19, None), ("medium", 45, 236 * SECOND), ("high", 90, 180 * SECOND)]
)
def test_the_ramps_pass_what_is_served_well_when_they_say(load: str, most: int, passes: timedelta | None) -> None:
    ramp = Ramp(load=load, served=20)
    assert max(ramp.users(second * SECOND) for second in range(1200)) == most
    assert ramp.passes(20 * MINUTE) == passes
    assert ramp.passes(2 * MINUTE) is None, "a test that ended before it"


def test_only_raises_that_were_sent_and_only_those_of_the_test_are_read() -> None:
    rows = [
        a_row(8, "intent", 90, "set desired 5 -> 9: load 300%", operation="never sent"),
        a_row(7, "applied", 80, operation="two"),
        a_row(6, "intent", 79, "set desired 6 -> 2: load 10%", operation="two"),
        a_row(5, "observed", 60, "would resize 2 -> 3", operation="seen"),
        a_row(4, "applied", 42),
        a_row(3, "intent", 41, "set desired 2 -> 6: load 310%"),
        a_row(2, "applied", -10, operation="before"),
        a_row(1, "intent", -11, "set desired 1 -> 2: load 130%", operation="before"),
    ]
    assert raises(rows, NOON) == [Raise(at=NOON + 42 * SECOND, reason="set desired 2 -> 6: load 310%")]


def test_the_line_tells_how_long_after_the_threshold_capacity_was_asked_for_and_answers_were_quick_again() -> None:
    found = [Raise(at=NOON + at * SECOND, reason=f"set desired {at}") for at in (42, 102)]
    assert told(NOON, found, (NOON - 5 * SECOND, NOON + 190 * SECOND)) == (
        "the load passed what is served well at 12:00:00 UTC; raised 42 s after that: set desired 42, and 1 more; "
        "answers were slow from 5 s before that to 190 s after that"
    )


def test_a_load_nobody_followed_and_a_load_too_low_are_told_as_such() -> None:
    assert told(NOON, [], None).endswith("; NOTHING WAS RAISED; answers stayed quick")
    assert told(None, [], None) == "the load never passed what is served well, and nothing was raised"
    early = [Raise(at=NOON, reason="set desired 2 -> 3")]
    assert told(None, early, None).endswith("well; raised 12:00:00 UTC: set desired 2 -> 3")
