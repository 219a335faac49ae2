"""Panel and Outlook: what goes into a model and what comes out, many series at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from forecasting.values import Values

DAY = timedelta(days=1)
MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001  (wall-clock time is naive by nature)


def phase_of(start: datetime, step: timedelta) -> int:
    """Tell which slot of the week, counted from Monday 00:00, begins at a wall-clock time."""
    return ((start - MONDAY) // step) % (7 * DAY // step)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Series (rows) of one step over the same wall-clock slots (columns); NaN is missing.

    The clock is one on which their weekend is Saturday and Sunday.
    """

    values: Values
    start: datetime
    step: timedelta
    horizon: int
    quantiles: tuple[float, ...]

    @property
    def per_day(self) -> int:
        """Count the slots of a day."""
        return DAY // self.step

    @property
    def per_week(self) -> int:
        """Count the slots of a week."""
        return 7 * self.per_day

    @property
    def length(self) -> int:
        """Count the slots of history."""
        return int(self.values.shape[1])

    @property
    def days(self) -> float:
        """Measure the history in days."""
        return self.length / self.per_day

    @property
    def phase(self) -> int:
        """Tell which slot of the week, counted from Monday 00:00, the first column is."""
        return phase_of(self.start, self.step)

    @property
    def origin(self) -> datetime:
        """The wall-clock time at which the forecast begins."""
        return self.start + self.length * self.step

    def row(self, index: int) -> Panel:
        """Keep one series."""
        return replace(self, values=self.values[index : index + 1])

    def each(self) -> list[Panel]:
        """Part the series."""
        return [self.row(index) for index in range(len(self.values))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """For every series of a panel: quantiles over the horizon, the engine that served and the reason in words."""

    values: Values
    engines: tuple[str, ...]
    reasons: tuple[str, ...]

    @classmethod
    def joined(cls, parts: list[Outlook]) -> Outlook:
        """Put the outlooks of consecutive rows together."""
        return cls(
            values=np.concatenate([part.values for part in parts]),
            engines=tuple(engine for part in parts for engine in part.engines),
            reasons=tuple(reason for part in parts for reason in part.reasons),
        )
