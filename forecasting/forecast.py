"""Forecast: quantiles of the demand to come, with the model that made them and why it was chosen."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from forecasting.errors import InvalidForecast, shown
from forecasting.instant import as_utc

if TYPE_CHECKING:
    from forecasting.values import Values

_FORMAT = "forecast/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """Quantiles (rows) over a horizon of slots (columns): finite, never negative, never crossing."""

    start: datetime
    step: timedelta
    quantiles: tuple[float, ...]
    values: Values
    engine: str
    reason: str

    def __post_init__(self) -> None:
        """Refuse quantiles out of order and values that are not demands."""
        values = np.array(self.values, dtype=np.float64)
        object.__setattr__(self, "start", as_utc(self.start, "start", InvalidForecast))
        object.__setattr__(self, "quantiles", checked_quantiles(self.quantiles, InvalidForecast))
        if values.ndim != 2 or values.shape[0] != len(self.quantiles) or values.shape[1] == 0:
            msg = f"values have shape {values.shape}: give one row for each of the {len(self.quantiles)} quantiles"
            raise InvalidForecast(msg)
        if self.step <= timedelta(0):
            msg = f"step {self.step} is not positive"
            raise InvalidForecast(msg)
        _refuse(~np.isfinite(values) | (values < 0), values, "is not a demand: it must be finite and at least 0")
        _refuse(np.diff(values, axis=0) < 0, values, "exceeds the next higher quantile: quantiles must not cross")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        """Count the slots of the horizon."""
        return int(self.values.shape[1])

    def __eq__(self, other: object) -> bool:
        """Compare everything, values included."""
        if not isinstance(other, Forecast):
            return NotImplemented
        return self._identity() == other._identity() and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        """Hash everything, values included."""
        return hash((*self._identity(), self.values.tobytes()))

    def _identity(self) -> tuple[Any, ...]:
        return self.start, self.step, self.quantiles, self.engine, self.reason

    @property
    def end(self) -> datetime:
        """The instant at which the last slot closes."""
        return self.start + len(self) * self.step

    def times(self) -> tuple[datetime, ...]:
        """List the instant at which each slot opens."""
        return tuple(self.start + index * self.step for index in range(len(self)))

    def at(self, quantile: float) -> Values:
        """Give one quantile over the horizon; between two known ones it is interpolated, outside it is refused."""
        if not self.quantiles[0] <= quantile <= self.quantiles[-1]:
            known = ", ".join(f"{each:g}" for each in self.quantiles)
            msg = f"quantile {quantile:g} lies outside the forecast's {known}: ask the forecast for it"
            raise InvalidForecast(msg)
        above = int(np.searchsorted(self.quantiles, quantile))
        if self.quantiles[above] == quantile:
            return np.asarray(self.values[above])
        low, high = self.quantiles[above - 1 : above + 1]
        share = (quantile - low) / (high - low)
        between: Values = (1 - share) * self.values[above - 1] + share * self.values[above]
        return between

    def noting(self, what: str) -> Forecast:
        """Give the same forecast with one thing more in its reason."""
        return replace(self, reason=f"{self.reason}; {what}")

    def value_at(self, when: datetime, quantile: float) -> float:
        """Give one quantile at one instant."""
        index = (as_utc(when, "when") - self.start) // self.step
        if not 0 <= index < len(self):
            msg = f"{when.isoformat()} lies outside the forecast, {self.start.isoformat()} to {self.end.isoformat()}"
            raise InvalidForecast(msg)
        return float(self.at(quantile)[index])

    def to_json(self) -> str:
        """Write versioned, plain JSON."""
        return json.dumps(
            {
                "format": _FORMAT,
                "start": self.start.isoformat(),
                "step_seconds": self.step.total_seconds(),
                "engine": self.engine,
                "reason": self.reason,
                "quantiles": list(self.quantiles),
                "values": self.values.tolist(),
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        try:
            data = _current(json.loads(text))
            return cls(
                start=datetime.fromisoformat(data["start"]),
                step=timedelta(seconds=data["step_seconds"]),
                quantiles=tuple(data["quantiles"]),
                values=np.array(data["values"], dtype=np.float64),
                engine=data["engine"],
                reason=data["reason"],
            )
        except InvalidForecast:
            raise
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            msg = f"not the JSON of a forecast ({type(error).__name__}: {error}): write it with Forecast.to_json()"
            raise InvalidForecast(msg) from error


def checked_quantiles(quantiles: tuple[float, ...], error: type[ValueError]) -> tuple[float, ...]:
    """Refuse quantiles that are not strictly ascending between 0 and 1."""
    try:
        values = tuple(float(each) for each in quantiles)
    except TypeError as reason:
        msg = f"quantiles is {shown(quantiles)}: give several, such as (0.5, 0.9, 0.95)"
        raise error(msg) from reason
    ascending = all(low < high for low, high in pairwise(values))
    if not values or not ascending or not all(0 < each < 1 for each in values):
        msg = f"quantiles {values} are not ascending between 0 and 1: write for example 0.5, 0.9, 0.95"
        raise error(msg)
    return values


def _refuse(bad: np.ndarray, values: Values, why: str) -> None:
    if bad.any():
        row, column = np.unravel_index(int(bad.argmax()), bad.shape)
        msg = f"value {values[row, column]:g} at quantile row {row}, slot {column} {why}"
        raise InvalidForecast(msg)


def _current(data: dict[str, Any]) -> dict[str, Any]:
    if data["format"] != _FORMAT:
        msg = f"format {shown(data['format'])} is not {_FORMAT!r}: make the forecast again with this version"
        raise InvalidForecast(msg)
    return data
