"""Filling what nobody measured: a model needs a value in every slot, a person needs to know how many were guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.values import Values

# The nearest weeks first: were a long gap filled along a line, a single value after it would draw a rise of days.
OTHER_DAYS = (-7, 7, -14, 14, -21, 21, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6)


def fill(values: Values, per_day: int) -> Values:
    """Fill gaps: up to an hour along a line, longer ones from the same time of other weeks or days, or along it too."""
    filled = np.array(values)
    for row in np.flatnonzero(np.isnan(filled).any(axis=1)):
        filled[row] = _fill_row(filled[row], per_day)
    return filled


def _fill_row(row: Values, per_day: int) -> Values:
    missing = np.isnan(row)
    gaps, known = np.flatnonzero(missing), np.flatnonzero(~missing)
    if len(known) == 0:
        return np.zeros_like(row)
    filled = row.copy()
    filled[gaps] = np.interp(gaps, known, row[known])
    long = gaps[_is_long(gaps, known, max(1, per_day // 24))]
    filled[long] = _from_other_days(row, long, per_day, filled[long])
    return filled


def _is_long(gaps: np.ndarray, known: np.ndarray, hour: int) -> np.ndarray:
    """Tell which missing slots lie in a gap longer than an hour, or before or after everything known."""
    after = np.searchsorted(known, gaps)
    outside = (after == 0) | (after == len(known))
    previous, following = known[np.maximum(after - 1, 0)], known[np.minimum(after, len(known) - 1)]
    return np.asarray((following - previous > hour + 1) | outside)


def _from_other_days(row: Values, slots: np.ndarray, per_day: int, otherwise: Values) -> Values:
    found = np.full(len(slots), np.nan, dtype=row.dtype)
    for days in OTHER_DAYS:
        source = slots + days * per_day
        usable = np.isnan(found) & (source >= 0) & (source < len(row))
        found[usable] = row[source[usable]]
    return np.where(np.isnan(found), otherwise, found)
