"""A model of statsforecast serves as an engine."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec

import numpy as np
import pytest
from services import without

from forecasting import UnknownEngine, forecast
from forecasting.loss import wape
from forecasting.synthetic import synthetic_demand

HALF_HOUR = timedelta(minutes=30)


@pytest.fixture(autouse=True, scope="module")
def _statsforecast() -> None:
    """The library is an extra; the tests' environment has it."""
    if find_spec("statsforecast") is None:
        without("statsforecast", "run `make test`, which installs it")


def test_a_model_of_statsforecast_serves_with_quantiles_of_its_own_errors() -> None:
    whole = synthetic_demand(days=16, step=HALF_HOUR, weekend=1.0, noise=0.03)
    history, truth = whole.before(whole.end - timedelta(days=2)), whole.values[-96:]
    found = forecast(history, engine="statsforecast:AutoETS")
    assert found.engine == "statsforecast:AutoETS"
    assert "AutoETS on means" in found.reason
    assert wape(truth, found.at(0.5)) < 0.12
    assert 0.7 < float((truth <= found.at(0.95)).mean()) <= 1.0


def test_a_model_without_seasons_serves_too_and_finer_steps_are_averaged() -> None:
    found = forecast(synthetic_demand(days=4, step=timedelta(minutes=10)), engine="statsforecast:HistoricAverage")
    assert len(found) == 288
    assert np.ptp(found.at(0.5)[12:]) < 1e-6 * found.at(0.5).max()


def test_a_short_history_is_served_by_repetition_which_says_so() -> None:
    found = forecast(synthetic_demand(days=2.5, step=HALF_HOUR), engine="statsforecast:AutoETS")
    assert found.engine == "seasonal_naive"
    assert "statsforecast:AutoETS needs 3 days of history and has 2.5" in found.reason


@pytest.mark.parametrize("name", ["Crystal", "", "np"])
def test_a_model_nobody_wrote_is_refused(name: str) -> None:
    with pytest.raises(UnknownEngine, match=r"name a model of statsforecast\.models"):
        forecast(synthetic_demand(days=4, step=HALF_HOUR), engine=f"statsforecast:{name}")
