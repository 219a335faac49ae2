"""The batched Prophet is Prophet: the same settings give the same curve."""

from __future__ import annotations

import logging
from datetime import timedelta

import numpy as np
import pandas as pd

from forecasting.loss import wape
from forecasting.prophet_map import BLOCK_HOURS, ProphetMap, ProphetShape
from forecasting.slots import Slots
from forecasting.synthetic import synthetic_demand

PER_DAY = round(24 / BLOCK_HOURS)


def prophets_own(values: np.ndarray, ahead: int) -> np.ndarray:
    logging.getLogger("cmdstanpy").disabled = True
    from prophet import Prophet

    times = pd.date_range("2026-01-05", periods=len(values) + ahead, freq="30min")
    model = Prophet(uncertainty_samples=0, yearly_seasonality=False)
    model.fit(pd.DataFrame({"ds": times[: len(values)], "y": values}))
    return np.asarray(model.predict(pd.DataFrame({"ds": times}))["yhat"])


def test_the_batched_curve_is_prophets_within_three_percent() -> None:
    ahead = 2 * PER_DAY
    whole = [
        synthetic_demand(days=30, step=timedelta(minutes=30), seed=seed, noise=0.1, growth=0.05 * seed).values
        for seed in range(3)
    ]
    known = np.stack([values[:-ahead] for values in whole]).astype(np.float32)
    slots = Slots(per_day=PER_DAY, phase=0, horizon=ahead)
    batched = ProphetMap(slots, ProphetShape(), rounds=30).curve(known, 0, known.shape[1] + ahead)
    for row, values in enumerate(whole):
        own = prophets_own(known[row].astype(float), ahead)
        assert np.median(np.abs(batched[row] - own)) < 0.03 * values.mean()
        errors = [wape(values[-ahead:], curve[-ahead:]) for curve in (batched[row], own)]
        assert abs(errors[0] / errors[1] - 1) < 0.1
