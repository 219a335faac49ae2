"""The batched Prophet is Prophet: the same settings give the same curve."""

from __future__ import annotations

import logging
from datetime import timedelta

import numpy as np
import pandas as pd

from forecasting.loss import wape
from forecasting.prophet_map import BLOCK_HOURS, ProphetMap, ProphetShape, _design
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
    batched = ProphetMap(slots, ProphetShape(), rounds=30).fits(known, [known.shape[1]])[0](0, known.shape[1] + ahead)
    for row, values in enumerate(whole):
        own = prophets_own(known[row].astype(float), ahead)
        assert np.median(np.abs(batched[row] - own)) < 0.03 * values.mean()
        errors = [wape(values[-ahead:], curve[-ahead:]) for curve in (batched[row], own)]
        assert abs(errors[0] / errors[1] - 1) < 0.1


def plainly(values: np.ndarray, slots: Slots, shape: ProphetShape, rounds: int) -> np.ndarray:
    """Find the same mode by the equations as the posterior has them, column by column."""
    columns = _design(slots, shape, len(values), np.arange(len(values), dtype=float))
    height = np.abs(values).max()
    prior = np.repeat([1 / 5.0**2, 1 / 10.0**2, 0.0], [2, columns.shape[1] - 2 - shape.breaks, shape.breaks])
    bends, noise, fitted = np.full(shape.breaks, 0.05), 0.01, values
    for _ in range(rounds):
        prior[-shape.breaks :] = 1 / (0.05 * np.maximum(np.abs(bends), 1e-5))
        found = np.linalg.solve(columns.T @ columns + noise * np.diag(prior), columns.T @ (values / height))
        bends, fitted = found[-shape.breaks :], columns @ found
        noise = ((values / height - fitted) ** 2).sum() / len(values)
    return np.asarray(fitted * height)


def test_the_mode_is_where_the_plain_equations_have_it() -> None:
    values = synthetic_demand(days=20, step=timedelta(minutes=30), noise=0.1, growth=0.2).values
    slots, shape = Slots(per_day=PER_DAY, phase=0, horizon=1), ProphetShape(breaks=10, weekends_apart=True)
    curve = ProphetMap(slots, shape, rounds=6).fits(values[None].astype(np.float32), [len(values)])[0](0, len(values))
    assert np.abs(curve[0] - plainly(values, slots, shape, 6)).max() < 1e-4 * values.mean()
