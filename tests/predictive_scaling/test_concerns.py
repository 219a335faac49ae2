"""A person hears of what begins, once, and of nothing that is as usual."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forecasting.accuracy import Accuracy
from forecasting.budget import Span
from forecasting.cost_verdict import Outcome, Sum, Verdict
from forecasting.override import Override, OverrideKind
from predictive_scaling.concerns import Concern, news, of_accuracy, of_budgets, of_launches, of_overrides, of_rivals
from predictive_scaling.fleets import Instance, Observed
from predictive_scaling.ownership import Rival, RivalKind

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_override(ends: datetime | None) -> Override:
    return Override(
        id="1",
        fleet="web",
        kind=OverrideKind.HOLD,
        reason="a sale",
        actor="ada",
        starts_at=NOON - HOUR,
        ends_at=ends,
        min_size=9,
        max_size=9,
        created_at=NOON - HOUR,
    )


def scored(*errors: float) -> dict[str, Accuracy]:
    """Score a forecast an hour, the oldest first."""
    return {
        f"{hour:03}": Accuracy(slots=12, wape=error, bias=0.0, pinball=1.0, coverage=0.9)
        for hour, error in enumerate(errors)
    }


def test_an_override_that_ends_within_the_hour_is_told() -> None:
    (found,) = of_overrides([an_override(NOON + HOUR / 2)], NOON)
    assert found.key == "override 1"
    assert found.text.startswith("ends in 30 min, and the plan holds again: ")
    assert "ada" in found.text


def test_an_override_that_ends_tells_what_holds_then_instead_of_the_plan() -> None:
    ends = an_override(NOON + HOUR / 2)
    stop = replace(an_override(None), id="2", fleet="*", kind=OverrideKind.STOP, actor="grace")
    behind = replace(an_override(NOON + 9 * HOUR), id="0", actor="bob", created_at=NOON - 2 * HOUR)
    for others, told in {(behind,): "hold by bob", (behind, stop): "stop by grace"}.items():
        (found,) = of_overrides([ends, *others], NOON)
        assert found.text.startswith(f"ends in 30 min, and then {told} holds: ")


def test_one_that_ends_later_or_has_ended_is_not() -> None:
    far, over, never = an_override(NOON + 3 * HOUR), an_override(NOON), an_override(None)
    assert not list(of_overrides([far, over, never], NOON))
    assert list(of_overrides([replace(far, ended_at=NOON + timedelta(minutes=5))], NOON))


def test_a_group_that_wants_more_than_is_there_or_coming_is_told() -> None:
    there = Observed(
        min_size=1,
        max_size=9,
        desired=3,
        in_service=1,
        instances=(Instance(id="a"), Instance(id="b", lifecycle="Pending")),
    )
    (found,) = of_launches(there)
    assert found.text.startswith("desired 3, and only 2 are there or coming")
    assert not list(of_launches(replace(there, desired=2)))


def test_a_budget_that_holds_back_is_told_and_one_that_does_not_is_not() -> None:
    one = Sum(span=Span.HOURLY, when="now", cap=1.0, spent=0.0, committed=1.0, asked=1.0, granted=0.0)
    within = Verdict(
        budget="shop", fleet="web", outcome=Outcome.WITHIN, sums=(one,), asked_peak=2, granted_peak=2, source="x"
    )
    assert not list(of_budgets([within]))
    (found,) = of_budgets([within, replace(within, outcome=Outcome.CLAMPED)])
    assert found.key == "budget shop"


def test_who_else_moves_the_group_is_told_unless_it_is_trouble() -> None:
    soft = Rival(kind=RivalKind.ACTIONS, what="x", mend="y")
    hard = Rival(kind=RivalKind.POLICY, what="z", mend="w", stops=True)
    assert [each.text for each in of_rivals([soft, hard])] == ["x: y"]


def test_a_forecast_twice_as_wrong_as_usual_is_told() -> None:
    usual = [0.08, 0.1, 0.09] * 10
    assert not list(of_accuracy(scored(*usual)))
    (found,) = of_accuracy(scored(*usual, *[0.3] * 6))
    assert found.text == "forecasts are off by 30% of the load, and were by 9%: it has new habits"


def test_neither_small_errors_nor_few_scores_nor_a_single_bad_hour_are_drift() -> None:
    assert not list(of_accuracy(scored(*[0.02] * 30, *[0.1] * 6)))
    assert not list(of_accuracy(scored(*[0.05] * 5, *[0.5] * 6)))
    assert not list(of_accuracy(scored(*[0.1] * 30, 0.9)))


def test_what_was_told_at_the_turn_before_is_not_told_again() -> None:
    one, other = Concern("launches", "2 of 3"), Concern("drift", "off by 30%")
    assert news([one, other], ["launches"]) == (other,)
    assert news([one], []) == (one,)
