"""An engine changes only when another has clearly been better three times running."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from forecasting import backtest, champion
from forecasting.backtest import Asked
from forecasting.champion import scores_of
from forecasting.synthetic import synthetic_demand

HOUR = timedelta(hours=1)


def rounds(*naive: float) -> list[dict[str, float]]:
    return [{"ensemble": 0.10, "seasonal_naive": error} for error in naive]


def test_three_clear_wins_change_the_champion() -> None:
    engine, reason = champion(rounds(0.2, 0.09, 0.08, 0.09))
    assert engine == "seasonal_naive"
    assert reason == "seasonal_naive takes over from ensemble: better by at least 10% in 3 backtests running"


@pytest.mark.parametrize(
    "errors", [(), (0.05, 0.05), (0.05, 0.05, 0.098), (0.05, 0.11, 0.05), (float("nan"), 0.05, 0.05)]
)
def test_less_than_that_does_not(errors: tuple[float, ...]) -> None:
    engine, reason = champion(rounds(*errors))
    assert engine == "ensemble"
    assert reason.startswith("ensemble stays")


def test_the_old_champion_needs_three_wins_to_come_back() -> None:
    history = rounds(0.09, 0.09, 0.09)
    engine, _ = champion(history)
    assert champion([*history, *rounds(0.11, 0.11)], engine)[0] == "seasonal_naive"
    assert champion([*history, *rounds(0.11, 0.11, 0.11)], engine)[0] == "ensemble"


def test_of_two_challengers_the_steadier_wins() -> None:
    history = [{"ensemble": 1.0, "a": error, "b": 0.8} for error in (0.5, 0.5, 0.9)]
    assert champion(history)[0] == "b"


def test_a_backtest_gives_an_entry_that_survives_json() -> None:
    demand = synthetic_demand(days=20, step=HOUR)
    scores = backtest({"web": demand}, Asked(engines=("ensemble_quick",), origins=2))
    entry = scores_of("web", scores)
    assert set(entry) == {"ensemble_quick", "seasonal_naive"}
    assert json.loads(json.dumps(entry)) == entry
