"""What policies would have done on a fleet's own stored history: every mode of each, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from forecasting.comparison import outcomes
from forecasting.foresight import Foresight
from forecasting.rehearsal import Rehearsal
from forecasting.together import Together
from forecasting.variation import variations, varied
from predictive_scaling.errors import InvalidFleet, NoHistory
from predictive_scaling.histories import histories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from forecasting import Policy
    from forecasting.comparison import Outcome
    from forecasting.rehearsal import Mode
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.histories import History
    from predictive_scaling.storage import Storage

MODES: Final[tuple[Mode, ...]] = ("reactive", "floor", "steered", "aws_hourly")
LEARNT_FROM: Final = timedelta(days=7)
"""History before the replay begins: with less, its first forecasts would be worse than real ones."""
UNKNOWN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of one replay, of every policy in every mode; the first policy is the fleet's own."""

    fleet: str
    loads: tuple[str, ...]
    boot: timedelta
    max_extra_cost: float
    variations: Mapping[str, Mapping[str, Any]]
    outcomes: tuple[Outcome, ...]
    priced: bool

    @property
    def best(self) -> Outcome | None:
        """The least time short of all that cost no more above reacting alone than the gate lets a forecast cost."""
        alone = next(
            (each for each in self.outcomes if (each.policy, each.card.mode) == (self.fleet, "reactive")), None
        )
        if alone is None:
            return None
        most = self._paid(alone) * (1 + self.max_extra_cost)
        affordable = [each for each in self.outcomes if self._paid(each) <= most]
        return min(affordable, key=lambda each: (each.card.under_time_share, self._paid(each)))

    def _paid(self, outcome: Outcome) -> float:
        """Count money, or hours where no price is known."""
        return outcome.card.cost if self.priced else outcome.card.instance_hours

    def table(self) -> Iterator[str]:
        """Yield the lines a person reads in the task log."""
        first = self.outcomes[0].card
        yield (
            f"{self.fleet}: replayed {first.since:%Y-%m-%d %H:%M} to {first.until:%Y-%m-%d %H:%M} UTC, "
            f"instances ready {self.boot} after they are asked for"
        )
        if len(self.loads) > 1:
            yield f"{self.fleet}: of {', '.join(self.loads)}, at every moment the one that needs most counts"
        for name, changes in self.variations.items():
            yield f"{name}: as {self.fleet}, but {', '.join(f'{key} {value}' for key, value in changes.items())}"
        width = max(len("policy"), *(len(each.policy) for each in self.outcomes))
        priced = " cost/month" if self.priced else ""
        yield f"{'policy':<{width}} mode         time short idle hours instance-hours changes/day{priced}"
        for each in self.outcomes:
            yield f"{each.policy:<{width}} {self._figures(each)}"
        if best := self.best:
            yield (
                f"best: {best.policy} {best.card.mode}, short {best.card.under_time_share:.1%} of the time, "
                f"at no more than {self.max_extra_cost:.0%} above reacting alone"
            )

    def _figures(self, outcome: Outcome) -> str:
        card = outcome.card
        idle = _told(card.over_hours_share if card.needed_hours else None)
        return (
            f"{card.mode:<12} {card.under_time_share:>10.1%} {UNKNOWN if idle is None else f'{idle:.1%}':>10} "
            f"{card.instance_hours:>14,.0f} {card.actions_per_day:>11.1f}"
        ) + (f" {outcome.monthly_cost:>10,.2f}" if self.priced else "")

    def as_json(self) -> dict[str, Any]:
        """Give what is stored and shown by the run."""
        best = self.best
        return {
            "fleet": self.fleet,
            "boot_seconds": self.boot.total_seconds(),
            "max_extra_cost": self.max_extra_cost,
            "variations": {name: dict(changes) for name, changes in self.variations.items()},
            "outcomes": [self._row(each) | {"best": each is best} for each in self.outcomes],
        }

    def _row(self, outcome: Outcome) -> dict[str, Any]:
        """Give the figures of one outcome, null for what cannot be told."""
        row = {key: _told(value) for key, value in outcome.as_mapping().items()}
        unknown = [] if self.priced else ["cost", "monthly_cost"]
        return row | dict.fromkeys(unknown if outcome.card.needed_hours else [*unknown, "over_hours_share"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to replay: how many days, with which boot time and price, in which modes, beside which other policies."""

    days: float = 3
    boot: timedelta = timedelta(minutes=5)
    price_per_hour: float | None = None  # None leaves the price of the fleet's file
    modes: tuple[Mode, ...] = MODES
    variations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def replay_fleet(fleet: FleetSpec, storage: Storage, trial: Trial, *, now: datetime) -> Replayed:
    """Replay the last days of a fleet's history with every policy in every mode asked for; changes nothing."""
    policies = _policies(fleet, trial)
    loads = histories(fleet, storage, now=now)
    since, foresight = _since(fleet, loads, trial), Foresight(**fleet.calendar)
    first, *beside = [Rehearsal(each.demand, since=since, foresight=foresight) for each in loads]
    targets = [each.load.policy.target_per_instance for each in loads[1:]]
    rehearsal = Together(first, *zip(beside, targets, strict=True))
    return Replayed(
        fleet=fleet.name,
        loads=tuple(each.name for each in loads),
        boot=trial.boot,
        max_extra_cost=fleet.max_extra_cost,
        variations=trial.variations,
        outcomes=outcomes(rehearsal, policies, modes=trial.modes, boot=trial.boot),
        priced=all(policy.price_per_hour for policy in policies.values()),
    )


def _policies(fleet: FleetSpec, trial: Trial) -> dict[str, Policy]:
    """Give the fleet's own policy, under the fleet's name, and the others beside it."""
    if fleet.name in trial.variations:
        msg = f"policy {fleet.name} is the fleet's own, which is replayed in any case: give the other another name"
        raise InvalidFleet(msg)
    own = fleet.policy
    if trial.price_per_hour is not None:
        own = varied(own, {"price_per_hour": trial.price_per_hour})
    return {fleet.name: own, **variations(own, trial.variations, timezone=fleet.timezone)}


def _since(fleet: FleetSpec, loads: Sequence[History], trial: Trial) -> datetime:
    """Give the instant at which the replay begins, with enough before it to learn from."""
    since = min(each.demand.end for each in loads) - timedelta(days=trial.days)
    latest = max(loads, key=lambda each: each.demand.start)
    if since - latest.demand.start < LEARNT_FROM:
        whose = f"the history of its {latest.name}" if fleet.also else "its history"
        msg = (
            f"fleet {fleet.name}: {whose} began {latest.demand.start:%Y-%m-%d %H:%M} UTC, too late to replay "
            f"{trial.days:g} days with {LEARNT_FROM.days} to learn from: ask for fewer days, or wait"
        )
        raise NoHistory(msg)
    return since


def _told(value: Any) -> Any:
    """Give null for a number that is none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
