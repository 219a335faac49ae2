"""Evidence: what a fleet's forecast would have done on its last weeks, beside reacting alone.

The forecasts of all fleets are made together, instant by instant, as if each instant were now: one call for a hundred
fleets costs little more than one for one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.errors import ForecastingError, NotEnoughHistory
from forecasting.forecast_each import forecast_each
from forecasting.foresight import Foresight
from forecasting.policy import MOST_HEADROOM
from forecasting.rehearsal import DAY, MIDDLE, Rehearsal
from forecasting.scorecard import Scorecard, scored
from forecasting.together import Together, greatest, needs, slots_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forecasting.demand import Demand
    from forecasting.event import Event
    from forecasting.forecast import Forecast
    from forecasting.policy import Policy
    from forecasting.values import Values

LEARNT, LEAST, MOST = 7 * DAY, 7 * DAY, 14 * DAY
"""The history before the first forecast; the least and the most days that are judged."""
REFRESH = timedelta(hours=6)
QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99)
"""What is foretold: a policy may be as sure as any of them."""
GREATEST_MARGIN, HALVINGS = 8.0, 12

Past = dict[datetime, "Forecast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load of a fleet: what was measured, what one instance serves of it, and what was foretold of its past."""

    name: str
    demand: Demand
    target_per_instance: float
    past: Past

    def judged_for(self, time: timedelta) -> Load:
        """Keep what was foretold in the last of its days."""
        since = self.demand.end - time
        return replace(self, past={now: made for now, made in sorted(self.past.items()) if now >= since})

    def rehearsal(self, timezone: str) -> Rehearsal:
        """Make the days that were foretold ready to be steered through."""
        foresight = Foresight(timezone=timezone)
        return Rehearsal(self.demand, since=min(self.past), refresh=REFRESH, foresight=foresight, forecasts=self.past)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was found of one fleet; the three courses were ordered with the same policy and boot time."""

    floor: Scorecard  # the plan as a floor, reaction above it: what the product does
    reactive: Scorecard  # reaction alone
    as_safe: Scorecard  # reaction with as much headroom as it needs to be no shorter than the floor
    margin: float  # that headroom
    wape: float  # the forecast's error over the day after it was made
    flat: float  # the lesser error of two flat lines: the last value, and the median of the day before
    deciding: Mapping[str, float] = field(default_factory=dict)  # of several loads, how often each needed the most

    @property
    def rhythm(self) -> float:
        """The forecast's error as a share of a flat line's: 1 and more when the clock tells nothing."""
        return self.wape / self.flat if self.flat > 0 else 1.0

    @property
    def extra_cost(self) -> float:
        """What the floor paid beyond reaction alone, as a share of it."""
        return self.floor.instance_hours / max(self.reactive.instance_hours, 1e-9) - 1

    @property
    def worth(self) -> float:
        """What reaction that is as safe pays beyond the floor, as a share of it; below 0 it pays less."""
        return self.as_safe.instance_hours / max(self.floor.instance_hours, 1e-9) - 1

    def as_mapping(self) -> dict[str, Any]:
        """Give the figures for JSON."""
        courses = {name: _plain(getattr(self, name)) for name in ("floor", "reactive", "as_safe")}
        own = {name: round(getattr(self, name), 4) for name in ("margin", "wape", "flat", "rhythm")}
        deciding = {name: round(share, 4) for name, share in self.deciding.items()}
        worth = {"extra_cost": round(self.extra_cost, 4), "worth": round(self.worth, 4)}
        return {**own, **worth, "deciding": deciding, **courses}


def judged_from(demand: Demand) -> datetime:
    """Choose the days to judge: the last two weeks, or one when the history is short; NotEnoughHistory says by what."""
    length = demand.end - demand.start
    if length < LEARNT + LEAST:
        msg = (
            f"{length / DAY:.1f} days of history: the gate needs {(LEARNT + LEAST).days}, "
            f"{LEARNT.days} to learn from and {LEAST.days} to be judged by"
        )
        raise NotEnoughHistory(msg)
    return demand.end - (MOST if length >= LEARNT + MOST else LEAST)


def forecast_past(
    demands: Mapping[str, Demand],
    *,
    engine: str = "auto",
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    country: str | None = None,
) -> dict[str, Past | ForecastingError]:
    """Forecast each series again and again through the days it is judged by, knowing only what came before.

    A series that could not be forecast every time has no evidence, but the error that stood in the way.
    """
    calendar: dict[str, Any] = {"engine": engine, "timezone": timezone, "events": events, "country": country}
    found: dict[str, Past | ForecastingError] = {name: {} for name in demands}
    turns = {name: list(_instants(demand)) for name, demand in demands.items()}
    for turn in range(max(map(len, turns.values()), default=0)):
        going = {name: at[turn] for name, at in turns.items() if turn < len(at) and isinstance(found[name], dict)}
        known = {name: demands[name].before(now) for name, now in going.items()}
        for name, made in forecast_each(known, horizon=DAY, quantiles=QUANTILES, **calendar).items():
            past = found[name]
            if isinstance(made, ForecastingError):
                found[name] = made
            elif isinstance(past, dict):
                past[going[name]] = made
    return found


def gather(loads: Sequence[Load], policy: Policy, boot: timedelta, *, timezone: str = "UTC") -> Evidence:
    """Replay the days by which all of a fleet's loads can be judged, with forecasts made in `forecast_past`."""
    time = min(load.demand.end - judged_from(load.demand) for load in loads)
    loads = [load.judged_for(time) for load in loads]
    first, *beside = [(load.rehearsal(timezone), load.target_per_instance) for load in loads]
    rehearsal = Together(first[0], *beside)
    floor = scored(rehearsal.steered(policy, "floor", boot), policy)
    reactive = scored(rehearsal.steered(policy, "reactive", boot), policy)
    as_safe, margin = reactive, 0.0
    if reactive.under_time_share > floor.under_time_share:
        as_safe, margin = _as_safe(rehearsal, policy, boot, floor.under_time_share)
    each = needs([(load.demand, load.target_per_instance) for load in loads])
    wape, flat = _errors(loads, greatest(each))
    return Evidence(
        floor=floor,
        reactive=reactive,
        as_safe=as_safe,
        margin=margin,
        wape=wape,
        flat=flat,
        deciding=_deciding(loads, [need.tail(time) for need in each]) if len(loads) > 1 else {},
    )


def _instants(demand: Demand) -> Iterable[datetime]:
    now = judged_from(demand)
    while now < demand.end:
        yield now
        now += REFRESH


def _as_safe(rehearsal: Together, policy: Policy, boot: timedelta, share: float) -> tuple[Scorecard, float]:
    """Give reaction with the least headroom that leaves it short for no longer than a share of time."""

    def reacting(margin: float) -> Scorecard:
        careful = replace(policy, headroom=min((1 + policy.headroom) * (1 + margin) - 1, MOST_HEADROOM))
        return scored(rehearsal.steered(careful, "reactive", boot), policy)

    low, high = 0.0, GREATEST_MARGIN
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reacting(middle).under_time_share <= share else (middle, high)
    return reacting(high), high


def _errors(loads: Sequence[Load], need: Demand) -> tuple[float, float]:
    """Sum the errors, in instances, of the forecasts and of two flat lines over all days that were forecast."""
    errors, total = np.zeros(3), 0.0
    for turn in zip(*(load.past.items() for load in loads), strict=True):
        now = max(now for now, _ in turn)
        day = need.between(now, min(now + DAY, need.end))
        foretold = [_middle(made, day) / load.target_per_instance for load, (_, made) in zip(loads, turn, strict=True)]
        before = need.between(max(now - DAY, need.start), now).values
        rivals = (np.max(foretold, axis=0), *_flat_lines(before))
        errors += [float(np.nansum(np.abs(day.values - rival))) for rival in rivals]
        total += float(np.nansum(np.abs(day.values)))
    found = errors / max(total, 1e-9)
    return float(found[0]), float(min(found[1:]))


def _middle(made: Forecast, day: Demand) -> Values:
    """Give what was expected at every slot of a day."""
    slots = slots_at(made.start, made.step, day.start, day.step, len(day))
    return np.asarray(made.at(MIDDLE)[slots.clip(0, len(made) - 1)])


def _deciding(loads: Sequence[Load], needs: Sequence[Demand]) -> dict[str, float]:
    """Tell for which share of the time each load needed the most; of equals the first."""
    each = np.stack([need.values for need in needs])
    known = each[:, ~np.isnan(each).any(axis=0)]
    most = known.argmax(axis=0)
    return {load.name: float((most == row).mean()) for row, load in enumerate(loads)} if len(most) else {}


def _flat_lines(before: Values) -> tuple[float, float]:
    known = before[~np.isnan(before)]
    return (float(known[-1]), float(np.median(known))) if len(known) else (0.0, 0.0)


def _plain(card: Scorecard) -> dict[str, Any]:
    return {**asdict(card), "since": card.since.isoformat(), "until": card.until.isoformat()}
