"""Curve: a shape of the week, fitted to what a history knew at several of its ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from forecasting.values import Values

# Gives a fitted curve from one slot of the history to before another: (series, slots).
Fit: TypeAlias = Callable[[int, int], Values]


class Curve(Protocol):
    """A kind of curve."""

    name: str

    def fits(self, logs: Values, ends: Sequence[int]) -> list[Fit]:
        """Fit the columns before each end, the earliest end first; no fit knows what came after its own."""
        ...
