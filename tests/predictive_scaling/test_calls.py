"""The calls that change a schedule: AWS's batches, in an order that never leaves the floor too low."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from predictive_scaling.calls import Call, calls_for
from predictive_scaling.fleets import ScheduledAction
from predictive_scaling.schedule import ACTIONS_PER_GROUP, Changes

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def actions(count: int, *, odd: int = 0) -> tuple[ScheduledAction, ...]:
    starts = [NOON + timedelta(minutes=2 * number + odd) for number in range(count)]
    return tuple(ScheduledAction(name=f"at-{start:%H%M}", start=start, min_size=5) for start in starts)


def told(calls: list[Call]) -> list[tuple[str, int]]:
    return [(call.name, len(call.actions)) for call in calls]


def test_calls_come_in_batches_of_fifty_and_what_is_put_comes_first() -> None:
    calls = calls_for(Changes(put=actions(60), delete=actions(5, odd=1)), present=actions(5, odd=1))
    assert told(calls) == [("put 1 of 2", 50), ("put 2 of 2", 10), ("delete 1 of 1", 5)]


def test_only_as_many_as_are_in_the_way_go_before_and_they_are_the_latest() -> None:
    old = actions(100, odd=1)
    first, *others = calls_for(Changes(put=actions(30), delete=old), present=old)
    assert first.actions == old[: -(100 + 30 - ACTIONS_PER_GROUP) - 1 : -1]
    assert told([first, *others]) == [
        ("delete 1 of 3", 5),
        ("put 1 of 1", 30),
        ("delete 2 of 3", 50),
        ("delete 3 of 3", 45),
    ]


def test_what_is_to_set_fewer_sizes_is_removed_before_it_is_put() -> None:
    wanted = actions(3)
    present = (wanted[0], replace(wanted[1], max_size=20), replace(wanted[2], min_size=9))
    calls = calls_for(Changes(put=wanted[1:]), present=present)
    assert told(calls) == [("delete 1 of 1", 1), ("put 1 of 1", 2)]
    assert calls[0].actions == present[1:2]


def test_what_is_only_put_anew_crowds_nobody_out() -> None:
    full = actions(ACTIONS_PER_GROUP)
    assert told(calls_for(Changes(put=full[:10], delete=full[10:12]), present=full)) == [
        ("put 1 of 1", 10),
        ("delete 1 of 1", 2),
    ]
