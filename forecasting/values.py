"""The numbers of a series: floats, with NaN for what nobody measured."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

Values: TypeAlias = "npt.NDArray[np.floating[Any]]"

# Far above whatever a fleet can be asked for, and far below where sums of squares leave single precision.
GREATEST: Final = 1e15
TOO_GREAT: Final = f"is above {GREATEST:g}, more than any fleet is asked for: count in a greater unit"

# Times the most that was seen or forecast: beyond, nothing is foreseen. What is hardly ever there misses by a ratio to
# nothing.
MOST: Final = 3.0

# More than any cloud has; what a count comes to beyond it is a slip in a unit, and no longer counted.
MOST_INSTANCES: Final = 1_000_000_000


def mean_known(values: Values, axis: int) -> Values:
    """Give the means of what is known, NaN where nothing is."""
    unknown = np.isnan(values)
    if not unknown.any():
        return np.asarray(values.mean(axis=axis))
    count = (~unknown).sum(axis=axis)
    total = np.where(unknown, 0, values).sum(axis=axis, dtype=values.dtype)
    return np.asarray(np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0))


def known_nearby(values: Values) -> Values:
    """Fill what is unknown of each segment, the last axis, from the nearest one before it, or else after it."""
    if not np.isnan(values).any():
        return values
    found = values.copy()
    last = values.shape[-1] - 1
    for at, source in [*((at, at - 1) for at in range(1, last + 1)), *((at, at + 1) for at in range(last - 1, -1, -1))]:
        found[..., at] = np.where(np.isnan(found[..., at]), found[..., source], found[..., at])
    return found


def block_means(values: Values, size: int) -> Values:
    """Give the mean of each block of so many columns. A product is many times as quick as a mean of short rows."""
    return np.asarray(values.reshape(len(values), -1, size) @ np.full(size, 1 / size, dtype=values.dtype))


def block_means_from(values: Values, first: int, size: int) -> Values:
    """Give the mean of each whole block of so many columns, the first of which begins at a column."""
    count = (values.shape[1] - first) // size
    return block_means(values[:, first : first + count * size], size)


def median_of(values: Values, axis: int) -> Values:
    """Give the medians along an axis as `np.median` does. To sort short rows is far quicker."""
    ordered, count = np.sort(values, axis=axis), values.shape[axis]
    return np.asarray(ordered.take([(count - 1) // 2, count // 2], axis=axis).mean(axis=axis))


def median_across(layers: Values) -> Values:
    """Give the medians across a few great layers, the first axis: far quicker than to sort the column of every place.

    Of one more than half of them neither the least nor the greatest can be the median, so both are dropped and the
    next layer is taken up, until only the middle is left.
    """
    enough = len(layers) // 2 + 2
    held, waiting = list(layers[:enough]), list(layers[enough:])
    while len(held) > 2:
        _outermost_apart(held)
        held = held[1:-1] + waiting[:1]
        waiting = waiting[1:]
    return np.asarray((held[0] + held[-1]) / 2)


def _outermost_apart(layers: list[Values]) -> None:
    """Bring the least to the front and the greatest to the end, at each place, and lose none."""
    last, middle = len(layers) - 1, len(layers) // 2
    paired = ((at, last - at) for at in range(middle))
    lesser, greater = ((0, at) for at in range(1, last - middle + 1)), ((at, last) for at in range(middle, last))
    for first, second in chain(paired, lesser, greater):
        one, other = layers[first], layers[second]
        layers[first], layers[second] = np.minimum(one, other), np.maximum(one, other)


def quantiles_of(rows: Values, levels: Sequence[float]) -> Values:
    """Give the quantiles of each row as `np.quantile` does: (rows, levels). To sort short rows is far quicker."""
    ordered = np.sort(rows, axis=1)
    at = np.asarray(levels, dtype=rows.dtype) * (rows.shape[1] - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, rows.shape[1] - 1)
    return np.asarray(ordered[:, below] + (at - below).astype(rows.dtype) * (ordered[:, above] - ordered[:, below]))
