"""A replay scores a policy by what was short, idle and paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Demand, InvalidRequest, NotEnoughHistory, Policy, replay
from forecasting.foresight import Foresight
from forecasting.rehearsal import Mode, Rehearsal
from forecasting.scalers import SCALERS
from forecasting.scalers.reg import parabola
from forecasting.scorecard import scored
from forecasting.simulation import MODES
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from collections.abc import Iterable

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE, TEN = timedelta(minutes=5), timedelta(minutes=10)
HOUR = timedelta(hours=1)
QUICK = Foresight(engine="ensemble_quick")


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


def test_a_plan_may_be_less_sure_than_what_is_foreseen_of_the_next_minutes() -> None:
    demand = synthetic_demand(days=12, step=FIVE, level=20_000, daily=0.8, noise=0.1)
    rehearsal = Rehearsal(demand, since=demand.end - timedelta(hours=24), refresh=timedelta(hours=6), foresight=QUICK)
    sure = Policy(1, 80, 600.0, TEN)
    lean = replace(sure, quantile=0.6)
    leaner = replace(lean, near_quantile=sure.quantile)
    cards = [scored(rehearsal.steered(each, "steered", TEN), each) for each in (sure, leaner, lean)]

    assert sorted(cards, key=lambda card: -card.over_hours_share) == cards, "the less sure, the fewer stand idle"
    assert cards[1].under_time_share < cards[2].under_time_share / 2
    floors = [scored(rehearsal.steered(each, "floor", TEN), each) for each in (leaner, lean)]
    assert floors[0] == floors[1], "the plan's own quantile is as before"


def test_only_what_looks_ahead_is_in_time_for_a_job_by_the_clock() -> None:
    demand = synthetic_demand(days=10, step=FIVE, level=20_000, cron=1.8, noise=0.02)
    rehearsal = Rehearsal(demand, since=demand.end - timedelta(days=1), foresight=QUICK, refresh=6 * HOUR)
    policy = Policy(1, 200, 600.0)
    cards = {mode: scored(rehearsal.steered(policy, mode, TEN), policy) for mode in MODES if mode != "predictive"}
    assert cards["hybrid"].under_time_share < 0.05
    assert cards["steered"].under_time_share <= cards["hybrid"].under_time_share
    others = [card for mode, card in cards.items() if mode not in {"hybrid", "steered"}]
    assert all(card.under_time_share > 0.05 for card in others)


def test_a_rehearsal_makes_its_forecasts_once() -> None:
    demand = synthetic_demand(days=10, step=FIVE)
    made: list[datetime] = []

    def watched(instants: Iterable[datetime], _: int) -> Iterable[datetime]:
        for instant in instants:
            made.append(instant)
            yield instant

    foresight = Foresight(engine="seasonal_naive")
    rehearsal = Rehearsal(demand, since=demand.end - timedelta(hours=4), foresight=foresight, watch=watched)
    for size in (50.0, 60.0):
        rehearsal.steered(Policy(1, 80, size), "predictive", TEN)
        rehearsal.steered(Policy(1, 80, size), "hybrid", TEN)
    assert len(made) == 4


def test_many_forecasts_at_once_steer_as_one_at_a_time() -> None:
    """What a plan rests on does not depend on the refreshes that are forecast along with it."""
    demand = synthetic_demand(days=10, step=FIVE, level=20_000)
    since = demand.end - timedelta(hours=6)
    whole = Rehearsal(demand, since=since, foresight=QUICK).steered(Policy(1, 80, 600), "predictive", TEN)
    first = Rehearsal(demand, since=since, until=since + HOUR, foresight=QUICK)
    assert first.steered(Policy(1, 80, 600), "predictive", TEN).ordered.tolist() == whole.ordered[:12].tolist()


def test_the_worst_moment_and_the_restlessness_are_told() -> None:
    card = replay(a_staircase(), Policy(1, 10, 100.0), since=MONDAY + timedelta(days=1), mode="reactive", boot=TEN)
    assert card.worst_shortage == 4
    # The demand moves twice, the supply twice and later: four of 71 moves do not agree.
    assert card.instability == pytest.approx(100 * 4 / 71)


@pytest.mark.parametrize("mode", SCALERS)
def test_a_scaler_of_the_literature_follows_the_load_knowing_only_the_past(mode: Mode) -> None:
    policy, since = Policy(1, 10, 100.0), MONDAY + timedelta(days=1)
    course = Rehearsal(a_staircase(), since=since).steered(policy, mode, TEN)
    assert course.ordered.min() >= 1
    assert course.ordered.max() >= 5
    assert (course.ordered[:25] == 1).all()  # The step at slot 24 is seen at tick 25 ...
    assert course.ordered[25:27].max() >= 5 or mode == "conpaas"  # ... and answered, by most at once.
    assert course.ordered[-1] <= 5


def test_hist_remembers_the_hour_of_other_days() -> None:
    daily = np.tile(np.repeat([100.0, 500.0, 100.0], [120, 24, 144]), 4)
    rehearsal = Rehearsal(Demand(MONDAY, FIVE, daily), since=MONDAY + timedelta(days=3))
    assert rehearsal.steered(Policy(1, 10, 100.0), "hist", TEN).ordered[120] == 5


def test_a_parabola_is_followed() -> None:
    times = np.arange(30.0)
    curve = 3 + 2 * times + 0.5 * times**2
    assert parabola(curve, 12)[-2] == pytest.approx(curve[-1])


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


@pytest.mark.parametrize("minutes", [5, 30, 60])
def test_hours_paid_for_nothing_do_not_depend_on_the_slots_they_are_counted_in(minutes: int) -> None:
    """Where nobody was needed there are no hours to be a share of; they are held against one."""
    step = timedelta(minutes=minutes)
    idle = Demand(MONDAY, step, np.zeros(timedelta(days=2) // step))
    card = replay(idle, Policy(3, 9, 100.0), since=MONDAY + timedelta(days=1), mode="reactive")
    assert card.over_hours_share == pytest.approx(3 * 24)


def test_a_boot_of_no_time_or_beyond_a_day() -> None:
    since = MONDAY + timedelta(days=1)
    at_once = replay(a_staircase(), Policy(1, 10, 100.0), since=since, mode="reactive", boot=timedelta(0))
    assert at_once.under_time_share == pytest.approx(1 / 72)
    with pytest.raises(InvalidRequest, match="boot is 2d: give 0 to 24 hours"):
        replay(a_staircase(), Policy(1, 10, 100.0), since=since, mode="reactive", boot=timedelta(days=2))


def test_a_replay_that_begins_before_anything_is_known_is_refused() -> None:
    demand = synthetic_demand(days=4)
    with pytest.raises(NotEnoughHistory, match="aws_hourly needs 12h known before it: give a later one"):
        replay(demand, Policy(1, 90, 20.0), since=demand.start + HOUR, mode="aws_hourly")


@pytest.mark.parametrize("mode", ["predictive", "hybrid", "aws_hourly"])
@pytest.mark.parametrize(("step", "refresh"), [(8, 60), (36, 60), (5, 7)])
def test_ticks_and_forecasts_need_not_fall_together(mode: Mode, step: int, refresh: int) -> None:
    demand = synthetic_demand(days=4, step=timedelta(minutes=step))
    asked = {"since": demand.end - 6 * HOUR, "refresh": timedelta(minutes=refresh), "mode": mode}
    card = replay(demand, Policy(1, 90, 20.0), engine="ensemble_quick", **asked)  # type: ignore[arg-type]
    assert card.instance_hours > card.needed_hours / 2
