"""The real Prophet, fitted in earnest on a small demand."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting import forecast as make_forecast
from forecasting import forecast_many
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    import pytest


def test_prophet_learns_weekdays_and_weekends_apart() -> None:
    history, whole = (
        synthetic_demand(days=days, step=timedelta(minutes=30), weekend=0.4, noise=0.03) for days in (21, 23)
    )
    truth = whole.values[-96:]
    forecast = make_forecast(history, engine="prophet")
    assert forecast.engine == "prophet"
    assert "weekdays and weekends apart" in forecast.reason
    assert np.abs(forecast.at(0.5) - truth).sum() < 0.15 * truth.sum()
    assert (truth <= forecast.at(0.95)).mean() > 0.75


def test_prophet_stands_aside_when_history_is_too_short_and_says_so() -> None:
    forecast = make_forecast(synthetic_demand(days=1.5, step=timedelta(minutes=30)), engine="prophet")
    assert forecast.engine == "seasonal_naive"
    assert "Prophet needs 2 days of history and has 1.5" in forecast.reason


def test_many_fits_give_what_one_gives_and_keep_the_log_quiet(caplog: pytest.LogCaptureFixture) -> None:
    demands = {name: synthetic_demand(days=9, step=timedelta(hours=1), seed=seed) for seed, name in enumerate("ab")}
    with caplog.at_level(logging.DEBUG):
        together = forecast_many(demands, engine="prophet", workers=2)
    assert not [record for record in caplog.records if "stan" in record.name]
    assert np.allclose(together["a"].values, make_forecast(demands["a"], engine="prophet").values)


def test_a_fit_that_does_not_end_is_given_up_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecasting.models.prophet.LONGEST_FIT_SECONDS", 1e-4)
    found = make_forecast(synthetic_demand(days=9, step=timedelta(hours=1)), engine="prophet")
    assert found.engine == "seasonal_naive"
    assert found.reason.startswith("Prophet did not settle within 0.0001 seconds; instead the same time yesterday")
