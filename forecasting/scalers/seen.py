"""What a scaler may look at: the demand seen before every tick, from the beginning of the history on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from forecasting.capacity import instances

if TYPE_CHECKING:
    from datetime import timedelta

    import numpy.typing as npt

    from forecasting.policy import Policy
    from forecasting.values import Values

Sizes: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """At place i the last demand measured before tick i; steering begins at `first`."""

    demand: Values
    first: int
    tick: timedelta
    policy: Policy

    def ticks(self, duration: timedelta) -> int:
        """Count the ticks of a duration, at least one."""
        return max(1, round(duration / self.tick))

    def needed(self, demand: Values) -> Sizes:
        """Count the instances for a demand at every tick, within the policy's bounds."""
        return instances(np.maximum(demand, 0.0), self.policy)

    @property
    def wanted(self) -> Sizes:
        """Count the instances that what was just seen would need, at every tick steered."""
        return self.needed(self.demand[self.first :])
