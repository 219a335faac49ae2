"""Every way in which this package says no.

ForecastingError
├── InvalidDemand         a series, or a file of one, that cannot be read as demand
├── NotEnoughHistory      a series too short or too empty to forecast from
├── InvalidForecast       quantiles that cross, a forecast that is stale, a quantile nobody computed
├── InvalidCalibration    text that is not a calibration, or one of another version
├── InvalidPolicy         a bound, price or duration that contradicts itself
├── InvalidPlan           steps that are not in order
├── InvalidDuration       text that is not a length of time
├── InvalidRequest        an argument outside what can be answered: horizon, quantiles, time zone, event
└── UnknownEngine         a model name nobody registered

All are ValueErrors: the caller can mend them, waiting cannot.
"""

from __future__ import annotations

from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


class ForecastingError(ValueError):
    """Any refusal of this package; `series` names the one at fault, where many were given."""

    series: str | None = None

    def about(self, name: str) -> Self:
        """Give the same refusal with the name of the file, key or series that it is about."""
        named = type(self)(f"{name}: {self}")
        named.series = name
        return named


class InvalidDemand(ForecastingError):
    """The series cannot be read as demand."""


class NotEnoughHistory(ForecastingError):
    """The series is too short or too empty to forecast from."""


class InvalidForecast(ForecastingError):
    """The forecast is inconsistent, stale, or lacks the quantile asked for."""


class InvalidCalibration(ForecastingError):
    """The text is not a calibration of this version."""


class InvalidPolicy(ForecastingError):
    """The policy contradicts itself or holds an unreadable field."""


class InvalidPlan(ForecastingError):
    """The plan's steps are not an ordered sequence of capacities."""


class InvalidDuration(ForecastingError):
    """The text is not a length of time."""


class InvalidRequest(ForecastingError):
    """An argument lies outside what can be answered."""


class UnknownEngine(ForecastingError):
    """No model of this name is registered."""


def shown(value: object) -> str:
    """Show a value in an error as Python writes it, cut short where somebody gave a whole book."""
    return _SHORT.repr(value)


def unknown_key(key: str, known: Iterable[str], otherwise: str) -> str:
    """Say that a key is unknown, and which one was meant; where none is near, something else."""
    close = get_close_matches(key, list(known), n=1)
    return f"key {shown(key)} is unknown: {f'did you mean {close[0]}?' if close else otherwise}"
