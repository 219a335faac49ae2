"""Backtests judge engines only by what they could have known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Demand, Event, InvalidRequest, NotEnoughHistory
from forecasting.backtest import Asked, backtest, summaries, unscored
from forecasting.loss import coverage, geometric_mean, pinball, wape
from forecasting.synthetic import MONDAY, synthetic_demand

if TYPE_CHECKING:
    from forecasting.values import Values

STEP = timedelta(minutes=30)


def test_losses_are_those_of_the_books() -> None:
    truth, guess = np.array([10.0, 20.0, np.nan, 10.0]), np.array([12.0, 16.0, 99.0, 10.0])
    assert wape(truth, guess) == pytest.approx(6 / 40)
    assert pinball(truth, guess, 0.9) == pytest.approx((0.1 * 2 + 0.9 * 4) / 40)
    assert coverage(truth, guess) == pytest.approx(2 / 3)
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)


def test_the_baseline_is_always_scored_and_is_one() -> None:
    scores = backtest({"web": synthetic_demand(days=21, step=STEP)}, Asked(engines=("ensemble_quick",), origins=3))
    by_engine = {score.engine: score for score in scores}
    assert by_engine["seasonal_naive"].relative == pytest.approx(1.0)
    assert 0 < by_engine["ensemble_quick"].relative < 1
    assert by_engine["ensemble_quick"].origins == 3


def test_the_future_is_not_looked_at() -> None:
    """What comes after the last origin's horizon, and what an origin must not know, changes no score."""
    demand = synthetic_demand(days=21, step=STEP)
    asked = Asked(engines=("ensemble_quick",), origins=1, horizon=timedelta(hours=24))
    scores = backtest({"web": demand}, asked)
    doubled = demand.values.copy()
    first = round(0.6 * len(demand)) + 48
    doubled[first:] *= 2
    after = backtest({"web": Demand(demand.start, STEP, doubled)}, asked)
    assert [score.wape for score in after] == [score.wape for score in scores]


def test_summaries_average_over_series() -> None:
    demands = {str(seed): synthetic_demand(days=15, step=STEP, seed=seed) for seed in range(2)}
    scores = backtest(demands, Asked(engines=("seasonal_naive",), origins=2))
    (summary,) = summaries(scores)
    assert summary.series == 2
    assert summary.wape == pytest.approx(np.mean([score.wape for score in scores]))


def test_too_short_a_series_is_named() -> None:
    with pytest.raises(NotEnoughHistory, match=r"^web: 3d of demand cannot be tried"):
        backtest({"web": synthetic_demand(days=3, step=STEP)})


@pytest.mark.parametrize("origins", [0, -1, 1_001])
def test_a_number_of_origins_out_of_range_is_refused(origins: int) -> None:
    with pytest.raises(InvalidRequest, match=f"^origins is {origins}: forecast from 1 to 1,000 moments$"):
        Asked(origins=origins)


def test_no_engine_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^no engine is named: try at least one$"):
        Asked(engines=())


def test_the_moment_at_which_a_history_was_too_thin_is_named() -> None:
    silent = Demand(MONDAY, STEP, np.full(7 * 48, np.nan))
    with pytest.raises(NotEnoughHistory, match=r"^web: as of 2026-01-09T04:30:00\+00:00: 0 observed values") as refused:
        backtest({"web": silent}, Asked(engines=("seasonal_naive",), horizon=timedelta(hours=6)))
    assert refused.value.series == "web"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.zeros(7 * 48), "all that came after"),
        (np.r_[np.ones(4 * 48), np.full(3 * 48, np.nan)], "nothing was measured after"),
    ],
)
def test_it_is_said_why_a_figure_could_not_be_computed(values: Values, why: str) -> None:
    asked = Asked(engines=("seasonal_naive",), horizon=timedelta(hours=6), origins=2)
    (note,) = unscored(backtest({"web": Demand(MONDAY, STEP, values)}, asked))
    assert note.startswith(f"web: {why}")


def test_an_event_is_known_by_what_it_did_longer_ago_than_the_engines_look() -> None:
    usual = synthetic_demand(days=76, step=timedelta(hours=1), noise=0.02)
    values = usual.values.copy()
    sales = []
    for day in (8, 15, 74):
        values[day * 24 : day * 24 + 24] *= 3.0
        start = usual.start + timedelta(days=day)
        sales.append(Event(name="sale", start=start, end=start + timedelta(days=1)))
    asked = Asked(origins=2, horizon=timedelta(days=2), events=sales)
    (score, _) = backtest({"shop": Demand(usual.start, usual.step, values)}, asked)
    (unaware, _) = backtest({"shop": Demand(usual.start, usual.step, values)}, replace(asked, events=sales[2:]))
    assert score.wape < 0.6 * unaware.wape


def test_a_holiday_is_known_by_what_it_did_longer_ago_than_the_engines_look() -> None:
    start, hour = datetime(2026, 3, 20, tzinfo=UTC), timedelta(hours=1)
    usual = synthetic_demand(days=68, step=hour, noise=0.02).values.copy()
    for month, day in ((4, 3), (4, 6), (5, 1), (5, 14), (5, 25)):
        first = (datetime(2026, month, day, tzinfo=UTC) - start) // hour
        usual[first : first + 24] *= 0.3
    asked = Asked(origins=2, horizon=timedelta(days=2), country="DE")
    (score, _) = backtest({"shop": Demand(start, hour, usual)}, asked)
    (unaware, _) = backtest({"shop": Demand(start, hour, usual)}, replace(asked, country=None))
    assert score.wape < 0.6 * unaware.wape
