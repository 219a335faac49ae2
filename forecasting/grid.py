"""From a bag of timestamps to a regular grid: infer the step, find every row its slot."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.errors import InvalidDemand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.values import Values

# A collector that stamps rows a few seconds late is common; a row a tenth of a step away is another grid.
SNAP = 0.1
# Gaps of which so many are the same, to the millisecond, are meant; and so are offsets from the first row.
MEANT_GAPS, MEANT_OFFSETS = 0.5, 0.75
MILLISECOND = 0.0015
DIVISORS = np.array([seconds for seconds in range(1, 86_401) if 86_400 % seconds == 0])
# A single mistyped year would otherwise ask for millions of empty slots.
MOST_EMPTY = 50


def place(
    seconds: Sequence[float], values: Sequence[float], names: Sequence[str]
) -> tuple[datetime, timedelta, Values]:
    """Put rows (seconds since 1970, value, name for errors) on their grid; slots without a row are NaN."""
    order = np.argsort(np.asarray(seconds), kind="stable")
    times = np.asarray(seconds, dtype=np.float64)[order]
    rows = [names[index] for index in order]
    step = _step(times, rows)
    origin = times[0] + _phase(times, step)
    slots = np.rint((times - origin) / step).astype(np.int64)
    _refuse_strays(times - origin - slots * step, times, step, rows)
    slots -= slots[0]
    _refuse_shared(slots, times, rows)
    _refuse_vast(slots, times, rows)
    grid = np.full(int(slots[-1]) + 1, np.nan)
    grid[slots] = np.asarray(values, dtype=np.float64)[order]
    start = origin + np.rint((times[0] - origin) / step) * step
    return datetime.fromtimestamp(float(start), UTC), timedelta(seconds=float(step)), grid


def _step(times: Values, rows: list[str]) -> float:
    gaps = np.round(np.diff(times), 3)
    if len(gaps) == 0:
        msg = f"{rows[0] if rows else 'no row'}: the step cannot be told from fewer than two rows: add rows"
        raise InvalidDemand(msg)
    same = np.flatnonzero(gaps == 0)
    if len(same):
        first = int(same[0])
        msg = f"{rows[first]} and {rows[first + 1]} have the same timestamp {_iso(times[first])}: keep one of them"
        raise InvalidDemand(msg)
    step, share = _commonest(gaps.tolist())
    if np.abs(gaps / step - np.rint(gaps / step)).max() * step < MILLISECOND:
        return step
    # Rows that all come a little early or late: what divides a day is meant, if it is near.
    usual = float(gaps[gaps < 1.5 * np.quantile(gaps, 0.05)].mean())
    whole = float(DIVISORS[np.argmin(np.abs(DIVISORS - usual))])
    meant = share >= MEANT_GAPS
    if max(abs(each - whole) for each in ((usual, step) if meant else (usual,))) >= SNAP * whole:
        return step
    # Seconds late by turns make one wrong gap the commonest; which of the two is meant shows over the whole file.
    return min(step, whole, key=lambda each: _astray(times, each)) if meant else whole


def _astray(times: Values, step: float) -> float:
    """Tell how far from a common grid the rows would lie, as a mean."""
    turns = np.exp(2j * np.pi * (times - times[0]) / step)
    return float(np.abs(np.angle(turns / turns.mean())).mean() * step)


def _phase(times: Values, step: float) -> float:
    """Find the offset from the first row at which most rows sit, so that one early row cannot tilt the grid."""
    offsets = np.round((times - times[0]) % step, 3)
    offset, share = _commonest(offsets.tolist())
    if share >= MEANT_OFFSETS:
        return offset
    around = np.angle(np.exp(2j * np.pi * offsets / step).mean()) / (2 * np.pi) * step
    middle = float(times[0] + around)
    whole = next((unit for unit in (60, 1) if abs(middle - unit * round(middle / unit)) < SNAP * step / 2), None)
    return around if whole is None else whole * round(middle / whole) - float(times[0])


def _commonest(found: list[float]) -> tuple[float, float]:
    """Give what most agree on, the least of equals, and the share that does."""
    counts = Counter(found)
    most = max(counts.values())
    return float(min(each for each, count in counts.items() if count == most)), most / len(found)


def _refuse_strays(away: Values, times: Values, step: float, rows: list[str]) -> None:
    stray = np.flatnonzero(np.abs(away) > SNAP * step)
    if len(stray):
        first = int(stray[0])
        msg = (
            f"{rows[first]}: timestamp {_iso(times[first])} is {abs(away[first]):g} s off the grid of {step:g} s: "
            "resample the rows to one step"
        )
        raise InvalidDemand(msg)


def _refuse_shared(slots: np.ndarray, times: Values, rows: list[str]) -> None:
    same = np.flatnonzero(np.diff(slots) == 0)
    if len(same):
        first = int(same[0])
        msg = f"{rows[first]} and {rows[first + 1]} fall into one slot at {_iso(times[first])}: keep one of them"
        raise InvalidDemand(msg)


def _refuse_vast(slots: np.ndarray, times: Values, rows: list[str]) -> None:
    if slots[-1] + 1 <= MOST_EMPTY * len(slots) + 10_000:
        return
    widest = int(np.argmax(np.diff(slots)))
    msg = (
        f"{rows[widest + 1]}: timestamp {_iso(times[widest + 1])} lies "
        f"{(times[widest + 1] - times[widest]) / 86_400:,.0f} days after the row before it: check the year"
    )
    raise InvalidDemand(msg)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat().replace("+00:00", "Z")
