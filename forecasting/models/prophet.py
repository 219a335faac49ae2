"""Prophet, asked for what it does well: the daily and weekly shape and the trend, on a grid coarse enough to be quick.

Prophet alone is additive, knows no difference between a Tuesday and a Sunday but their mean, ignores where the series
stands now, and its own intervals are too narrow. So: logarithms, a daily shape of its own for working days and for
weekends, a correction by the latest residuals, and intervals from a fit that had not seen the days it is judged on.
"""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.correction import Correction
from forecasting.gaps import fill
from forecasting.interval import OFFSET, ceiling, spread_of_few
from forecasting.models.seasonal_naive import instead
from forecasting.outliers import drawn_in
from forecasting.panel import Outlook, Panel
from forecasting.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from forecasting.values import Values

    _Start = dict[str, Any]

GRID = timedelta(minutes=30)
DAYS_FROM = 2
WEEKS_FROM = 14
# Two sets of daily waves and a weekly one can imitate each other: without a firm prior they grow against each other.
SEASONAL_SCALE = 0.3
# Most fits take a quarter of a second, a few never end.
LONGEST_FIT_SECONDS = 20
TOLERANCE = 1e8
NEWTON_BELOW = 100  # Prophet's own choice for short series; Newton's method knows no such tolerance.


class ProphetModel:
    """Prophet on half-hour means of the logarithm, with its own correction and intervals."""

    name = "prophet"
    batch = 1

    def __init__(self) -> None:
        """Import Prophet, which takes a second or two, once for all who will work side by side."""
        with _silence():
            import prophet  # noqa: F401

    def predict(self, panel: Panel) -> Outlook:
        """Fit every series by itself."""
        with _silence():
            return Outlook.joined([self._one(each) for each in panel.each()])

    def _one(self, panel: Panel) -> Outlook:
        if panel.days < DAYS_FROM:
            return instead(panel, f"Prophet needs {DAYS_FROM} days of history and has {panel.days:.1f}")
        try:
            return self._fitted(panel)
        except TimeoutError:
            return instead(panel, f"Prophet did not settle within {LONGEST_FIT_SECONDS:g} seconds")
        except Exception as error:  # noqa: BLE001  (Prophet and cmdstan raise anything; a forecast must still come)
            return instead(panel, f"Prophet failed ({type(error).__name__}: {str(error)[:120]})")

    def _fitted(self, panel: Panel) -> Outlook:
        values = fill(panel.values, panel.per_day)
        mean = max(float(values.mean()), 1e-30)
        logs = np.log(values[0] / mean + OFFSET)
        guess, start = _guess(logs, panel, None)
        # A whole week tells working days and weekends alike; a shorter history gives what it can.
        held = min(panel.per_week, panel.length // 3)
        errors = logs[-held:] - _guess(logs[:-held], replace(panel, horizon=held), start)[0]
        distances = spread_of_few(errors[None, :], panel.quantiles)[0]
        quantiles = (np.exp(guess[None, :] + distances[:, None]) - OFFSET) * mean
        return Outlook(
            values=np.clip(quantiles, 0.0, ceiling(values))[None],
            engines=(self.name,),
            reasons=(f"Prophet on {_grid(panel)} means, {_shape(panel.days)}, from {panel.days:.0f} days of history",),
        )


def _guess(logs: Values, panel: Panel, near: _Start | None) -> tuple[Values, _Start]:
    """Forecast the logarithms that follow `logs`, on the panel's own slots; a fit of almost the same is a start."""
    size = _block(panel)
    skip = len(logs) % size
    coarse = logs[skip:].reshape(-1, size).mean(axis=1)
    start = panel.start + skip * panel.step
    step = size * panel.step
    phase, ahead = (panel.phase + skip) // size, -(-panel.horizon // size)
    slots = Slots(per_day=panel.per_day // size, phase=phase, horizon=ahead)
    habits = drawn_in(coarse[None], slots)[0]
    fitted, settled = _fit(habits, start, step, ahead=ahead, near=near)
    known = fitted[: len(coarse)]
    residuals, latest = ((each - known).astype(np.float32)[None] for each in (habits, coarse))
    corrected = fitted[len(coarse) :] + Correction(residuals, slots).carried(latest)[0]
    return _finer(np.append(fitted[len(coarse) - 1], corrected), size, panel.horizon), settled


def _fit(coarse: Values, start: datetime, step: timedelta, *, ahead: int, near: _Start | None) -> tuple[Values, _Start]:
    """Fit Prophet and give its curve over the past and `ahead` slots more, and where another fit may start."""
    import pandas as pd
    from prophet import Prophet

    days = len(coarse) * step / timedelta(days=1)
    frame = pd.DataFrame({"ds": pd.date_range(start, periods=len(coarse) + ahead, freq=step)})
    frame["weekend"] = frame["ds"].dt.dayofweek >= 5
    frame["weekday"] = ~frame["weekend"]
    prophet = Prophet(
        n_changepoints=8,
        daily_seasonality=False,
        weekly_seasonality=5 if days >= WEEKS_FROM else False,
        yearly_seasonality=False,
        seasonality_prior_scale=SEASONAL_SCALE,
        uncertainty_samples=0,
    )
    if days >= WEEKS_FROM:
        prophet.add_seasonality(name="on_weekdays", period=1, fourier_order=8, condition_name="weekday")
        prophet.add_seasonality(name="on_weekends", period=1, fourier_order=8, condition_name="weekend")
    else:
        prophet.add_seasonality(name="daily", period=1, fourier_order=8)
    begin = {"init": near} if near is not None and len(near["beta"]) == _columns(days) else {}
    # At Stan's own tolerance the line search fails on the flat top of the posterior, and Newton's way takes seconds.
    enough = {} if len(coarse) < NEWTON_BELOW else {"tol_rel_obj": TOLERANCE}
    prophet.stan_backend = _backend()
    prophet.stan_backend.set_options(newton_fallback=not enough)
    prophet.fit(frame.head(len(coarse)).assign(y=coarse), timeout=LONGEST_FIT_SECONDS, **begin, **enough)
    settled = {name: prophet.params[name][0] for name in ("k", "m", "delta", "beta", "sigma_obs")}
    settled |= {name: float(settled[name][0]) for name in ("k", "m", "sigma_obs")}
    return np.asarray(prophet.predict(frame)["yhat"], dtype=np.float64), settled


def _backend() -> Any:
    """Make Prophet's backend quicker at writing its numbers for Stan: cmdstanpy's own way takes most of a fit."""
    from prophet.models import CmdStanPyBackend

    class Written(CmdStanPyBackend):
        """The same, but for the data: written at one stroke, to a file of which Stan is told the name."""

        def fit(self, stan_init: Any, stan_data: Any, **options: Any) -> Any:
            """Fit as Prophet does."""
            _, data = self.prepare_data(stan_init, stan_data)
            with NamedTemporaryFile("w", suffix=".json") as file:
                file.write(json.dumps(data))
                file.flush()
                return super().fit(stan_init, stan_data, data=file.name, **options)

    return Written()


def _columns(days: float) -> int:
    return 2 * (8 + 8 + 5) if days >= WEEKS_FROM else 2 * 8


def _finer(coarse: Values, size: int, horizon: int) -> Values:
    """Draw lines between the centres of coarse slots, the first of which is the last of the past."""
    centres = (np.arange(len(coarse)) - 0.5) * size
    return np.asarray(np.interp(np.arange(horizon) + 0.5, centres, coarse))


def _block(panel: Panel) -> int:
    size = GRID // panel.step
    return size if size > 1 and size * panel.step == GRID else 1


def _grid(panel: Panel) -> str:
    return f"{_block(panel) * panel.step / timedelta(minutes=1):g}-minute"


def _shape(days: float) -> str:
    return "weekdays and weekends apart" if days >= WEEKS_FROM else "one daily shape (two weeks would show the week)"


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the optimiser's chatter out of the caller's log; levels would not do, cmdstanpy sets its own."""
    loggers = [logging.getLogger(name) for name in ("cmdstanpy", "prophet", "prophet.models", "prophet.plot")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
