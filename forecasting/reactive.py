"""What a reactive autoscaler does: follow the load it has just seen, up at once, down when the load has stayed away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from forecasting.capacity import instances
from forecasting.sliding import ago, last_known, trailing_max

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from forecasting.policy import Policy
    from forecasting.values import Values

# Target tracking lowers only after 15 minutes of agreement.
PATIENCE = timedelta(minutes=15)


def reactive_capacity(seen: Values, policy: Policy, tick: timedelta) -> npt.NDArray[np.int64]:
    """Give the capacity ordered at every tick, from the last demand that was measured before each."""
    return trailing_max(instances(seen, policy), 1 + PATIENCE // tick)


def seen_before(demand: Values) -> Values:
    """Give, for every tick, the last demand measured before it; before anything was measured, the first."""
    return ago(last_known(demand), 1)
