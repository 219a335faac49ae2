"""A job that did not come once, or came at another time, is expected again; who never comes that day is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Demand, forecast

STEP = timedelta(minutes=15)
DAY = 96
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NIGHT = slice(2 * 4, 8 * 4)


def nightly(days: int) -> np.ndarray:
    """Give days of a job from 02 to 08, one in a row."""
    values = np.zeros((days, DAY))
    values[:, NIGHT] = 1_000.0 * np.exp(np.random.default_rng(0).normal(0, 0.05, (days, 24)))
    return values


def covered(values: np.ndarray, hours: int = 0) -> float:
    """Tell what p90 has of the job in the night after the last day; of that, the last hours are not known."""
    known = values.reshape(-1)[: values.size - 4 * hours]
    found = forecast(Demand(MONDAY, STEP, known)).at(0.9)[4 * hours :]
    return float(found[NIGHT].mean())


@pytest.mark.parametrize("days", [5, 9, 16, 28])
def test_a_nightly_job_that_was_skipped_once_is_covered_the_next_night(days: int) -> None:
    values = nightly(days)
    values[-1] = 0.0
    assert covered(values) > 900.0


@pytest.mark.parametrize("hours", [20, 19, 18, 17, 15, 8])
def test_while_a_nightly_job_does_not_come_the_next_one_is_covered(hours: int) -> None:
    values = nightly(28)
    values[-1] = 0.0
    assert covered(values, hours) > 900.0


def test_a_nightly_job_that_ran_by_day_is_covered_at_night() -> None:
    values = nightly(28)
    values[-1] = 0.0
    values[-1, 40:64] = 1_000.0
    assert covered(values) > 900.0


def test_the_reason_tells_of_the_skipped_day() -> None:
    values = nightly(28)
    assert "skipped" not in forecast(Demand(MONDAY, STEP, values.reshape(-1))).reason
    values[-1] = 0.0
    assert "its last day skipped what came at that time" in forecast(Demand(MONDAY, STEP, values.reshape(-1))).reason


@pytest.mark.parametrize("every", [2, 3, 7])
@pytest.mark.parametrize("ends", [0, 1, 2])
def test_a_job_of_some_days_skips_none_of_the_others(every: int, ends: int) -> None:
    values = nightly(28)
    values[(np.arange(28) + ends) % every > 0] = 0.0
    assert "skipped" not in forecast(Demand(MONDAY, STEP, values.reshape(-1))).reason


def test_a_free_weekend_skips_nothing() -> None:
    values = nightly(28)
    values[np.arange(28) % 7 >= 5] = 0.0
    for days in (27, 28):
        assert "skipped" not in forecast(Demand(MONDAY, STEP, values[:days].reshape(-1))).reason


def test_what_was_skipped_for_two_days_is_no_longer_covered_as_if_once() -> None:
    values = nightly(28)
    values[-2:] = 0.0
    assert "skipped" not in forecast(Demand(MONDAY, STEP, values.reshape(-1))).reason
