"""Backtests judge engines only by what they could have known."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasting import Demand, InvalidRequest, NotEnoughHistory
from forecasting.backtest import Asked, backtest, summaries
from forecasting.loss import coverage, geometric_mean, pinball, wape
from forecasting.synthetic import synthetic_demand

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
    with pytest.raises(NotEnoughHistory, match=r"^web: 3 days, 0:00:00 of demand cannot be tried"):
        backtest({"web": synthetic_demand(days=3, step=STEP)})


def test_no_origins_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="origins is 0"):
        Asked(origins=0)
