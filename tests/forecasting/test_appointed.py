"""What is known to come is the least of what is expected, and never added to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from forecasting import Forecast
from forecasting.appointed import at_least

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_forecast(level: float = 2.0) -> Forecast:
    values = np.stack([np.full(24, level), np.full(24, level + 1)])
    return Forecast(start=MONDAY, step=HOUR, quantiles=(0.5, 0.9), values=values, engine="ensemble", reason="by habit")


def test_a_run_that_nobody_expected_raises_every_quantile_while_it_lasts() -> None:
    raised = at_least(a_forecast(), [(MONDAY + 3 * HOUR, MONDAY + 5 * HOUR, 10.0)], "the monthly report runs")
    assert raised.at(0.5)[2:6].tolist() == [2, 10, 10, 2]
    assert raised.at(0.9)[2:6].tolist() == [3, 10, 10, 3]
    assert raised.reason == "by habit; the monthly report runs"


def test_loads_at_the_same_time_add_up_and_part_of_a_slot_counts_as_its_part() -> None:
    half = [(MONDAY, MONDAY + HOUR / 2, 8.0), (MONDAY, MONDAY + HOUR, 1.0)]
    assert at_least(a_forecast(), half, "two runs").at(0.5)[:2].tolist() == [5, 2]


def test_a_forecast_that_knew_stays_the_same() -> None:
    known = a_forecast(20.0)
    assert at_least(known, [(MONDAY, MONDAY + HOUR, 10.0)], "a run") is known
    assert at_least(known, [], "none") is known


def test_what_lies_outside_the_horizon_is_left_out() -> None:
    known = a_forecast()
    before_and_after = [(MONDAY - 2 * HOUR, MONDAY, 9.0), (MONDAY + 24 * HOUR, MONDAY + 30 * HOUR, 9.0)]
    assert at_least(known, before_and_after, "runs of other days") is known
