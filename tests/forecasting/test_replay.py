"""A replay scores a policy by what was short, idle and paid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Demand, InvalidRequest, Policy, replay
from forecasting.simulation import MODES
from forecasting.synthetic import synthetic_demand

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def a_staircase() -> Demand:
    """A day at 100, then two hours at 100, two at 500, two at 100."""
    return Demand(MONDAY, FIVE, np.array([100.0] * 288 + [100.0] * 24 + [500.0] * 24 + [100.0] * 24))


def test_reacting_is_short_for_the_time_it_takes_to_see_and_to_boot() -> None:
    policy = Policy(1, 10, 100.0, price_per_hour=2.0)
    card = replay(a_staircase(), policy, since=MONDAY + timedelta(days=1), mode="reactive", boot=timedelta(minutes=10))
    # One tick to see the load and two to boot, four of five instances short; fifteen minutes and a tick to let go.
    assert card.under_time_share == pytest.approx(3 / 72)
    assert card.theta_u == pytest.approx(100 * 3 * 0.8 / 72)
    assert card.theta_o == pytest.approx(100 * 4 * 4 / 72)
    assert card.needed_hours == pytest.approx(2 + 10 + 2)
    assert card.instance_hours == pytest.approx(card.needed_hours + (4 * 4 - 4) / 12)
    assert card.cost == pytest.approx(2 * card.instance_hours)
    assert card.actions_per_day == pytest.approx(2 * 4)


def test_a_fleet_that_always_has_enough_is_never_short() -> None:
    card = replay(a_staircase(), Policy(5, 5, 100.0), since=MONDAY + timedelta(days=1), mode="reactive")
    assert (card.under_time_share, card.theta_u, card.actions_per_day) == (0.0, 0.0, 0.0)
    assert card.over_hours_share == pytest.approx(16 / 14)


def test_what_nobody_measured_is_left_out() -> None:
    demand = a_staircase()
    values = demand.values.copy()
    values[-60:-48] = np.nan
    card = replay(Demand(MONDAY, FIVE, values), Policy(1, 10, 100.0), since=MONDAY + timedelta(days=1), mode="reactive")
    assert card.needed_hours == pytest.approx(14 - 1)


def test_foresight_is_short_less_often_than_reaction_and_both_together_least() -> None:
    demand = synthetic_demand(days=16, step=FIVE, level=20_000, daily=0.8)
    policy = Policy(1, 80, 600.0, timedelta(minutes=15))
    cards = {
        mode: replay(
            demand,
            policy,
            since=demand.end - timedelta(hours=24),
            mode=mode,
            engine="ensemble_quick",
            boot=timedelta(minutes=10),
            refresh=timedelta(hours=6),
        )
        for mode in MODES
    }
    assert cards["predictive"].under_time_share < cards["reactive"].under_time_share
    assert cards["hybrid"].under_time_share <= cards["predictive"].under_time_share
    assert cards["hybrid"].under_time_share < cards["aws_hourly"].under_time_share
    assert cards["hybrid"].over_hours_share < 0.4


def test_a_replay_knows_only_what_had_been_measured() -> None:
    """A spike in the last hour cannot be foreseen: the plan made before it is the same with and without."""
    calm = synthetic_demand(days=15, step=FIVE, level=20_000)
    spiked = calm.values.copy()
    spiked[-12:] *= 5
    policy = Policy(1, 500, 600.0)
    both = [
        replay(
            demand,
            policy,
            since=calm.end - timedelta(hours=2),
            engine="ensemble_quick",
            refresh=timedelta(hours=1),
        )
        for demand in (calm, Demand(calm.start, FIVE, spiked))
    ]
    assert both[0].instance_hours == both[1].instance_hours
    assert both[1].theta_u > both[0].theta_u


def test_an_hourly_demand_is_replayed_in_ticks_of_five_minutes() -> None:
    hourly = Demand(MONDAY, timedelta(hours=1), np.array([100.0] * 24 + [300.0] * 12))
    card = replay(hourly, Policy(1, 10, 100.0), since=MONDAY + timedelta(hours=20), mode="reactive")
    assert card.under_time_share == pytest.approx(2 / (16 * 12))


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (MONDAY - timedelta(days=1), None),
        (MONDAY + timedelta(days=9), None),
        (MONDAY + timedelta(hours=5), MONDAY + timedelta(hours=4)),
    ],
)
def test_a_time_outside_the_demand_is_refused(since: datetime, until: datetime | None) -> None:
    with pytest.raises(InvalidRequest, match="within the demand"):
        replay(a_staircase(), Policy(1, 10, 100.0), since=since, until=until)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="mode 'magic' is unknown: choose one of predictive"):
        replay(a_staircase(), Policy(1, 10, 100.0), since=MONDAY + FIVE, mode="magic")  # type: ignore[arg-type]
