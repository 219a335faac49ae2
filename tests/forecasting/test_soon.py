"""Loads seen are laid where they were measured, so that a forecast is compared with its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from forecasting import Forecast
from forecasting.soon import on_the_grid_of

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
FORECAST = Forecast(start=NOON, step=FIVE, quantiles=(0.5,), values=np.ones((1, 12)), engine="x", reason="by hand")


def test_what_a_period_gave_at_its_end_lies_in_that_period() -> None:
    points = on_the_grid_of(FORECAST, [(NOON, 9.0), (NOON + FIVE, 1.0), (NOON + 3 * FIVE, 3.0)])
    assert points is not None
    assert (points.start, points.values.tolist()[0], points.values.tolist()[2]) == (NOON, 1.0, 3.0)
    assert len(points) == 3


def test_several_looks_at_one_slot_are_its_mean() -> None:
    minute = timedelta(minutes=1)
    points = on_the_grid_of(FORECAST, [(NOON + minute, 1.0), (NOON + 4 * minute, 2.0)])
    assert points is not None
    assert points.values.tolist() == [1.5]
