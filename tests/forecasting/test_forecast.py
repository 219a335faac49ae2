"""A forecast is consistent by construction and survives the trip through JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Forecast, InvalidForecast

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def a_forecast(values: object = ((1.0, 2.0), (3.0, 6.0)), quantiles: tuple[float, ...] = (0.5, 0.9)) -> Forecast:
    return Forecast(
        start=MONDAY,
        step=timedelta(minutes=5),
        quantiles=quantiles,
        values=np.array(values),
        engine="by hand",
        reason="a test",
    )


def test_a_known_quantile_is_given_as_it_is() -> None:
    assert a_forecast().at(0.9).tolist() == [3.0, 6.0]


def test_a_quantile_in_between_is_interpolated() -> None:
    assert a_forecast().at(0.7) == pytest.approx([2.0, 4.0])


@pytest.mark.parametrize("quantile", [0.1, 0.99, float("nan")])
def test_a_quantile_outside_is_refused(quantile: float) -> None:
    with pytest.raises(InvalidForecast, match=r"outside the forecast's 0\.5, 0\.9"):
        a_forecast().at(quantile)


def test_a_value_is_found_by_its_instant() -> None:
    assert a_forecast().value_at(MONDAY + timedelta(minutes=7), 0.5) == 2.0
    with pytest.raises(InvalidForecast, match="outside the forecast"):
        a_forecast().value_at(MONDAY + timedelta(minutes=10), 0.5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (((3.0, 2.0), (1.0, 6.0)), "must not cross"),
        (((-1.0, 2.0), (1.0, 6.0)), "at least 0"),
        (((1.0, float("nan")), (1.0, 6.0)), "finite"),
        (((1.0, 2.0),), "one row for each"),
    ],
)
def test_an_inconsistent_forecast_cannot_be_made(values: object, words: str) -> None:
    with pytest.raises(InvalidForecast, match=words):
        a_forecast(values)


@pytest.mark.parametrize("quantiles", [(0.9, 0.5), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0), (float("nan"),), ()])
def test_quantiles_out_of_order_or_range_are_refused(quantiles: tuple[float, ...]) -> None:
    with pytest.raises(InvalidForecast, match="ascending between 0 and 1"):
        a_forecast(quantiles=quantiles)


def test_json_gives_back_the_same_forecast() -> None:
    forecast = a_forecast(((1 / 3, 2.0), (3.0, 1e300)))
    assert Forecast.from_json(forecast.to_json()) == forecast


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "forecast/0"}', '{"format": "forecast/1"}', "[" * 100_000]
)
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidForecast):
        Forecast.from_json(text)


def test_json_is_plain_and_versioned() -> None:
    data = json.loads(a_forecast().to_json())
    assert data["format"] == "forecast/1"
    assert data["values"] == [[1.0, 2.0], [3.0, 6.0]]
