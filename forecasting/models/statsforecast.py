"""Any model of statsforecast as an engine, by its name: "statsforecast:AutoETS". Needs the extra `statsforecast`.

The model sees half-hour means of the logarithm with the day as its season; quantiles come from a forecast of the last
week, or third, that the model had not seen.
"""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.errors import InvalidRequest, UnknownEngine, shown
from forecasting.gaps import fill
from forecasting.interval import OFFSET, ceiling, spread_of_few
from forecasting.models.seasonal_naive import instead
from forecasting.panel import Outlook

if TYPE_CHECKING:
    from forecasting.panel import Panel
    from forecasting.values import Values

PREFIX = "statsforecast:"
GRID = timedelta(minutes=30)
DAYS_FROM = 3


class StatsForecastModel:
    """One model of statsforecast, fitted to every series by itself."""

    batch = 1

    def __init__(self, engine: str) -> None:
        """Find the model by the name behind the prefix."""
        self.name = engine
        self._kind = _kind(engine)

    def predict(self, panel: Panel) -> Outlook:
        """Fit every series."""
        return Outlook.joined([self._one(each) for each in panel.each()])

    def _one(self, panel: Panel) -> Outlook:
        if panel.days < DAYS_FROM:
            return instead(panel, f"{self.name} needs {DAYS_FROM} days of history and has {panel.days:.1f}")
        try:
            return self._fitted(panel)
        except Exception as error:  # noqa: BLE001  (a model may raise anything; a forecast must still come)
            return instead(panel, f"{self.name} failed ({type(error).__name__}: {str(error)[:120]})")

    def _fitted(self, panel: Panel) -> Outlook:
        values = fill(panel.values, panel.per_day)
        mean = max(float(values.mean()), 1e-30)
        logs = np.log(values[0] / mean + OFFSET)
        held = min(panel.per_week, panel.length // 3)
        errors = logs[-held:] - self._guess(logs[:-held], panel, held)
        away = spread_of_few(errors[None, :], panel.quantiles)[0]
        quantiles = (np.exp(self._guess(logs, panel, panel.horizon)[None, :] + away[:, None]) - OFFSET) * mean
        return Outlook(
            values=np.clip(quantiles, 0.0, ceiling(values))[None],
            engines=(self.name,),
            reasons=(
                f"{self.name.removeprefix(PREFIX)} on means, daily season, from {panel.days:.0f} days of history",
            ),
        )

    def _guess(self, logs: Values, panel: Panel, ahead: int) -> Values:
        size = GRID // panel.step if panel.step < GRID and not GRID % panel.step else 1
        coarse = logs[len(logs) % size :].reshape(-1, size).mean(axis=1)
        takes_season = "season_length" in inspect.signature(self._kind).parameters
        model = self._kind(season_length=panel.per_day // size) if takes_season else self._kind()
        found = model.forecast(y=coarse, h=-(-ahead // size))["mean"]
        centres = (np.arange(len(found) + 1) - 0.5) * size
        return np.asarray(np.interp(np.arange(ahead) + 0.5, centres, [coarse[-1], *found]))


def _kind(engine: str) -> Any:
    try:
        from statsforecast import models
    except ImportError as error:
        msg = f"engine {shown(engine)} needs statsforecast: pip install 'airflow-predictive-scaling[statsforecast]'"
        raise InvalidRequest(msg) from error
    found = getattr(models, engine.removeprefix(PREFIX), None)
    if not (inspect.isclass(found) and hasattr(found, "forecast")):
        msg = f"engine {shown(engine)} is unknown: name a model of statsforecast.models, e.g. statsforecast:AutoETS"
        raise UnknownEngine(msg)
    return found
