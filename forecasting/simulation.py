"""Replay: what would have been short, idle and paid, had this policy steered the fleet through a past demand.

Time goes in ticks. What is ordered serves `boot` later and is paid from the order on; what is taken away is gone at
once. Short and idle are measured as the SPEC research group on cloud elasticity does: by the instances that the demand
needed (d) and those that served (s), leaving out what nobody measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from forecasting.errors import InvalidRequest
from forecasting.forecaster import QUANTILES, forecast
from forecasting.instant import as_utc
from forecasting.planner import draw_plan
from forecasting.reactive import reactive_capacity, trailing_min

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from forecasting.demand import Demand, Values
    from forecasting.policy import Policy

    Watch = Callable[[Iterable[datetime], int], Iterable[datetime]]

Mode = Literal["predictive", "reactive", "hybrid", "aws_hourly"]
MODES: tuple[Mode, ...] = get_args(Mode)
TICK = timedelta(minutes=5)
AHEAD = timedelta(hours=24)
HOUR = timedelta(hours=1)
# AWS predictive scaling: hourly means of 14 days, forecast every six hours, launched five minutes before the hour.
AWS_MEMORY, AWS_REFRESH, AWS_BUFFER = timedelta(days=14), timedelta(hours=6), timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What a replay found. Shares are 0 to 1, accuracies are in percent of the instances needed."""

    mode: str
    since: datetime
    until: datetime
    under_time_share: float  # share of time with fewer instances than needed (tau_U)
    over_hours_share: float  # instance-hours paid beyond the need, as a share of the hours needed
    theta_u: float
    theta_o: float
    instance_hours: float
    needed_hours: float
    actions_per_day: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One replay: the demand with its past, and the ticks to steer through."""

    demand: Demand
    policy: Policy
    since: datetime
    tick: timedelta
    values: Values  # demand of each tick
    engine: str
    timezone: str
    refresh: timedelta
    watch: Watch

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def until(self) -> datetime:
        return self.since + self.count * self.tick

    def times(self, every: timedelta) -> list[datetime]:
        count = -(-(self.until - self.since) // every)
        return [self.since + index * every for index in range(count)]


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
    if mode not in MODES:
        msg = f"mode {mode!r} is unknown: choose one of {', '.join(MODES)}"
        raise InvalidRequest(msg)
    run = _run(demand, policy, as_utc(since, "since"), until, refresh)
    run = replace(run, engine=engine, timezone=timezone, watch=watch)
    ordered = _ordered(run, mode)
    return _scored(run, mode, ordered, boot)


def _run(demand: Demand, policy: Policy, since: datetime, until: datetime | None, refresh: timedelta) -> _Run:
    end = demand.end if until is None else as_utc(until, "until")
    if not demand.start < since < end <= demand.end:
        msg = (
            f"since {since.isoformat()} and until {end.isoformat()} must follow each other within the demand, "
            f"{demand.start.isoformat()} to {demand.end.isoformat()}"
        )
        raise InvalidRequest(msg)
    if refresh < TICK:
        msg = f"refresh is {refresh}: give 5 minutes or more"
        raise InvalidRequest(msg)
    part = demand.between(since, end)
    # A longer slot is replayed in ticks of five minutes, so that five minutes of boot time mean something.
    tick = TICK if part.step > TICK and not part.step % TICK else part.step
    values = np.repeat(part.values, part.step // tick)
    return _Run(
        demand=demand,
        policy=policy,
        since=part.start,
        tick=tick,
        values=values,
        engine="auto",
        timezone="UTC",
        refresh=refresh,
        watch=lambda instants, _: instants,
    )


def _ordered(run: _Run, mode: Mode) -> npt.NDArray[np.int64]:
    match mode:
        case "predictive":
            return _planned(run)
        case "reactive":
            return _reactive(run)
        case "hybrid":
            return np.maximum(_planned(run), _reactive(run))
        case "aws_hourly":
            return np.maximum(_aws_hourly(run), _reactive(run))


def _reactive(run: _Run) -> npt.NDArray[np.int64]:
    """React to what was measured; the hour before the replay gives it something to start from."""
    before = max(run.demand.start, run.since - HOUR)
    warm = run.demand.between(before, run.since) if run.since - before >= run.demand.step else None
    past = np.repeat(warm.values, run.demand.step // run.tick) if warm else run.values[:0]
    return reactive_capacity(np.concatenate([past, run.values]), run.policy, run.tick)[len(past) :]


def _planned(run: _Run) -> npt.NDArray[np.int64]:
    """Forecast and plan at every refresh, and hold to the newest plan."""
    capacity = np.zeros(run.count, dtype=np.int64)
    current: int | None = None
    instants = run.times(run.refresh)
    for now in run.watch(instants, len(instants)):
        made = forecast(
            run.demand.before(now),
            horizon=max(AHEAD, 2 * run.refresh),
            engine=run.engine,
            timezone=run.timezone,
            quantiles=tuple(sorted({*QUANTILES, run.policy.quantile})),
        )
        plan = draw_plan(made, run.policy, now=now, current=current)
        first = (now - run.since) // run.tick
        last = min(run.count, -(-(now + run.refresh - run.since) // run.tick))
        capacity[first:last] = [plan.capacity_at(now + index * run.tick) for index in range(last - first)]
        current = int(capacity[last - 1])
    return capacity


def _aws_hourly(run: _Run) -> npt.NDArray[np.int64]:
    """Hold, for every hour, what its forecast mean needs, from five minutes before the hour on."""
    floor = np.zeros(run.count, dtype=np.int64)
    instants = run.times(AWS_REFRESH)
    for now in run.watch(instants, len(instants)):
        known = run.demand.before(now).tail(AWS_MEMORY)
        hourly = known if known.step >= HOUR else known.every(HOUR)
        made = forecast(hourly, horizon=AWS_REFRESH + 2 * HOUR, engine=run.engine, timezone=run.timezone)
        floor[(now - run.since) // run.tick :] = 0
        for opens, value in zip(made.times(), made.at(0.5), strict=True):
            first = max((opens - AWS_BUFFER - run.since) // run.tick, (now - run.since) // run.tick)
            last = -(-(opens + made.step - run.since) // run.tick)
            wanted = run.policy.bounded(run.policy.needed(float(value)))
            floor[first:last] = np.maximum(floor[first:last], wanted)
    return floor


def _scored(run: _Run, mode: Mode, ordered: npt.NDArray[np.int64], boot: timedelta) -> Scorecard:
    known = ~np.isnan(run.values)
    if not known.any():
        msg = f"nothing was measured between {run.since.isoformat()} and {run.until.isoformat()}: choose another time"
        raise InvalidRequest(msg)
    target = replace(run.policy, headroom=0.0)
    needed = np.array([target.needed(float(value)) for value in run.values[known]])
    serving = trailing_min(ordered, 1 + -(-boot // run.tick))[known]
    hours = run.tick / HOUR
    short, idle = np.maximum(needed - serving, 0), np.maximum(serving - needed, 0)
    paid_idle = np.maximum(ordered[known] - needed, 0)
    changes = int(np.count_nonzero(np.diff(ordered)))
    instance_hours = float(ordered.sum() * hours)
    return Scorecard(
        mode=mode,
        since=run.since,
        until=run.until,
        under_time_share=float((short > 0).mean()),
        over_hours_share=float(paid_idle.sum() / max(needed.sum(), 1)),
        theta_u=float(100 * (short / np.maximum(needed, 1)).mean()),
        theta_o=float(100 * (idle / np.maximum(needed, 1)).mean()),
        instance_hours=instance_hours,
        needed_hours=float(needed.sum() * hours),
        actions_per_day=changes / ((run.until - run.since) / timedelta(days=1)),
        cost=instance_hours * run.policy.price_per_hour,
    )
