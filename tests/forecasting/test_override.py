"""A person's bounds are laid over a plan, and outside of them the plan stays what it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import InvalidRequest, Plan, Step
from forecasting.override import Override, OverrideKind, overridden, ruling

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_plan(*capacities: int) -> Plan:
    return Plan(tuple(Step(NOW + hour * HOUR, size, f"{size}") for hour, size in enumerate(capacities)))


def an_override(
    *, start: float = 0, hours: float | None = 2, least: int | None = None, most: int | None = None, made: int = 0
) -> Override:
    starts = NOW + start * HOUR
    return Override(
        id=f"o{made}",
        fleet="web",
        kind=OverrideKind.BOUNDS,
        reason="an incident",
        actor="ada",
        starts_at=starts,
        ends_at=None if hours is None else starts + hours * HOUR,
        min_size=least,
        max_size=most,
        created_at=NOW + made * timedelta(minutes=1),
    )


def steps(plan: Plan) -> list[tuple[float, int, int | None]]:
    return [((step.at - NOW) / HOUR, step.capacity, step.most) for step in plan.steps]


def test_without_overrides_a_plan_is_itself() -> None:
    plan = a_plan(2, 5, 3)
    assert overridden(plan, ()) is plan


def test_a_floor_holds_between_its_edges_and_the_plan_outside_of_them() -> None:
    laid = overridden(a_plan(2, 3, 2, 2), [an_override(start=0.5, hours=2, least=6)])
    assert steps(laid) == [(0, 2, None), (0.5, 6, None), (2.5, 2, None)]


def test_a_maximum_is_stated_while_it_holds_and_the_usual_one_after_it() -> None:
    laid = overridden(a_plan(2, 9, 9, 4), [an_override(start=0, hours=2, most=5)], usual_max=20)
    assert steps(laid) == [(0, 2, 5), (1, 5, 5), (2, 9, 20), (3, 4, 20)]


def test_the_later_made_rules_alone() -> None:
    both = [an_override(hours=3, least=6, made=1), an_override(hours=1, least=3, made=2)]
    assert ruling(both, NOW) is both[1]
    assert ruling(both, NOW + 2 * HOUR) is both[0]


def test_one_without_an_end_holds_beyond_the_plan() -> None:
    laid = overridden(a_plan(2, 5, 3), [an_override(hours=None, least=4)])
    assert laid.capacity_at(NOW + 100 * HOUR) == 4


def test_each_step_says_who_and_why_and_what_the_plan_would_hold() -> None:
    laid = overridden(a_plan(2), [an_override(least=6)])
    assert laid.steps[0].reason == (
        "bounds (min 6) by ada until 2026-03-02 10:00 UTC: an incident; the plan would hold 2"
    )


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({"hours": -1, "least": 3}, "give a later end"), ({"least": 5, "most": 3}, "above its max"), ({}, "neither")],
)
def test_an_override_that_makes_no_sense_is_refused(fields: dict[str, float], complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint):
        an_override(**fields)  # type: ignore[arg-type]


@given(
    sizes=st.lists(st.integers(0, 30), min_size=1, max_size=12),
    start=st.floats(-3, 12),
    hours=st.floats(0.1, 12),
    least=st.integers(0, 10),
    spread=st.integers(0, 10),
)
def test_within_its_time_the_bounds_hold_and_outside_of_it_the_plan(
    sizes: list[int], start: float, hours: float, least: int, spread: int
) -> None:
    plan, override = a_plan(*sizes), an_override(start=start, hours=hours, least=least, most=least + spread)
    laid = overridden(plan, [override], usual_max=40)
    for minute in range(0, 60 * 14, 7):
        when = NOW + minute * timedelta(minutes=1)
        step, planned = laid.step_at(when), plan.capacity_at(when)
        if override.holds_at(when):
            assert least <= step.capacity <= least + spread == step.most
        else:
            assert (step.capacity, step.most) == (planned, 40)


def test_a_maximum_that_the_plan_states_is_kept_outside_of_an_override_and_beside_its_floor() -> None:
    plan = Plan((Step(NOW, 2, "a", most=20), Step(NOW + HOUR, 25, "b", most=25), Step(NOW + 3 * HOUR, 4, "c", most=20)))
    laid = overridden(plan, [an_override(hours=2, least=6, made=2), an_override(start=9, most=5, made=1)], usual_max=20)
    assert steps(laid) == [(0, 6, 20), (1, 25, 25), (3, 4, 20), (9, 4, 5), (11, 4, 20)]
