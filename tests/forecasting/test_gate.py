from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forecasting import InvalidRequest
from forecasting.evidence import Evidence
from forecasting.gate import Stage, Standing, Verdict, judge
from forecasting.scorecard import Scorecard

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PASSED, FAILED = Verdict(passed=True, reason="good"), Verdict(passed=False, reason="bad")


def a_card(*, short: float, hours: float) -> Scorecard:
    return Scorecard(
        mode="floor",
        since=NOW - timedelta(days=14),
        until=NOW,
        under_time_share=short,
        over_hours_share=0.1,
        theta_u=1.0,
        theta_o=10.0,
        instance_hours=hours,
        needed_hours=1000.0,
        actions_per_day=8.0,
        cost=0.0,
    )


def some_evidence(**changes: object) -> Evidence:
    """Give evidence of a good forecast: short for 1 % instead of 10 %, for a tenth more."""
    evidence = Evidence(
        floor=a_card(short=0.01, hours=1100),
        reactive=a_card(short=0.10, hours=1000),
        as_safe=a_card(short=0.01, hours=1300),
        margin=0.4,
        wape=0.1,
        flat=0.5,
    )
    return replace(evidence, **changes)  # type: ignore[arg-type]


def judged(max_extra_cost: float = 0.25, **changes: object) -> Verdict:
    return judge(some_evidence(**changes), max_extra_cost=max_extra_cost)


def after(*verdicts: Verdict, by_itself: bool = True, start: Stage = Stage.OBSERVE) -> Standing:
    standing = Standing(stage=start, since=NOW)
    for day, verdict in enumerate(verdicts, start=1):
        standing = standing.reviewed(verdict, by_itself=by_itself, now=NOW + timedelta(days=day))
    return standing


def test_a_forecast_that_is_shorter_and_cheaper_than_reaction_as_safe_passes() -> None:
    verdict = judged()
    assert verdict.passed
    assert verdict.reason == (
        "short 1.0% of the time instead of 10.0%, for 10% more; "
        "reaction that is as safe needs 40% headroom and costs 18% more"
    )


def test_where_no_headroom_is_as_safe_the_verdict_says_so() -> None:
    verdict = judged(as_safe=a_card(short=0.02, hours=9900), margin=8.0)
    assert verdict.passed
    assert verdict.reason.endswith("no headroom makes reaction as safe: 800% does not, and costs 800% more")


def test_a_forecast_within_the_cost_that_may_be_passes_though_headroom_would_be_cheaper() -> None:
    cheap_headroom = a_card(short=0.01, hours=1050)
    assert judged(as_safe=cheap_headroom, max_extra_cost=0.12).passed
    dear = judged(as_safe=cheap_headroom, max_extra_cost=0.05)
    assert not dear.passed
    assert dear.reason == "too dear: short 1.0% of the time instead of 10.0%, for 10% more; 5% more may be"


def test_a_forecast_that_knows_no_more_than_a_flat_line_is_refused() -> None:
    verdict = judged(wape=0.48)
    assert not verdict.passed
    assert verdict.reason == "no rhythm: the forecast was off by 48%, a flat line by 50%"


def test_a_load_that_never_moves_needs_no_forecast() -> None:
    assert judged(wape=0.0, flat=0.0).reason == "no rhythm: the load has not moved, and needs no forecast"


def test_a_forecast_that_leaves_the_fleet_short_for_longer_is_refused() -> None:
    verdict = judged(floor=a_card(short=0.12, hours=900))
    assert not verdict.passed
    assert verdict.reason == "no help: short 12.0% of the time instead of 10.0%, for 10% less"


def test_as_short_and_cheaper_is_good_enough() -> None:
    same = a_card(short=0.1, hours=1000)
    assert judged(floor=a_card(short=0.1, hours=950), as_safe=same, margin=0.0).passed


def test_a_fleet_that_passes_waits_for_a_person_unless_its_file_says_auto() -> None:
    assert after(PASSED, by_itself=False).stage is Stage.APPROVE
    assert after(PASSED, by_itself=True).stage is Stage.AUTO


def test_a_fleet_that_waits_goes_on_waiting_while_it_passes_and_back_when_it_fails() -> None:
    assert after(PASSED, PASSED, PASSED, by_itself=False).stage is Stage.APPROVE
    assert after(PASSED, FAILED, by_itself=False).stage is Stage.OBSERVE


def test_one_odd_review_suspends_nobody_and_two_do() -> None:
    assert after(PASSED, FAILED, PASSED, FAILED).stage is Stage.AUTO
    standing = after(PASSED, FAILED, FAILED)
    assert (standing.stage, standing.failures, standing.reason) == (Stage.SUSPENDED, 2, "bad")
    assert standing.since == NOW + timedelta(days=3)


def test_a_suspended_fleet_recovers_by_itself() -> None:
    assert after(PASSED, FAILED, FAILED, FAILED, PASSED).stage is Stage.AUTO
    assert after(PASSED, by_itself=False, start=Stage.SUSPENDED).stage is Stage.AUTO


def test_the_time_of_a_stage_is_that_of_the_move_to_it() -> None:
    assert after(PASSED, PASSED, PASSED).since == NOW + timedelta(days=1)


def test_a_person_promotes_what_has_passed_and_nothing_else() -> None:
    waiting = after(PASSED, by_itself=False)
    promoted = waiting.promoted("ada has seen two good weeks", now=NOW)
    assert (promoted.stage, promoted.reason) == (Stage.AUTO, "ada has seen two good weeks")
    with pytest.raises(InvalidRequest, match="stands at observe, and only one that waits at approve"):
        after(FAILED).promoted("please", now=NOW)


def test_a_person_takes_a_fleet_back_from_any_stage() -> None:
    for stage in Stage:
        assert Standing(stage=stage, since=NOW).rejected("an incident", now=NOW).stage is Stage.OBSERVE


def test_only_a_person_undoes_what_a_person_put_back() -> None:
    put_back = after(PASSED).rejected("an incident", now=NOW)
    waiting = put_back.reviewed(PASSED, by_itself=True, now=NOW).reviewed(PASSED, by_itself=True, now=NOW)
    assert waiting.stage is Stage.APPROVE
    again = waiting.promoted("it was the load balancer", now=NOW)
    assert again.reviewed(PASSED, by_itself=True, now=NOW) == replace(again, reason=PASSED.reason)
    assert not again.put_back
