"""Every forecast is held against what came, once; what held too seldom is asked for with more care."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Demand, Forecast, InvalidForecast, Policy
from forecasting.accuracy import HIGHEST, Accuracy, accuracy, adapted_quantile
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric
from predictive_scaling.storage import Storage
from predictive_scaling.track_record import quantile_to_ask, score, track_record

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE = timedelta(minutes=5)
SLOTS = 48 * 12
WEB = FleetSpec(name="web", group="web", metric=Metric(namespace="A", name="B"), policy=Policy(1, 9, 100.0))


def a_forecast(start: datetime = MONDAY, *, p50: float = 100, p90: float = 120) -> Forecast:
    rows = np.array([[p50] * SLOTS, [p90] * SLOTS], dtype=float)
    return Forecast(start=start, step=FIVE, quantiles=(0.5, 0.9), values=rows, engine="x", reason="y")


def a_truth(*values: float, start: datetime = MONDAY) -> Demand:
    return Demand(start, FIVE, np.resize(np.array(values, dtype=float), SLOTS))


def test_errors_bias_and_coverage_are_those_of_arithmetic() -> None:
    found = accuracy(a_forecast(), a_truth(80, 120, 130, 110))
    assert found is not None
    assert found.slots == SLOTS
    assert found.wape == pytest.approx((20 + 20 + 30 + 10) / 440)
    assert found.bias == pytest.approx(-40 / 440)
    assert found.coverage == 0.75


def test_a_forecast_is_not_judged_before_its_time_or_on_little_evidence() -> None:
    early = Demand(MONDAY, FIVE, np.full(SLOTS - 1, 100.0))
    sparse = a_truth(100, np.nan, np.nan)
    assert accuracy(a_forecast(), early) is None
    assert accuracy(a_forecast(), sparse) is None


def test_what_was_not_measured_does_not_count() -> None:
    found = accuracy(a_forecast(), a_truth(100, np.nan))
    assert found is not None
    assert (found.slots, found.wape) == (SLOTS / 2, 0)


def test_a_quantile_that_holds_stays_and_one_that_fails_moves_up_within_bounds() -> None:
    assert adapted_quantile(0.9, [0.9] * 100) == pytest.approx(0.9)
    assert adapted_quantile(0.9, [0.7] * 24) > 0.91
    assert adapted_quantile(0.9, [0.0] * 1000) == HIGHEST
    assert adapted_quantile(0.9, [1.0] * 24) < 0.9


def test_each_forecast_is_scored_once_and_its_score_is_kept(tmp_path: Path) -> None:
    storage = Storage.at(f"file://{tmp_path}")
    storage.save_forecast(WEB, a_forecast())
    storage.save_forecast(WEB, a_forecast(MONDAY + timedelta(hours=1)))
    first = score(WEB, a_truth(100), storage)

    assert list(first) == ["20260105T0000Z"], "the second one's time has not come"
    assert storage.accuracies(WEB) == first
    (file,) = (tmp_path / "accuracy" / "web").iterdir()
    kept = file.stat().st_mtime_ns
    assert score(WEB, a_truth(100), storage) == first
    assert file.stat().st_mtime_ns == kept


def test_the_record_is_told_in_words_and_changes_what_is_asked_for() -> None:
    poor = Accuracy(slots=SLOTS, wape=0.2, bias=-0.1, pinball=0.1, coverage=0.7)
    scores = {f"{hour:03}": poor for hour in range(48)}
    assert track_record({}) == ""
    assert "off by 20%, 10% too low on balance, and p90 held 70% of the time" in track_record(scores)
    level, (note,) = quantile_to_ask(0.9, scores)
    assert level > 0.9
    assert "for p90" in note
    assert quantile_to_ask(0.9, {}) == (0.9, ())


def test_numbers_that_are_no_accuracy_are_refused() -> None:
    with pytest.raises(InvalidForecast, match="score the forecast again"):
        Accuracy.from_mapping({"slots": 3})
