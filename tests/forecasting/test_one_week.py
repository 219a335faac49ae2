"""With little history, a forecast is not much worse than repeating yesterday or last week, whichever is better."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Demand, forecast
from forecasting.interval import distances
from forecasting.loss import wape
from forecasting.one_week import share_of_its_kind, share_of_last_week
from forecasting.slots import Slots
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from forecasting.values import Values


def a_split(days: float, **habits: float) -> tuple[Demand, np.ndarray]:
    """Give some days of demand, and the two days that follow."""
    whole = synthetic_demand(days=days + 2, step=timedelta(minutes=15), **habits)  # type: ignore[arg-type]
    history = whole.before(whole.end - timedelta(days=2))
    return history, whole.values[len(history) :]


def repeated(history: Demand, days: int) -> np.ndarray:
    season = days * 96
    return history.values[len(history) - season + np.arange(192) % season]


@pytest.mark.parametrize("days", [7.3, 8.4, 9.0, 11.5, 13.0])
@pytest.mark.parametrize("weekend", [0.35, 1.0])
def test_with_little_history_the_better_naive_is_hardly_ever_better(days: float, weekend: float) -> None:
    ratios = []
    for seed in range(4):
        history, truth = a_split(days, weekend=weekend, noise=0.08, seed=seed)
        naive = min(wape(truth, repeated(history, 1)), wape(truth, repeated(history, 7)))
        ratios.append(wape(truth, forecast(history).at(0.5)) / naive)
    assert np.mean(ratios) < 1.15


def test_a_saturday_seen_once_is_expected_again() -> None:
    history, truth = a_split(12.0, weekend=0.3, noise=0.03)
    assert history.end.strftime("%A") == "Saturday"
    found = forecast(history)
    assert wape(truth, found.at(0.5)) < 0.25 * wape(truth, repeated(history, 1))
    assert "last week" in found.reason


@pytest.mark.parametrize("days", [4.0, 5.0, 6.0])
def test_after_its_first_weekend_a_monday_is_as_friday_was(days: float) -> None:
    whole = synthetic_demand(days=9, step=timedelta(minutes=15), weekend=0.3, noise=0.03)
    monday = whole.start + timedelta(days=7)
    history = whole.between(monday - timedelta(days=days), monday)
    truth = whole.between(monday, whole.end).values
    found = forecast(history)
    assert history.end.strftime("%A") == "Monday"
    assert wape(truth, found.at(0.5)) < 0.25 * wape(truth, repeated(history, 1))
    assert "a day of its kind" in found.reason


def test_after_its_first_saturday_a_sunday_is_no_working_day() -> None:
    whole = synthetic_demand(days=8, step=timedelta(minutes=15), weekend=0.3, noise=0.03)
    history = whole.between(whole.start + timedelta(days=1), whole.start + timedelta(days=6))
    assert history.end.strftime("%A") == "Sunday"
    truth = whole.between(history.end, history.end + timedelta(days=1)).values
    assert wape(truth, forecast(history).at(0.5)[:96]) < 0.1


def test_where_no_day_is_like_another_none_is_leant_on_for_its_kind() -> None:
    slots = Slots(per_day=24, phase=2 * 24, horizon=48)
    random = np.random.default_rng(1)
    days = np.repeat(random.lognormal(0.0, 0.5, (50, 5)), 24, axis=1)
    weekends = np.where(np.arange(120) >= 72, 0.1, 1.0) * random.lognormal(0.0, 0.02, (50, 120))
    share, usual = share_of_its_kind(days, slots)
    sure, friday = share_of_its_kind(weekends, slots)
    assert np.median(share) < 0.1
    assert np.median(sure) > 0.9
    assert np.array_equal(friday[:, :24], weekends[:, 48:72])
    assert share.shape == usual.shape == (50, 48)
    same_kind, _ = share_of_its_kind(weekends[:, :72], slots)
    assert not same_kind[:, :24].any(), "nobody has seen a Saturday"


def test_a_week_that_did_not_come_again_is_not_leant_on() -> None:
    """Every day has a level of its own: yesterday foretells nothing, and neither does last week."""
    slots = Slots(per_day=24, phase=0, horizon=24)
    noise = np.random.default_rng(1).lognormal(0.0, 0.02, (1, 9 * 24))
    blended = np.array([0.05])
    same = share_of_last_week(noise, slots, blended)
    broken = noise.copy()
    broken[:, 7 * 24 :] *= 2.0
    assert same.mean() > 0.2
    assert share_of_last_week(broken, slots, blended).mean() < 0.01


def test_the_lean_is_as_long_as_the_horizon_and_a_share() -> None:
    values = np.random.default_rng(0).lognormal(0.0, 0.5, (3, 8 * 24))
    share = share_of_last_week(values, Slots(per_day=24, phase=5, horizon=48), np.ones(3))
    assert share.shape == (3, 48)
    assert (share >= 0).all()
    assert (share <= 1).all()


def test_what_was_judged_on_few_days_is_given_wider_intervals() -> None:
    """The errors are the same, one unit up and down; only the days they come from are fewer."""

    def width(days: int) -> float:
        slots = Slots(per_day=24, phase=0, horizon=24)
        logs = np.tile([1.0, -1.0], (1, 12 * days))
        trials: list[tuple[int, Values]] = [(origin, np.zeros((1, 24))) for origin in range(0, 24 * days, 24)]
        return float(distances(logs, trials, np.ones((1, 24)), slots, (0.5, 0.9))[0, 1].mean())

    assert width(2) > 1.1 * width(9)
    assert width(20) == width(9)
