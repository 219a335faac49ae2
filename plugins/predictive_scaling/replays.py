"""What a fleet's policy would have done on its own stored history: every mode side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from forecasting.comparison import outcomes
from forecasting.foresight import Foresight
from forecasting.rehearsal import Rehearsal
from predictive_scaling.errors import NoHistory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from forecasting.rehearsal import Mode
    from forecasting.scorecard import Scorecard
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage

MODES: Final[tuple[Mode, ...]] = ("reactive", "predictive", "hybrid", "aws_hourly")
LEARNT_FROM: Final = timedelta(days=7)
"""History before the replay begins: with less, its first forecasts would be worse than real ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The scorecards of one replay, a mode each."""

    fleet: str
    boot: timedelta
    cards: tuple[Scorecard, ...]

    def table(self) -> Iterator[str]:
        """Yield the lines a person reads in the task log."""
        first = self.cards[0]
        yield (
            f"{self.fleet}: replayed {first.since:%Y-%m-%d %H:%M} to {first.until:%Y-%m-%d %H:%M} UTC, "
            f"instances ready {self.boot} after they are asked for"
        )
        yield "mode         time short idle hours instance-hours changes/day       cost"
        for card in self.cards:
            yield (
                f"{card.mode:<12} {card.under_time_share:>10.1%} {card.over_hours_share:>10.1%} "
                f"{card.instance_hours:>14,.0f} {card.actions_per_day:>11.1f} {card.cost:>10,.2f}"
            )

    def as_json(self) -> dict[str, Any]:
        """Give what is stored and shown by the run."""
        rows = [card.as_mapping() for card in self.cards]
        return {"fleet": self.fleet, "boot_seconds": self.boot.total_seconds(), "modes": rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to replay: how many days, with which boot time and price, in which modes."""

    days: float = 3
    boot: timedelta = timedelta(minutes=5)
    price_per_hour: float = 0.0
    modes: tuple[Mode, ...] = MODES


def replay_fleet(fleet: FleetSpec, storage: Storage, trial: Trial, *, now: datetime) -> Replayed:
    """Replay the last days of a fleet's history in every mode asked for; changes nothing."""
    demand = storage.demand(fleet, since=now - fleet.history)
    since = demand.end - timedelta(days=trial.days)
    if since - demand.start < LEARNT_FROM:
        msg = (
            f"fleet {fleet.name}: its history began {demand.start:%Y-%m-%d %H:%M} UTC, too late to replay "
            f"{trial.days:g} days with {LEARNT_FROM.days} to learn from: ask for fewer days, or wait"
        )
        raise NoHistory(msg)
    policy = replace(fleet.policy, price_per_hour=trial.price_per_hour)
    rehearsal = Rehearsal(demand, since=since, foresight=Foresight(**fleet.calendar))
    found = outcomes(rehearsal, {fleet.name: policy}, modes=trial.modes, boot=trial.boot)
    return Replayed(fleet=fleet.name, boot=trial.boot, cards=tuple(outcome.card for outcome in found))
