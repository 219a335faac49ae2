"""Which engine serves a fleet whose file says `auto`: the champion of its own backtests, changed only by clear wins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from forecasting import ForecastingError
from forecasting.backtest import Asked, backtest
from forecasting.champion import FIRST, champion, scores_of
from predictive_scaling.errors import NoHistory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from forecasting import Demand
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage

CHALLENGERS: Final = (FIRST, "ensemble_quick", "seasonal_naive")
ORIGINS: Final = 3
KEPT: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The engine that serves a fleet, why, and the errors of each engine in the backtests so far, oldest first."""

    engine: str = FIRST
    reason: str = "no backtest has been made yet"
    scores: tuple[Mapping[str, float], ...] = ()

    def after(self, scores: Mapping[str, float]) -> Self:
        """Count one more backtest; who takes over begins with a clean sheet."""
        history = (*self.scores, scores)[-KEPT:]
        engine, reason = champion(history, self.engine)
        return replace(self, engine=engine, reason=reason, scores=history if engine == self.engine else ())

    def as_mapping(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return {"engine": self.engine, "reason": self.reason, "scores": [dict(each) for each in self.scores]}

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_mapping` gave."""
        return cls(engine=row["engine"], reason=row["reason"], scores=tuple(row["scores"]))


def contend(fleet: FleetSpec, demand: Demand, storage: Storage) -> Contest:
    """Let the engines forecast the fleet's own last days once more, and keep who serves from now on."""
    asked = Asked(
        engines=CHALLENGERS,
        horizon=timedelta(hours=24),
        origins=ORIGINS,
        timezone=fleet.timezone,
        events=fleet.events,
    )
    contest = storage.contest(fleet).after(scores_of(fleet.name, backtest({fleet.name: demand}, asked)))
    storage.save_contest(fleet, contest)
    return contest


def contests(fleets: Sequence[FleetSpec], storage: Storage, *, now: datetime) -> Iterator[str]:
    """Hold a contest for every fleet whose file leaves the choice, and tell which engine serves it and why."""
    for fleet in fleets:
        if fleet.engine != "auto":
            continue
        try:
            held = contend(fleet, storage.demand(fleet, since=now - fleet.history), storage)
        except (NoHistory, ForecastingError) as error:
            yield f"{fleet.name}: no contest of engines: {error}"
        else:
            yield f"{fleet.name}: served by {held.engine}: {held.reason}"


def served(fleet: FleetSpec, storage: Storage) -> FleetSpec:
    """Give the fleet with the engine that serves it."""
    return replace(fleet, engine=storage.contest(fleet).engine) if fleet.engine == "auto" else fleet
