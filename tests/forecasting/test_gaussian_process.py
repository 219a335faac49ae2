"""A Gaussian process knows the habits of demand, and how long a level lasts, without having been taught."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.gaussian_process import GaussianProcess
from forecasting.slots import Slots
from forecasting.values import block_means

HOURS = np.arange(5 * 7 * 24)
BY_DAY = np.sin(2 * np.pi * HOURS / 24)
KNOWN, AHEAD = 28 * 24, 48


def guess(logs: np.ndarray, *, known: int = KNOWN, phase: int = 0) -> np.ndarray:
    slots = Slots(per_day=24, phase=phase, horizon=AHEAD)
    before = logs[None, :known]
    return np.asarray(GaussianProcess(slots).guess(before, before, np.zeros((1, slots.horizon)))[0])


def test_the_day_goes_on_as_it_was() -> None:
    assert guess(BY_DAY) == pytest.approx(BY_DAY[KNOWN : KNOWN + AHEAD], abs=0.02)


@pytest.mark.parametrize("phase", [0, 50, 100])
def test_a_weekend_is_expected_when_the_calendar_has_it(phase: int) -> None:
    weekend = (HOURS + phase) % 168 >= 120
    logs = BY_DAY - weekend
    known = KNOWN - (KNOWN + phase - 96) % 168  # the end of a Thursday
    assert guess(logs, known=known, phase=phase) == pytest.approx(logs[known : known + AHEAD], abs=0.1)


def test_a_weekend_nobody_saw_has_the_shape_of_a_working_day() -> None:
    found = guess(BY_DAY, known=5 * 24)
    assert found[:24] == pytest.approx(BY_DAY[:24], abs=0.35)


def test_a_new_level_is_believed_the_more_the_longer_it_lasts() -> None:
    followed = [guess(BY_DAY + np.where(age >= KNOWN - HOURS, 1.0, 0.0))[-24:].mean() for age in (1, 6, 48)]
    assert 0 < followed[0] < followed[1] < followed[2]
    assert followed[0] < 0.2
    assert followed[2] > 0.5


def test_what_strayed_days_ago_is_taken_as_it_was_drawn_in_and_what_strays_now_followed_in_part() -> None:
    slots = Slots(per_day=24, phase=0, horizon=AHEAD)
    habits, none = BY_DAY[None, :KNOWN], np.zeros((1, AHEAD))
    known = habits.copy()
    known[0, KNOWN - 60 : KNOWN - 48] += 2
    process = GaussianProcess(slots)
    assert (process.guess(known, habits, none) == process.guess(habits, habits, none)).all()
    known[0, -6:] += 2
    followed = process.guess(known, habits, none) - process.guess(habits, habits, none)
    assert 0.1 < followed[0, 0] < 0.3
    assert 0 < followed[0, -1] < 0.15


def test_within_an_hour_it_is_the_shape_that_counts() -> None:
    slots = Slots(per_day=96, phase=0, horizon=4 * AHEAD)
    known, shape = np.repeat(BY_DAY[:KNOWN], 4)[None], np.tile([3.0, 0.0, 0.0, 1.0], AHEAD)[None]
    found = GaussianProcess(slots).guess(known, BY_DAY[None, :KNOWN], shape).reshape(AHEAD, 4)
    assert found.mean(axis=1) == pytest.approx(guess(BY_DAY), abs=1e-4)
    assert found - found.mean(axis=1, keepdims=True) == pytest.approx(np.tile([2.0, -1.0, -1.0, 0.0], (AHEAD, 1)))


@pytest.mark.parametrize("known", [KNOWN, KNOWN - 13, 80])
def test_a_longer_horizon_changes_nothing_of_the_nearer_hours(known: int) -> None:
    unit = np.eye(known, dtype=np.float64)
    slots = Slots(per_day=24, phase=0, horizon=AHEAD)
    found = GaussianProcess(slots).guess(unit, unit, np.zeros((known, AHEAD)))
    alone = GaussianProcess(Slots(per_day=24, phase=0, horizon=AHEAD + 24)).guess(unit, unit, np.zeros((known, 72)))
    assert found == pytest.approx(alone[:, :AHEAD], abs=1e-4)


@pytest.mark.parametrize("per_day", [4, 9, 45, 1440])
def test_any_step_that_divides_a_day_will_do(per_day: int) -> None:
    days = np.arange(21 * per_day) / per_day
    hour = Slots(per_day=per_day, phase=0, horizon=1).hour
    slots = Slots(per_day=per_day, phase=0, horizon=2 * per_day // hour * hour)
    known = np.sin(2 * np.pi * days)[None]
    hours = block_means(known[:, known.shape[1] % hour :], hour)
    found = GaussianProcess(slots).guess(known, hours, known[:, : slots.horizon])
    assert found == pytest.approx(known[:, : slots.horizon], abs=0.1)
