"""Learnt: what trials at earlier origins taught about every series, kept so that they need not be made every hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.values import Values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learnt:
    """One row for each series, mostly by segment of the horizon.

    `weights` (series, guesses, segments); `away` (series, quantiles, segments): how far each quantile lies from the
    best guess; `carry` (series, leads): how much of the latest miss stays after the leads of a tick; `error` (series):
    of the blend in trials, in units of the mean.
    """

    weights: Values
    away: Values
    carry: Values
    error: Values

    def row(self, index: int) -> Learnt:
        """Keep one of the series."""
        one = slice(index, index + 1)
        return Learnt(weights=self.weights[one], away=self.away[one], carry=self.carry[one], error=self.error[one])

    @classmethod
    def joined(cls, parts: list[Learnt]) -> Learnt:
        """Put what was learnt of consecutive series together."""
        return cls(
            weights=np.concatenate([part.weights for part in parts]),
            away=np.concatenate([part.away for part in parts]),
            carry=np.concatenate([part.carry for part in parts]),
            error=np.concatenate([part.error for part in parts]),
        )
