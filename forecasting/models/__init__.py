"""The engines: one file each behind one small contract, listed here by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from forecasting.errors import UnknownEngine, shown
from forecasting.models.ensemble import ensemble, ensemble_quick
from forecasting.models.prophet import ProphetModel
from forecasting.models.prophet_batched import prophet_batched
from forecasting.models.seasonal_naive import SeasonalNaive
from forecasting.models.statsforecast import PREFIX, StatsForecastModel

if TYPE_CHECKING:
    from forecasting.panel import Outlook, Panel


class Model(Protocol):
    """An engine. To add one: write a file with such a class and list it in `_MODELS`.

    `predict` answers for every row of the panel, whatever its history, with quantiles that are finite, at least
    zero and in order; it depends on nothing but the panel, and one row's answer does not depend on the others.
    """

    @property
    def name(self) -> str:
        """The name people ask for it by."""
        ...

    def predict(self, panel: Panel) -> Outlook:
        """Forecast every series of the panel."""
        ...


_MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        ensemble(),
        ensemble_quick(),
        ProphetModel(),
        prophet_batched(),
        SeasonalNaive(),
    )
}

ENGINES: tuple[str, ...] = ("auto", *_MODELS)


def model(engine: str) -> Model:
    """Find an engine by its name; "auto" is the best all-rounder, "statsforecast:…" a model of that library."""
    if engine.startswith(PREFIX):
        return StatsForecastModel(engine)
    found = _MODELS.get("ensemble" if engine == "auto" else engine)
    if found is None:
        msg = f"engine {shown(engine)} is unknown: choose one of {', '.join(ENGINES)}"
        raise UnknownEngine(msg)
    return found
