"""The numbers of a series: floats, with NaN for what nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

Values: TypeAlias = "npt.NDArray[np.floating[Any]]"

# Far above whatever a fleet can be asked for, and far below where sums of squares leave single precision.
GREATEST: Final = 1e15
TOO_GREAT: Final = f"is above {GREATEST:g}, more than any fleet is asked for: count in a greater unit"

# More than any cloud has; what a count comes to beyond it is a slip in a unit, and no longer counted.
MOST_INSTANCES: Final = 1_000_000_000


def quantiles_of(rows: Values, levels: Sequence[float]) -> Values:
    """Give the quantiles of each row as `np.quantile` does: (rows, levels). To sort short rows is far quicker."""
    ordered = np.sort(rows, axis=1)
    at = np.asarray(levels, dtype=rows.dtype) * (rows.shape[1] - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, rows.shape[1] - 1)
    return np.asarray(ordered[:, below] + (at - below).astype(rows.dtype) * (ordered[:, above] - ordered[:, below]))
