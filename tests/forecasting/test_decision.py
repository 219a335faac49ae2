"""What to do now: up at once, down when the load has stayed away, and nothing taken away unseen."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import InvalidRequest, Plan, Policy, Step
from forecasting.decision import Action, Decision, Fallback, Observed, Rules, StepRule, decide

if TYPE_CHECKING:
    from collections.abc import Iterable

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = Policy(1, 40, 100.0, stabilisation=5 * MINUTE)


def a_plan(size: int) -> Plan:
    return Plan((Step(MONDAY, size, "by hand"),))


def seen(capacity: int, demand: float | None, *, age: int = 0, wanted: Iterable[int] = ()) -> Observed:
    """The last of `wanted` was asked for a minute ago, the one before two minutes ago, and so on."""
    sizes = list(wanted)
    lately = tuple((MONDAY - (len(sizes) - place) * MINUTE, size) for place, size in enumerate(sizes))
    return Observed(capacity=capacity, demand=demand, measured=MONDAY - age * MINUTE, wanted=lately)


def steered(loads: Iterable[float], policy: Policy = POLICY, capacity: int = 5) -> list[Decision]:
    """Decide every minute, remember, and do what was decided at once."""
    made: list[Decision] = []
    memory: list[tuple[datetime, int]] = []
    for minute, load in enumerate(loads):
        now = MONDAY + minute * MINUTE
        observed = Observed(capacity=capacity, demand=load, measured=now, wanted=tuple(memory))
        decision = decide(None, observed, policy, now)
        assert decision.wanted is not None
        memory.append((now, decision.wanted))
        capacity = decision.capacity
        made.append(decision)
    return made


def test_the_greater_of_plan_and_load_holds() -> None:
    planned = decide(a_plan(9), seen(5, 500), POLICY, MONDAY)
    assert (planned.action, planned.capacity) == (Action.OUT, 9)
    assert planned.reason == "9 foreseen: by hand; the load alone asks for 5"
    loaded = decide(a_plan(3), seen(5, 820), POLICY, MONDAY)
    assert (loaded.action, loaded.capacity) == (Action.OUT, 9)
    assert loaded.reason == "load 164% of what 5 serve well: 9 needed"


def test_a_bound_that_holds_a_fleet_is_told() -> None:
    small = Policy(2, 4, 100.0, stabilisation=timedelta(0))
    raised = decide(None, seen(3, 700), small, MONDAY)
    capped = "7 needed; capped at max_size 4, 3 short of what is wanted"
    assert raised.reason == f"load 233% of what 3 serve well: {capped}"
    held = decide(None, seen(4, 700), small, MONDAY)
    assert (held.action, held.reason) == (Action.HOLD, f"load 175% of what 4 serve well: {capped}")
    assert decide(None, seen(3, 10), small, MONDAY).reason.endswith("1 needed; held at min_size 2")


def test_a_small_difference_is_left_alone() -> None:
    assert decide(None, seen(20, 2_150), POLICY, MONDAY).action is Action.HOLD
    assert decide(None, seen(20, 2_250), POLICY, MONDAY).capacity == 23


def test_a_lowering_waits_until_the_load_has_stayed_away() -> None:
    early = decide(None, seen(10, 300, wanted=[9, 4, 3]), POLICY, MONDAY)
    assert (early.action, early.capacity) == (Action.HOLD, 10)
    assert "when it has stayed so for 0:05:00" in early.reason
    late = decide(None, seen(10, 300, wanted=[9, 4, 3, 3, 3, 3]), POLICY, MONDAY)
    assert (late.action, late.capacity) == (Action.IN, 4)


def test_the_plan_keeps_the_fleet_up_while_the_load_is_low() -> None:
    held = decide(a_plan(10), seen(10, 300, wanted=[3] * 6), POLICY, MONDAY)
    assert (held.action, held.capacity) == (Action.HOLD, 10)


def test_steps_bound_one_change() -> None:
    policy = Policy(1, 40, 100.0, max_step_up=3, max_step_down=2, stabilisation=timedelta(0))
    assert decide(None, seen(5, 2_000), policy, MONDAY).capacity == 8
    assert decide(None, seen(20, 500), policy, MONDAY).capacity == 18


def test_a_fleet_of_none_wakes_for_a_demand() -> None:
    policy = Policy(0, 40, 100.0, idle_below=1)
    assert decide(None, seen(0, 0.5), policy, MONDAY).action is Action.HOLD
    woken = decide(None, seen(0, 20), policy, MONDAY)
    assert (woken.action, woken.capacity, woken.reason) == (Action.OUT, 1, "none there: 1 needed")


@pytest.mark.parametrize(
    ("demand", "age", "words"), [(None, 0, "is missing"), (math.nan, 0, "is missing"), (100.0, 30, "30 minutes old")]
)
@pytest.mark.parametrize("fallback", Fallback)
@pytest.mark.parametrize("static", [None, 2, 20])
def test_nothing_is_taken_away_unseen(
    demand: float | None, age: int, words: str, fallback: Fallback, static: int | None
) -> None:
    rules = Rules(fallbacks=(fallback,), static=static)
    for plan in (None, a_plan(3), a_plan(30)):
        decision = decide(plan, seen(10, demand, age=age, wanted=[1] * 9), POLICY, MONDAY, rules)
        assert decision.action is not Action.IN
        assert decision.capacity >= 10
        assert words in decision.reason


@pytest.mark.parametrize(
    ("fallbacks", "static", "capacity"),
    [
        ((Fallback.CURRENT,), 20, 10),
        ((Fallback.STATIC,), 20, 20),
        ((Fallback.HIGHER,), 20, 20),
        ((Fallback.LOWER,), 20, 10),
        ((Fallback.STATIC, Fallback.PLAN), None, 12),
        ((), 20, 12),
    ],
)
def test_the_first_fallback_with_an_answer_is_followed(
    fallbacks: tuple[Fallback, ...], static: int | None, capacity: int
) -> None:
    rules = Rules(fallbacks=fallbacks, static=static)
    plan = a_plan(12) if Fallback.PLAN in fallbacks or not fallbacks else None
    assert decide(plan, seen(10, None), POLICY, MONDAY, rules).capacity == capacity


def test_step_rules_change_by_their_step() -> None:
    rules = Rules(steps=(StepRule(above=1.2, below=1.5, change=2), StepRule(above=1.5, change=6)))
    sizes = [decide(None, seen(10, load), POLICY, MONDAY, rules).capacity for load in (1_100, 1_300, 1_700)]
    assert sizes == [10, 12, 16]


@pytest.mark.parametrize("steps", [[StepRule(above=1.5, change=4)], [StepRule(above=1.0, below=1.5, change=1)]])
def test_a_fleet_of_none_wakes_though_it_changes_by_steps(steps: list[StepRule]) -> None:
    policy = Policy(0, 40, 100.0, max_step_up=3)
    woken = decide(None, seen(0, 1_700), policy, MONDAY, Rules(steps=tuple(steps)))
    assert (woken.action, woken.capacity, woken.reason) == (Action.OUT, 3, "none there: 17 needed, 3 at a time")


@pytest.mark.parametrize("demand", [95, 115])
def test_a_demand_that_needs_nobody_keeps_nobody_however_little_one_serves(demand: float) -> None:
    policy = Policy(0, 40, 100.0, idle_below=120, stabilisation=timedelta(0))
    idle = decide(None, seen(1, demand), policy, MONDAY)
    assert (idle.action, idle.capacity) == (Action.IN, 0)


@pytest.mark.parametrize("rules", [Rules(), Rules(fallbacks=(Fallback.STATIC,), static=30)])
def test_unseen_a_fleet_rises_no_faster_than_seen(rules: Rules) -> None:
    policy = Policy(1, 40, 100.0, max_step_up=3, cooldown_up=5 * MINUTE)
    blind = decide(a_plan(30), seen(5, None), policy, MONDAY, rules)
    assert (blind.action, blind.capacity, blind.wanted) == (Action.OUT, 8, None)
    assert blind.reason.endswith("nothing is taken away unseen, 3 at a time")
    risen = replace(seen(8, None), changed=((MONDAY - MINUTE, 3),))
    assert decide(a_plan(30), risen, policy, MONDAY, rules).capacity == 8


@pytest.mark.parametrize(("above", "below", "change"), [(0.5, 0.9, 2), (1.2, 1.5, -1), (2.0, 1.0, 1)])
def test_a_step_rule_against_its_load_is_refused(above: float, below: float, change: int) -> None:
    with pytest.raises(InvalidRequest, match="step rule"):
        StepRule(above=above, below=below, change=change)


def direction_changes(made: list[Decision]) -> int:
    moves = [each.action for each in made if each.action is not Action.HOLD]
    return sum(earlier != later for earlier, later in pairwise(moves))


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(100, 3_000), st.integers(100, 3_000))
def test_a_square_wave_quicker_than_the_window_is_not_followed_down(half: int, low: int, high: int) -> None:
    wave = [float(low if minute // half % 2 else high) for minute in range(60)]
    assert direction_changes(steered(wave)[10:]) == 0


@settings(deadline=None)
@given(st.integers(2, 5), st.integers(200, 2_000))
def test_saw_teeth_within_the_window_are_not_followed_down(length: int, top: int) -> None:
    teeth = [top * (1 + minute % length) / length for minute in range(60)]
    assert direction_changes(steered(teeth)[10:]) == 0


@settings(deadline=None)
@given(st.lists(st.floats(0.92, 1.08), min_size=30, max_size=60), st.integers(1, 40))
def test_noise_about_the_target_changes_nothing(noise: list[float], capacity: int) -> None:
    loads = [capacity * 100 * each for each in noise]
    assert all(each.action is Action.HOLD for each in steered(loads, capacity=capacity))


@settings(deadline=None)
@given(st.lists(st.floats(0, 5_000), min_size=10, max_size=60))
def test_no_lowering_follows_a_raise_within_the_window_and_none_goes_below_the_load(loads: list[float]) -> None:
    made = steered(loads)
    raised = [minute for minute, each in enumerate(made) if each.action is Action.OUT]
    for minute, each in enumerate(made):
        assert each.capacity >= POLICY.bounded(math.floor(loads[minute] / 100 / 1.1))
        if each.action is Action.IN:
            assert not any(minute - 5 <= earlier < minute for earlier in raised)
            assert each.capacity >= POLICY.bounded(POLICY.needed(loads[minute]))
