"""Reading demand from a pandas series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from forecasting.errors import InvalidDemand
from forecasting.grid import place

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from forecasting.values import Values


def read_series(series: pd.Series[Any]) -> tuple[datetime, timedelta, Values]:
    """Read the start, step and values of a series indexed by aware instants."""
    if not isinstance(series, pd.Series):
        msg = f"this is a {type(series).__name__}, not a series: give one, such as a single column of a table"
        raise InvalidDemand(msg)
    index = series.index
    if not isinstance(index, pd.DatetimeIndex):
        msg = f"the series is indexed by {type(index).__name__}: give it a DatetimeIndex"
        raise InvalidDemand(msg)
    if index.tz is None:
        msg = 'the index has no time zone: call series.tz_localize("UTC") or name the zone it is in'
        raise InvalidDemand(msg)
    if index.hasnans:
        msg = f"row {int(np.argmax(index.isna()))} has no timestamp: drop it"
        raise InvalidDemand(msg)
    seconds = index.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]").astype(np.int64) / 1e6
    return place(seconds.tolist(), _numbers(series).tolist(), [f"row {row}" for row in range(len(index))])


def _numbers(series: pd.Series[Any]) -> Values:
    try:
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        msg = f"the series holds {series.dtype}: convert it to numbers ({error})"
        raise InvalidDemand(msg) from error
