"""Jobs that start on the hour are forecast on the hour, and chance is not taken for a job."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasting import forecast as make_forecast
from forecasting.hourly import hourly_pattern
from forecasting.loss import wape
from forecasting.seasons import around
from forecasting.slots import Slots
from forecasting.synthetic import synthetic_demand

FIVE = Slots(per_day=288, phase=0, horizon=24)


@pytest.mark.parametrize("step", [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15)])
def test_a_spike_at_every_full_hour_is_forecast_where_it_will_be(step: timedelta) -> None:
    """The history ends within an hour, at twenty to; the engine has no last week that shows the spikes."""
    days = 21 + 40 / 1440
    history, whole = (synthetic_demand(days=each, step=step, cron=2.5, noise=0.02) for each in (days, days + 1))
    truth = whole.values[len(history) :]
    found = make_forecast(history, engine="prophet_batched", horizon=timedelta(days=1)).at(0.5)
    assert wape(truth, found) < 0.08


def test_the_pattern_begins_where_the_history_does() -> None:
    spikes = np.tile(np.eye(12)[3], 24 * 7)[5:]
    pattern = hourly_pattern(spikes[None], FIVE)
    assert around(pattern, 0, len(spikes))[0] == pytest.approx(spikes - 1 / 12, abs=1e-6)


def test_what_days_do_not_agree_on_is_no_pattern() -> None:
    noise = np.random.default_rng(0).normal(0.0, 0.2, (50, 288 * 14))
    of_chance = noise.reshape(50, -1, 12).mean(axis=1)
    assert np.abs(hourly_pattern(noise, FIVE)).mean() < 0.5 * np.abs(of_chance).mean()


def test_an_hourly_step_has_no_pattern_of_the_hour() -> None:
    assert not hourly_pattern(np.ones((2, 24 * 14)), Slots(per_day=24, phase=0, horizon=24)).any()
