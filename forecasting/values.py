"""The numbers of a series: floats, with NaN for what nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Values: TypeAlias = "npt.NDArray[np.floating[Any]]"
