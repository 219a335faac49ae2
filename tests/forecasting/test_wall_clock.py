"""Clocks that change leave no hole in what can be forecast, and shift nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import calibrate, forecast, refresh
from forecasting.synthetic import synthetic_demand
from forecasting.wall_clock import wall_clock

FIVE, DAY = timedelta(minutes=5), timedelta(days=1)
BERLIN = "Europe/Berlin"
BACK = datetime(2025, 10, 26, 1, tzinfo=UTC)  # The clocks of Berlin show two again instead of three.
FORTH = datetime(2026, 3, 29, 1, tzinfo=UTC)  # They show three instead of two.


@pytest.mark.parametrize("minutes", [0, 5, 30, 55, 60])
def test_a_forecast_can_be_made_within_the_hour_that_comes_twice(minutes: int) -> None:
    now = BACK + timedelta(minutes=minutes)
    start = now - 20 * DAY
    whole = synthetic_demand(days=21, step=FIVE, start=start, timezone=BERLIN, noise=0.01)
    made = forecast(whole.before(now), timezone=BERLIN, horizon=timedelta(hours=6))
    truth = whole.values[-288:][:72]
    assert made.start == now
    assert np.abs(made.at(0.5)[24:] / truth[24:] - 1).mean() < 0.15


def test_a_history_that_begins_within_the_hour_that_comes_twice_keeps_its_place_in_the_week() -> None:
    wall = wall_clock(BACK - timedelta(minutes=30), FIVE, 288, 12, BERLIN)
    shown = wall.start + int(wall.past[0]) * FIVE
    assert shown == datetime(2025, 10, 26, 2, 30)  # noqa: DTZ001  (the clock's own time)
    assert wall.past.min() == 0


@pytest.mark.parametrize("hours", [1, 6, 24, 48])
@pytest.mark.parametrize("change", [BACK, FORTH])
def test_what_was_learnt_before_the_clocks_change_is_no_hindrance_when_they_do(change: datetime, hours: int) -> None:
    whole = synthetic_demand(days=22, step=FIVE, start=change - 21 * DAY, timezone=BERLIN)
    learnt = calibrate({"web": whole.before(change - 2 * DAY)}, horizon=timedelta(hours=hours), timezone=BERLIN)
    for now in (change - timedelta(minutes=30), change + timedelta(minutes=30)):
        made = refresh({"web": whole.before(now)}, learnt, timezone=BERLIN)["web"]
        assert made.end - made.start == timedelta(hours=hours)
