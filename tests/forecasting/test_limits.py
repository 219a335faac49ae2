"""Capacity changes no faster and no more often than a policy allows, and never at the cost of the need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forecasting import Forecast, Plan, Policy, draw_plan
from forecasting.freeze import Freeze
from forecasting.limits import limited

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE, FIVE, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)

needs = st.lists(st.integers(0, 40), min_size=2, max_size=80).map(lambda sizes: np.array(sizes, dtype=np.int64))


def a_forecast(*demand: float) -> Forecast:
    values = np.array([demand, demand], dtype=float)
    return Forecast(start=MONDAY, step=FIVE, quantiles=(0.5, 0.9), values=values, engine="by hand", reason="a test")


def a_plan(policy: Policy, *demand: float, current: int | None = None) -> Plan:
    return draw_plan(a_forecast(*demand), policy, now=MONDAY, current=current)


def moves(sizes: np.ndarray, sign: int) -> list[int]:
    return [int(cell) for cell in np.flatnonzero(np.sign(np.diff(sizes)) == sign) + 1]


@settings(deadline=None)
@given(needs, st.integers(1, 9), st.integers(1, 9), st.integers(0, 8), st.integers(0, 8))
def test_no_cooldown_sees_more_than_one_step_and_the_need_is_met(
    need: np.ndarray, up: int, down: int, cooldown_up: int, cooldown_down: int
) -> None:
    policy = Policy(
        0,
        40,
        1,
        max_step_up=up,
        max_step_down=down,
        cooldown_up=cooldown_up * MINUTE,
        cooldown_down=cooldown_down * MINUTE,
    )
    sizes = limited(need, policy, MONDAY, None)
    assert (sizes >= need).all()
    assert sizes.max() == need.max()
    rise, fall = max(1, cooldown_up), max(1, cooldown_down)
    assert all((sizes[apart:] - sizes[:-apart] <= up).all() for apart in range(1, 1 + rise))
    assert all((sizes[:-apart] - sizes[apart:] <= down).all() for apart in range(1, 1 + fall))


@settings(deadline=None)
@given(needs, st.integers(2, 10))
def test_raises_are_a_cooldown_apart_and_never_late(need: np.ndarray, cooldown: int) -> None:
    sizes = limited(need, Policy(0, 40, 1, cooldown_up=cooldown * MINUTE), MONDAY, None)
    assert (sizes >= need).all()
    assert all(later - earlier >= cooldown for earlier, later in pairwise(moves(sizes, 1)))
    assert len(moves(sizes, 1)) <= len(moves(need, 1))


@settings(deadline=None)
@given(needs, st.integers(2, 10), st.one_of(st.none(), st.integers(1, 9)), st.one_of(st.none(), st.integers(1, 9)))
def test_lowerings_are_a_cooldown_apart_whatever_their_steps(
    need: np.ndarray, cooldown: int, up: int | None, down: int | None
) -> None:
    policy = Policy(0, 40, 1, cooldown_down=cooldown * MINUTE, max_step_up=up, max_step_down=down)
    sizes = limited(need, policy, MONDAY, None)
    assert (sizes >= need).all()
    assert all(later - earlier >= cooldown for earlier, later in pairwise(moves(sizes, -1)))


@settings(deadline=None)
@given(needs, st.integers(2, 10))
def test_no_change_of_direction_within_the_window(need: np.ndarray, window: int) -> None:
    sizes = limited(need, Policy(0, 40, 1, no_reversal=window * MINUTE), MONDAY, None)
    assert (sizes >= need).all()
    ups, downs = moves(sizes, 1), moves(sizes, -1)
    assert all(abs(up - down) >= window for up in ups for down in downs)


@settings(deadline=None)
@given(needs, st.integers(0, 60), st.integers(1, 30))
def test_nothing_changes_within_a_freeze_and_its_need_is_met_before(need: np.ndarray, first: int, length: int) -> None:
    freeze = Freeze(MONDAY + first * MINUTE, MONDAY + (first + length) * MINUTE)
    sizes = limited(need, Policy(0, 40, 1, freezes=(freeze,)), MONDAY, None)
    assert (sizes >= need).all()
    assert len(set(sizes[first : first + length].tolist())) <= 1


minutes = st.integers(0, 6).map(lambda count: count * MINUTE)
steps = st.one_of(st.none(), st.integers(1, 9))
frozen = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=2)
policies = st.builds(
    Policy,
    st.just(0),
    st.just(40),
    st.just(1),
    max_step_up=steps,
    max_step_down=steps,
    cooldown_up=minutes,
    cooldown_down=minutes,
    no_reversal=minutes,
    freezes=frozen.map(
        lambda spans: tuple(Freeze(MONDAY + at * MINUTE, MONDAY + (at + last) * MINUTE) for at, last in spans)
    ),
)


def most_moved(sizes: np.ndarray, cooldown: timedelta, sign: int) -> int:
    lags = range(1, 1 + max(1, cooldown // MINUTE))
    return max(int((sign * (sizes[lag:] - sizes[:-lag])).max(initial=0)) for lag in lags)


@settings(deadline=None)
@example(np.array([1, 0, 0, 3]), Policy(0, 40, 1, max_step_up=2, no_reversal=2 * MINUTE))
@example(np.array([0, 1, 0, 0, 0, 0, 0, 3]), Policy(0, 40, 1, max_step_up=2, cooldown_up=4 * MINUTE))
@given(needs, policies)
def test_all_limits_hold_at_once(need: np.ndarray, policy: Policy) -> None:
    sizes = limited(need, policy, MONDAY, None)
    assert (sizes >= need).all()
    assert sizes.max() == need.max()
    assert policy.max_step_up is None or most_moved(sizes, policy.cooldown_up, 1) <= policy.max_step_up
    assert policy.max_step_down is None or most_moved(sizes, policy.cooldown_down, -1) <= policy.max_step_down
    raises, lowerings = moves(sizes, 1), moves(sizes, -1)
    for cells, apart in ((raises, policy.cooldown_up), (lowerings, policy.cooldown_down)):
        assert all((later - earlier) * MINUTE >= apart for earlier, later in pairwise(cells))
    for earlier, later in pairwise(sorted([*raises, *lowerings])):
        assert (earlier in raises) == (later in raises) or (later - earlier) * MINUTE >= policy.no_reversal
    for freeze in policy.freezes:
        assert not any(freeze.start <= MONDAY + cell * MINUTE < freeze.end for cell in [*raises, *lowerings])


@settings(deadline=None)
@given(needs, policies, st.integers(0, 40))
def test_from_the_present_no_rise_or_fall_is_faster_than_allowed_and_none_is_within_a_freeze(
    need: np.ndarray, policy: Policy, current: int
) -> None:
    sizes = np.array([current, *limited(need, policy, MONDAY, current)])
    assert policy.max_step_up is None or most_moved(sizes, policy.cooldown_up, 1) <= policy.max_step_up
    assert policy.max_step_down is None or most_moved(sizes, policy.cooldown_down, -1) <= policy.max_step_down
    for freeze in policy.freezes:
        inside = (
            freeze.start <= MONDAY + (cell - 1) * MINUTE < freeze.end for cell in [*moves(sizes, 1), *moves(sizes, -1)]
        )
        assert not any(inside)


def test_a_rise_that_a_freeze_brings_forward_is_no_faster_for_it() -> None:
    policy = Policy(
        1,
        40,
        100,
        timedelta(0),
        max_step_up=3,
        cooldown_up=FIVE,
        freezes=(Freeze(MONDAY + HOUR, MONDAY + 2 * HOUR),),
    )
    plan = a_plan(policy, *[100.0] * 20, *[1_000.0] * 12)
    assert [(step.at - MONDAY, step.capacity) for step in plan.steps[:4]] == [
        (timedelta(0), 1),
        (49 * MINUTE, 4),
        (54 * MINUTE, 7),
        (59 * MINUTE, 10),
    ]


def test_after_a_freeze_the_rise_begins_at_what_was_frozen() -> None:
    policy = Policy(1, 40, 100, max_step_up=3, cooldown_up=FIVE, freezes=(Freeze(MONDAY - HOUR, MONDAY + HOUR),))
    plan = a_plan(policy, *[1_000.0] * 24, current=2)
    assert [(step.at - MONDAY, step.capacity) for step in plan.steps[:4]] == [
        (timedelta(0), 2),
        (60 * MINUTE, 5),
        (65 * MINUTE, 8),
        (70 * MINUTE, 10),
    ]


def test_a_change_of_more_steps_than_there_is_time_for_takes_those_there_are() -> None:
    most = 1_000_000_000
    need = np.array([0, 0, most, 0, 0])
    sizes = limited(need, Policy(0, most, 1, max_step_up=1, max_step_down=1), MONDAY, None)
    assert (most - sizes).tolist() == [2, 1, 0, 1, 2]


def test_a_great_rise_begins_early() -> None:
    policy = Policy(1, 40, 100, timedelta(0), max_step_up=4, cooldown_up=FIVE, stabilisation=timedelta(0))
    plan = a_plan(policy, *[100.0] * 12, *[1_000.0] * 12)
    assert [(step.at - MONDAY, step.capacity) for step in plan.steps[:4]] == [
        (timedelta(0), 1),
        (50 * MINUTE, 2),
        (55 * MINUTE, 6),
        (60 * MINUTE, 10),
    ]
    assert plan.steps[1].bound == "limits"


def test_a_rise_from_the_present_is_as_fast_as_allowed_and_says_what_is_short() -> None:
    policy = Policy(1, 40, 100, max_step_up=4, cooldown_up=FIVE)
    plan = a_plan(policy, *[1_000.0] * 12, current=2)
    assert [step.capacity for step in plan.steps[:2]] == [6, 10]
    assert "no faster up than the policy allows: 4 short" in plan.steps[0].reason


def test_a_cooldown_runs_on_during_a_freeze() -> None:
    policy = Policy(0, 50, 1, max_step_up=1, cooldown_up=FIVE, freezes=(Freeze(MONDAY + MINUTE, MONDAY + 11 * MINUTE),))
    sizes = limited(np.full(20, 20, dtype=np.int64), policy, MONDAY, 0)
    assert moves(sizes, 1) == [11, 16]


def test_a_forecast_that_ends_within_a_freeze_gives_its_capacity_back_after_it() -> None:
    freeze = Freeze(MONDAY + HOUR, MONDAY + 5 * HOUR)
    plan = a_plan(Policy(1, 40, 100, freezes=(freeze,)), *[1_000.0] * 24)
    assert {plan.capacity_at(freeze.start + minutes * MINUTE) for minutes in range(240)} == {10}
    assert (plan.steps[-1].at, plan.steps[-1].capacity) == (freeze.end, 1)
    assert "back to min_size 1, after the freeze, unless" in plan.steps[-1].reason


def test_a_freeze_now_keeps_the_present() -> None:
    freeze = Freeze(MONDAY - HOUR, MONDAY + HOUR)
    plan = a_plan(Policy(1, 40, 100, freezes=(freeze,)), *[1_000.0] * 24, current=3)
    assert plan.capacity_at(MONDAY + timedelta(minutes=59)) == 3
    assert plan.capacity_at(MONDAY + HOUR) == 10


def test_one_raise_instead_of_a_staircase() -> None:
    stairs = [float(100 * size) for size in (1, 2, 3, 4, 5) for _ in range(2)]
    many = a_plan(Policy(1, 40, 100, tolerance=0.0), *stairs)
    one = a_plan(Policy(1, 40, 100, tolerance=0.0, cooldown_up=HOUR), *stairs)
    assert len(many.steps) == 6
    assert [step.capacity for step in one.steps] == [1, 5, 1]


def test_a_breach_of_the_maximum_is_for_a_while_and_told() -> None:
    demand = [*[500.0] * 12, *[1_500.0] * 12, *[500.0] * 24]
    plan = a_plan(Policy(1, 10, 100, breach_max=12), *demand)
    assert [step.capacity for step in plan.steps] == [5, 12, 5, 1]
    assert "capped at breach_max 12, 3 short" in plan.steps[1].reason
    allowed = a_plan(Policy(1, 10, 100, breach_max=20), *demand).steps[1]
    assert (allowed.capacity, allowed.bound) == (15, "breach_max")
    assert "above max_size 10 for as long as it must" in allowed.reason
