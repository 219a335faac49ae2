"""Slots: how many of them make an hour, a day and a week, and where in the week a series begins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The grid a model works on; `phase` is the slot of the week of column 0, counted from Monday 00:00."""

    per_day: int
    phase: int
    horizon: int

    @property
    def per_week(self) -> int:
        """Count the slots of a week."""
        return 7 * self.per_day

    @property
    def hour(self) -> int:
        """Count the slots of an hour, at least one."""
        return self.of(1)

    @property
    def hours(self) -> int:
        """Count the hours that cover the horizon, the last of them perhaps in part."""
        return -(-self.horizon // self.hour)

    def of(self, hours: float) -> int:
        """Count the slots of some hours, at least one."""
        return max(1, round(hours * self.per_day / 24))

    def of_week(self, first: int, last: int) -> npt.NDArray[np.int64]:
        """Tell which slot of the week each column from `first` to before `last` is."""
        return (np.arange(first, last) + self.phase) % self.per_week

    def segments(self) -> list[slice]:
        """Cut the horizon where forecasting changes its nature: an hour, six hours, a day, the rest."""
        edges = sorted({0, *(min(self.of(hours), self.horizon) for hours in (1, 6, 24)), self.horizon})
        return [slice(first, last) for first, last in pairwise(edges)]
