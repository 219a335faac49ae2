"""What lies inside the envelope is done at once; what lies outside waits, says why, and asks once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import ForecastingError, Plan, Step
from forecasting.approval import Answer, Matter, Question, granted, unasked
from forecasting.envelope import Case, Envelope, Weighed, cost_of, let_through, weighed

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_plan(*capacities: int, apart: timedelta = HOUR) -> Plan:
    return Plan(tuple(Step(NOW + slot * apart, size, f"{size}") for slot, size in enumerate(capacities)))


def a_case(floor: int | None = 2, **more: Any) -> Case:
    return Case(now=NOW, least=2, most=20, floor=floor, **more)


def held(plan: Plan, case: Case | None = None, grants: Mapping[Matter, int] | None = None, **agreed: Any) -> Weighed:
    return weighed(plan, Envelope(**agreed), case or a_case(), grants or {})


def sizes(found: Weighed) -> list[int]:
    return [step.capacity for step in found.plan.steps]


def matters(found: Weighed) -> list[Matter]:
    return [each.matter for each in found.outside]


def a_question(matter: Matter = Matter.RAISE, size: int = 14, **more: Any) -> Question:
    return Question(
        id="q",
        fleet="web",
        matter=matter,
        reasons=("14 at noon, above 10",),
        size=size,
        asked_at=NOW,
        due_at=NOW + HOUR,
        **more,
    )


def answered(answer: Answer, matter: Matter = Matter.RAISE, size: int = 14, *, hours: float = 24) -> Question:
    return a_question(matter, size).answered(answer, by="ada", at=NOW, until=NOW + hours * HOUR)


def test_a_plan_within_its_envelope_is_itself_and_asks_nothing() -> None:
    plan = a_plan(2, 6, 10, 5, 2)
    found = held(plan, above=10, raise_by=4, lower_by=5, dollars_a_day=100.0)
    assert (found.plan, found.outside) == (plan, ())


def test_what_is_too_large_is_held_at_the_edge_and_the_rest_is_done() -> None:
    found = held(a_plan(2, 14, 8, 2), above=10)
    assert sizes(found) == [2, 10, 8, 2]
    assert "held at 10 of 14 until a person agrees" in found.plan.steps[1].reason
    (outside,) = found.outside
    assert outside.reasons == ("14 at Mon 09:00 UTC, above 10",)
    assert outside.size == 16, "a tenth to spare, so that the next plan does not ask again"


def test_a_rise_is_too_fast_within_an_hour_and_not_within_two() -> None:
    assert sizes(held(a_plan(2, 9), raise_by=4)) == [2, 6]
    assert sizes(held(a_plan(2, 6, 10), raise_by=4)) == [2, 6, 10]
    quarters = held(a_plan(2, 4, 6, 8, apart=timedelta(minutes=15)), raise_by=4)
    assert sizes(quarters) == [2, 4, 6], "small steps are one rise"


def test_what_holds_now_is_where_a_pace_begins() -> None:
    assert sizes(held(a_plan(9), a_case(floor=2), raise_by=4)) == [6]
    assert sizes(held(a_plan(9), a_case(floor=None), raise_by=4)) == [9], "somebody else decides what holds now"


def test_a_fall_is_held_up_and_asked_down_to_where_the_plan_goes() -> None:
    found = held(a_plan(12, 4), a_case(floor=12), lower_by=3)
    assert sizes(found) == [12, 9]
    assert (found.outside[0].matter, found.outside[0].size) == (Matter.LOWER, 3)


def test_the_return_of_the_floor_days_ahead_is_nobodys_question() -> None:
    plan = Plan((Step(NOW, 12, "load"), Step(NOW + 48 * HOUR, 2, "restore")))
    assert held(plan, a_case(floor=12), lower_by=3).plan is plan


def test_a_raise_that_waits_does_not_lower_the_fleet() -> None:
    assert sizes(held(a_plan(15), a_case(floor=14), above=10, lower_by=2)) == [12]


def test_the_minimum_is_never_anybodys_question() -> None:
    assert sizes(held(a_plan(2, 9), above=0)) == [2]


def test_a_days_money_holds_the_highest_steps() -> None:
    case = a_case(price=0.5)
    found = held(Plan((Step(NOW, 2, "night"), Step(NOW + 12 * HOUR, 10, "day"))), case, dollars_a_day=48.0)
    assert sizes(found) == [2, 6], "12 hours of 2 and 12 of 6 at half a dollar are 48 dollars"
    assert cost_of(found.plan, case) == 48.0
    assert found.outside[0].dollars_a_day == 72.0
    assert found.outside[0].dollars_held == 48.0


@given(st.integers(1, 30), st.integers(1, 200))
def test_what_costs_just_what_was_agreed_is_nobodys_question(size: int, cents: int) -> None:
    case = Case(now=NOW, least=1, most=30, floor=size, price=cents / 100)
    found = held(a_plan(size), case, dollars_a_day=round(24 * size * cents / 100, 2))
    assert (sizes(found), found.outside) == ([size], ())


def test_the_first_plan_asks_and_the_second_does_not() -> None:
    assert sizes(held(a_plan(2, 9), a_case(first=True), first=True)) == [2]
    assert sizes(held(a_plan(2, 9), a_case(first=False), first=True)) == [2, 9]


def test_what_budgets_ask_is_asked_with_the_whole_plan() -> None:
    case = a_case(over_budget=("budget web: a person is asked beyond the cap",), whole=a_plan(2, 9))
    found = held(a_plan(2, 5), case)
    assert sizes(found) == [2, 5]
    assert (found.outside[0].matter, found.outside[0].size) == (Matter.SPEND, 10)
    assert held(a_plan(2, 9), case, {Matter.SPEND: 10}).outside == ()


def test_what_a_budget_cut_is_given_back_up_to_what_was_approved() -> None:
    whole, cut = a_plan(2, 9, 6, 2), a_plan(2, 5, 5, 2)
    back = let_through(whole, cut, 7)
    partly = "9; held at 7 of 9, as far as was approved"
    assert [(step.capacity, step.reason) for step in back.steps] == [(2, "2"), (7, partly), (6, "6"), (2, "2")]
    assert [step.capacity for step in let_through(whole, cut, 3).steps] == [2, 5, 2]


def test_weights_are_held_in_whole_instances() -> None:
    assert sizes(held(a_plan(4, 12), a_case(units=4), above=10)) == [4, 8]


def test_a_yes_widens_one_matter_up_to_its_size_and_for_its_time() -> None:
    plan = a_plan(2, 14, 17)
    assert sizes(held(plan, above=10, grants=granted([answered(Answer.APPROVED)], NOW))) == [2, 14]
    assert granted([answered(Answer.APPROVED)], NOW + 25 * HOUR) == {}
    assert granted([answered(Answer.REJECTED)], NOW) == {}
    both = [answered(Answer.APPROVED, Matter.LOWER, 5), answered(Answer.APPROVED, Matter.LOWER, 3)]
    assert granted(both, NOW) == {Matter.LOWER: 3}


def test_what_waits_or_was_refused_is_not_asked_again() -> None:
    outside = held(a_plan(2, 14), above=10).outside
    assert unasked(outside, [], NOW) == outside
    assert unasked(outside, [a_question()], NOW) == ()
    assert unasked(outside, [answered(Answer.REJECTED)], NOW) == ()
    assert unasked(outside, [answered(Answer.REJECTED)], NOW + 25 * HOUR) == outside
    assert unasked(outside, [a_question(Matter.LOWER)], NOW) == outside, "another matter does not wait for it"


@pytest.mark.parametrize(
    ("matter", "safe", "subject"),
    [
        (Matter.RAISE, Answer.APPROVED, "Raise web up to 14 instances?"),
        (Matter.LOWER, Answer.REJECTED, "Lower web down to 14 instances?"),
        (Matter.SPEND, Answer.REJECTED, "Let web cost more, up to 14 instances?"),
    ],
)
def test_without_an_answer_the_safe_one_holds(matter: Matter, safe: Answer, subject: str) -> None:
    question = a_question(matter)
    assert (question.safe, question.subject) == (safe, subject)
    assert question.deadline == f"until 2026-03-02 09:00 UTC, then {safe}"


@pytest.mark.parametrize("agreed", [{"above": -1}, {"within": timedelta(0)}, {"lasts": timedelta(days=31)}])
def test_an_envelope_that_makes_no_sense_is_refused(agreed: dict[str, Any]) -> None:
    with pytest.raises(ForecastingError, match="give"):
        Envelope(**agreed)


def test_a_question_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ForecastingError, match="later deadline"):
        replace(a_question(), due_at=NOW)
    with pytest.raises(ForecastingError, match="half an answer"):
        replace(a_question(), answer=Answer.APPROVED)


@given(
    plan=st.lists(st.integers(2, 30), min_size=1, max_size=10),
    floor=st.integers(0, 30),
    above=st.none() | st.integers(0, 30),
    raise_by=st.none() | st.integers(0, 10),
    lower_by=st.none() | st.integers(0, 10),
    yes=st.dictionaries(st.sampled_from(list(Matter)), st.integers(0, 30)),
)
def test_what_is_held_keeps_to_what_was_agreed_and_the_rest_of_the_plan_is_done(
    plan: list[int],
    floor: int,
    above: int | None,
    raise_by: int | None,
    lower_by: int | None,
    yes: dict[Matter, int],
) -> None:
    whole = a_plan(*plan)
    case = replace(a_case(floor=floor), most=40)
    found = held(whole, case, yes, above=above, raise_by=raise_by, lower_by=lower_by)
    before = floor
    for step in whole.steps:
        size = found.plan.capacity_at(step.at)
        slowest = 0 if lower_by is None else min(before - lower_by, yes.get(Matter.LOWER, 99))
        if size > step.capacity:
            assert Matter.LOWER in matters(found)
            assert size <= max(slowest, 2)
        if size < step.capacity:
            assert Matter.RAISE in matters(found)
        assert size >= min(step.capacity, slowest, 2)
        if above is not None:
            assert size <= max(above, yes.get(Matter.RAISE, 0), 2, slowest)
        if raise_by is not None:
            assert size <= max(before + raise_by, yes.get(Matter.RAISE, 0), 2)
        before = size
