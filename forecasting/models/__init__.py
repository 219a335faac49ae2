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
    from collections.abc import Callable

    from forecasting.panel import Outlook, Panel


class Model(Protocol):
    """An engine. To add one: write a file with such a class and list it in `_MODELS` by its name.

    `predict` answers for every row of the panel, whatever its history, with quantiles that are finite, at least
    zero and in order; it depends on nothing but the panel, and one row's answer does not depend on the others.
    """

    @property
    def name(self) -> str:
        """The name people ask for it by."""
        ...

    @property
    def batch(self) -> int:
        """The number of series it is quickest with; more are shared out among the workers."""
        ...

    def predict(self, panel: Panel) -> Outlook:
        """Forecast every series of the panel."""
        ...


_MODELS: dict[str, Callable[[], Model]] = {
    "auto": ensemble,  # the best all-rounder
    "ensemble": ensemble,
    "ensemble_quick": ensemble_quick,
    "prophet": ProphetModel,
    "prophet_batched": prophet_batched,
    "seasonal_naive": SeasonalNaive,
}

ENGINES: tuple[str, ...] = tuple(_MODELS)


def model(engine: str) -> Model:
    """Make an engine by its name, with all imported that it needs; "statsforecast:…" is a model of that library."""
    check_engine(engine)
    return StatsForecastModel(engine) if engine.startswith(PREFIX) else _MODELS[engine]()


def check_engine(engine: str) -> None:
    """Refuse a name that no engine has."""
    if engine.startswith(PREFIX):
        StatsForecastModel(engine)
    elif engine not in _MODELS:
        msg = f"engine {shown(engine)} is unknown: choose one of {', '.join(ENGINES)}"
        raise UnknownEngine(msg)
