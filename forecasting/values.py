"""The numbers of a series: floats, with NaN for what nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Values: TypeAlias = "npt.NDArray[np.floating[Any]]"

# Far above whatever a fleet can be asked for, and far below where sums of squares leave single precision.
GREATEST: Final = 1e15
TOO_GREAT: Final = f"is above {GREATEST:g}, more than any fleet is asked for: count in a greater unit"

# More than any cloud has; what a count comes to beyond it is a slip in a unit, and no longer counted.
MOST_INSTANCES: Final = 1_000_000_000
