"""From a plan to the fewest writes: pure, so told with values alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from forecasting import Plan, Step
from predictive_scaling.fleets import Observed, ScheduledAction
from predictive_scaling.schedule import Changes, Naming, changes_between, wanted_actions

NOW = datetime(2026, 1, 5, 8, 0, 20, tzinfo=UTC)
NINE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WEB = Naming("ps", "web")
HOUR = timedelta(hours=1)


def a_plan(*steps: tuple[datetime, int]) -> Plan:
    return Plan(tuple(Step(at, capacity, "because") for at, capacity in ((NOW, 2), *steps)))


def ours(start: datetime, capacity: int) -> ScheduledAction:
    return ScheduledAction(name=WEB.of(start), start=start, min_size=capacity)


def foreign(start: datetime) -> ScheduledAction:
    return ScheduledAction(name="nightly-backup", start=start, min_size=1)


def changes(
    plan: Plan,
    *present: ScheduledAction,
    floor: int = 2,
    most: int = 20,
    now: datetime = NOW,
) -> Changes:
    observed = Observed(min_size=floor, max_size=most, desired=floor, in_service=floor, actions=tuple(present))
    return changes_between(present, wanted_actions(plan, WEB, observed, now=now), WEB, now=now)


def test_an_action_is_named_after_its_start_and_sets_the_floor_alone() -> None:
    (action,) = changes(a_plan((NINE, 5))).put
    assert action == ScheduledAction(name="ps-web-20260105T0900Z", start=NINE, min_size=5)


def test_what_is_in_place_is_kept_and_nothing_is_written() -> None:
    found = changes(a_plan((NINE, 5)), ours(NINE, 5))
    assert not found
    assert found.keep == (ours(NINE, 5),)


def test_only_what_differs_is_written_and_what_is_not_wanted_goes() -> None:
    ten, eleven = NINE + timedelta(hours=1), NINE + timedelta(hours=2)
    found = changes(a_plan((NINE, 5), (ten, 6)), ours(NINE, 5), ours(ten, 9), ours(eleven, 3))
    assert (found.put, found.delete, found.keep) == ((ours(ten, 6),), (ours(eleven, 3),), (ours(NINE, 5),))


def test_foreign_actions_are_never_touched() -> None:
    other_fleet = ScheduledAction(name="ps-web-two-20260105T1000Z", start=NINE + timedelta(hours=1), min_size=9)
    found = changes(a_plan((NINE, 5)), foreign(NINE + timedelta(hours=3)), other_fleet)
    assert found.delete == ()


def test_a_minute_held_by_a_foreign_action_is_given_way_to_by_going_earlier() -> None:
    (action,) = changes(a_plan((NINE, 5)), foreign(NINE)).put
    assert action.start == NINE - timedelta(minutes=1)


def test_a_floor_that_should_hold_already_is_caught_up_with_at_the_nearest_minute_aws_accepts() -> None:
    (catch_up, raise_at_nine) = changes(a_plan((NINE, 5)), floor=1).put
    assert catch_up == ours(datetime(2026, 1, 5, 8, 2, tzinfo=UTC), 2)
    assert raise_at_nine.start == NINE


def test_a_catch_up_already_on_its_way_is_not_written_again_a_minute_later() -> None:
    on_its_way = ours(datetime(2026, 1, 5, 8, 2, tzinfo=UTC), 2)
    found = changes(a_plan((NINE, 5)), on_its_way, ours(NINE, 5), floor=1, now=NOW + timedelta(seconds=50))
    assert not found


def test_a_floor_that_should_hold_already_does_not_wait_for_a_later_action_of_the_same_size() -> None:
    half_past = NINE - timedelta(minutes=30)
    found = changes(a_plan((NINE, 5)), ours(half_past, 2), ours(NINE, 5), floor=1)
    assert found.put == (ours(datetime(2026, 1, 5, 8, 2, tzinfo=UTC), 2),)
    assert found.delete == (ours(half_past, 2),)


def test_an_action_whose_time_has_come_is_left_to_aws() -> None:
    due = ours(datetime(2026, 1, 5, 8, 0, tzinfo=UTC), 4)
    assert changes(a_plan((NINE, 5)), due, ours(NINE, 5)).delete == ()


@given(
    st.lists(st.tuples(st.integers(1, 2800), st.integers(0, 40)), max_size=60, unique_by=lambda pair: pair[0]),
    st.sets(st.integers(1, 2800), max_size=20),
    st.integers(0, 40),
)
def test_after_the_changes_the_same_plan_asks_for_nothing_more(
    pairs: list[tuple[int, int]], taken: set[int], floor: int
) -> None:
    base = NOW.replace(second=0)
    plan = a_plan(*((base + timedelta(minutes=minute), capacity) for minute, capacity in sorted(pairs)))
    others = tuple(
        ScheduledAction(name=f"other-{minute}", start=base + timedelta(minutes=minute), min_size=1) for minute in taken
    )
    first = changes(plan, *others, floor=floor)

    again = changes(plan, *others, *first.put, floor=floor)

    assert not again
    starts = [action.start for action in (*others, *first.put)]
    assert len(starts) == len(set(starts)), "AWS allows one action a start time"


def test_a_maximum_that_a_step_states_is_set_and_returns_with_the_next() -> None:
    plan = Plan((Step(NOW, 2, "a", most=20), Step(NINE, 26, "b", most=26), Step(NINE + HOUR, 8, "c", most=20)))
    assert [(action.min_size, action.max_size) for action in changes(plan).put] == [(26, 26), (8, 20)]


def test_a_maximum_left_raised_is_brought_back_at_once() -> None:
    (action,) = changes(Plan((Step(NOW, 2, "a", most=20),)), most=26).put
    assert (action.min_size, action.max_size) == (2, 20)
    assert action.start is not None
    assert action.start - NOW < timedelta(minutes=3)


def test_a_maximum_that_no_step_states_is_left_to_others() -> None:
    assert {action.max_size for action in changes(a_plan((NINE, 5)), most=26).put} == {None}


def test_a_step_within_a_minute_starts_with_it() -> None:
    plan = a_plan((NINE + timedelta(seconds=33, microseconds=5), 5), (NINE + timedelta(seconds=50), 6))
    assert [(action.start, action.min_size) for action in changes(plan).put] == [(NINE, 6)]


def test_steps_a_minute_apart_keep_their_order_around_a_foreign_action() -> None:
    after = NINE + timedelta(minutes=1)
    put = changes(a_plan((NINE, 5), (after, 9)), foreign(after)).put
    assert [action.min_size for action in sorted(put, key=lambda action: str(action.start))] == [5, 9]


def test_what_should_hold_is_said_again_after_an_action_that_aws_may_carry_out_yet() -> None:
    late = ours(NOW - timedelta(seconds=30), 9)
    (caught_up,) = changes(a_plan(), late).put
    assert caught_up.min_size == 2
    assert changes(a_plan(), late, caught_up) == Changes(keep=(caught_up,))
