"""Replay: what would have been short, idle and paid, had this policy steered the fleet through a past demand.

Time goes in ticks. What is ordered serves `boot` later and is paid from the order on; what is taken away is gone at
once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forecasting.errors import InvalidRequest
from forecasting.foresight import Foresight
from forecasting.rehearsal import MODES, Mode, Rehearsal
from forecasting.scorecard import Scorecard, scored

if TYPE_CHECKING:
    from forecasting.demand import Demand
    from forecasting.policy import Policy
    from forecasting.rehearsal import Watch

__all__ = ["MODES", "Mode", "Scorecard", "known_mode", "replay"]


def replay(  # noqa: PLR0913  (the contract; all but three have defaults)
    demand: Demand,
    policy: Policy,
    *,
    since: datetime,
    until: datetime | None = None,
    engine: str = "auto",
    mode: Mode = "predictive",
    boot: timedelta = timedelta(minutes=5),
    refresh: timedelta = timedelta(hours=1),
    timezone: str = "UTC",
    watch: Watch = lambda instants, _: instants,
) -> Scorecard:
    """Steer through the demand from `since` on, knowing at every moment only what had been measured by then."""
    foresight = Foresight(engine=engine, timezone=timezone)
    rehearsal = Rehearsal(demand, since=since, until=until, refresh=refresh, foresight=foresight, watch=watch)
    return scored(rehearsal.steered(policy, known_mode(mode), boot), policy)


def known_mode(mode: str) -> Mode:
    """Refuse a mode that nobody has written."""
    for known in MODES:
        if mode == known:
            return known
    msg = f"mode {mode!r} is unknown: choose one of {', '.join(MODES)}"
    raise InvalidRequest(msg)
