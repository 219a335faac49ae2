"""Rehearsal: one stretch of past demand, steered again and again.

Modes, policies and boot times are many, the history is one: whatever depends on it alone, above all the forecasts, is
made once and kept. Every tick knows only what had been measured before it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from forecasting.capacity import instances
from forecasting.duration import format_duration, shown_duration
from forecasting.errors import InvalidRequest, NotEnoughHistory
from forecasting.forecaster import forecast_many
from forecasting.foresight import Foresight
from forecasting.instant import as_utc
from forecasting.near import TICK, near_peaks
from forecasting.planner import draw_plan
from forecasting.prepared import LEAST_KNOWN, MEMORY, check_step
from forecasting.reactive import reactive_capacity, seen_before
from forecasting.request import QUANTILES
from forecasting.scalers import SCALERS
from forecasting.scalers.seen import Seen
from forecasting.scorecard import Course, bare_need
from forecasting.sliding import trailing_max

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

    from forecasting.demand import Demand
    from forecasting.forecast import Forecast
    from forecasting.policy import Policy
    from forecasting.values import Values

    Sizes = npt.NDArray[np.int64]
    Watch = Callable[[Iterable[datetime], int], Iterable[datetime]]

Mode = Literal[
    "predictive", "reactive", "hybrid", "floor", "steered", "aws_hourly", "react", "adapt", "hist", "reg", "conpaas"
]
MODES: tuple[Mode, ...] = get_args(Mode)
STATIC = "static"  # One size for all the time.
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MOST_REFRESH = timedelta(days=7)  # Each forecast reaches over two of them.
MIDDLE = 0.5
TOGETHER = 24  # Forecasts made in one call.
# AWS predictive scaling: hourly means of 14 days, forecast every six hours, launched five minutes before the hour.
AWS_MEMORY, AWS_REFRESH, AWS_BUFFER = timedelta(days=14), timedelta(hours=6), timedelta(minutes=5)
AWS_LEAST = LEAST_KNOWN * HOUR


class Rehearsal:
    """A past demand from `since` to `until`, with everything before it known."""

    def __init__(  # noqa: PLR0913  (what a replay asks for; all but two have defaults)
        self,
        demand: Demand,
        *,
        since: datetime,
        until: datetime | None = None,
        refresh: timedelta = HOUR,
        foresight: Foresight | None = None,
        watch: Watch = lambda instants, _: instants,
        forecasts: dict[datetime, Forecast] | None = None,
    ) -> None:
        """Cut the demand into ticks; a longer slot becomes several, so that five minutes of boot mean something.

        Forecasts that were made already, one for every refresh, are not made again.
        """
        part = _part(demand, as_utc(since, "since"), until, refresh)
        self.tick = TICK if part.step > TICK and not part.step % TICK else part.step
        self.since, self.values = part.start, np.repeat(part.values, part.step // self.tick)
        self._demand, self._refresh, self._watch = demand, refresh, watch
        self._asked = (foresight or Foresight()).as_options()
        past = demand.between(max(demand.start, part.start - MEMORY - 8 * DAY), part.end)
        self._history = np.repeat(past.values, past.step // self.tick)
        self._first = len(self._history) - len(self.values)
        self._seen = seen_before(self._history)
        self._given = forecasts
        self._forecasts: dict[tuple[float, ...], dict[datetime, Forecast]] = {}
        self._hourly: dict[datetime, Forecast] = {}
        self._near: dict[tuple[int, float], Values] = {}

    def steered(self, policy: Policy, mode: Mode, boot: timedelta) -> Course:
        """Give what would have been ordered."""
        if not isinstance(boot, timedelta) or not timedelta(0) <= boot <= DAY:
            msg = f"boot is {shown_duration(boot)}: give 0 to 24 hours"
            raise InvalidRequest(msg)
        return self._course(mode, policy, boot, self._ordered(policy, mode, boot))

    def still(self, policy: Policy, boot: timedelta) -> Course:
        """Give as many instances, all the time, as the greatest demand needed: known only afterwards."""
        seen = self.values[~np.isnan(self.values)]
        peak = policy.needed(float(seen.max())) if len(seen) else policy.min_size
        return self._course(STATIC, policy, boot, np.full(len(self.values), policy.bounded(peak)))

    def _course(self, mode: str, policy: Policy, boot: timedelta, ordered: Sizes) -> Course:
        return Course(
            mode=mode,
            since=self.since,
            tick=self.tick,
            boot=boot,
            needed=bare_need(self.values, policy),
            ordered=ordered,
        )

    def _ordered(self, policy: Policy, mode: Mode, boot: timedelta) -> Sizes:
        match mode:
            case "predictive":
                return self._planned(policy)
            case "reactive":
                return self._reactive(policy)
            case "floor":
                return self._floored(policy)
            case "hybrid" | "steered":
                near = self._hybrid(policy, max(policy.lead_time, boot))
                return near if mode == "hybrid" else np.maximum(near, self._floored(policy))
            case "aws_hourly":
                return np.maximum(self._aws_hourly(policy), self._reactive(policy))
            case _:
                seen = Seen(demand=self._seen, first=self._first, tick=self.tick, policy=policy)
                return SCALERS[mode](seen)

    def _reactive(self, policy: Policy) -> Sizes:
        """React to what was measured; the hours before the replay give it something to start from."""
        return reactive_capacity(self._seen, policy, self.tick)[self._first :]

    def _planned(self, policy: Policy) -> Sizes:
        """Plan at every refresh, and hold to the newest plan."""
        capacity = np.zeros(len(self.values), dtype=np.int64)
        current: int | None = None
        for now, made in self._forecast(tuple(sorted({*QUANTILES, policy.quantile}))).items():
            plan = draw_plan(made, policy, now=now, current=current)
            ticks = self._until_next(now, self._refresh)
            instants = (self.since + tick * self.tick for tick in range(ticks.start, ticks.stop))
            capacity[ticks] = [plan.capacity_at(when) for when in instants]
            current = int(capacity[ticks.stop - 1])
        return capacity

    def _floored(self, policy: Policy) -> Sizes:
        """React above the floor that the plans hold."""
        return np.maximum(self._planned(policy), self._reactive(policy))

    def _hybrid(self, policy: Policy, lead: timedelta) -> Sizes:
        """Order the most of three: what the next minutes may bring, what is expected at all, what is seen now."""
        near = self._peaks(lead, policy.foreseen)
        if np.isnan(near).any():
            return self._floored(policy)
        usual = self._expected(lead)
        wanted = instances(np.maximum(np.maximum(near, usual), self._seen[self._first :]), policy)
        return trailing_max(wanted, 1 + -(-policy.stabilisation // self.tick))

    def _peaks(self, lead: timedelta, quantile: float) -> Values:
        width = 1 + -(-lead // self.tick)
        if (width, quantile) not in self._near:
            peaks = near_peaks(self._history, self._first, DAY // self.tick, width, quantile)
            self._near[width, quantile] = peaks
        return self._near[width, quantile]

    def _expected(self, lead: timedelta) -> Values:
        """Give, for every tick, the most that the newest forecast's middle expects within the lead time."""
        floor = np.zeros(len(self.values))
        for now, made in self._forecast(QUANTILES).items():
            middle = made.at(MIDDLE)
            ticks = self._until_next(now, self._refresh)
            for tick in range(ticks.start, ticks.stop):
                opens = self.since + tick * self.tick - made.start
                floor[tick] = middle[opens // made.step : 1 + (opens + lead) // made.step].max()
        return floor

    def _forecast(self, quantiles: tuple[float, ...]) -> dict[datetime, Forecast]:
        """Forecast at every refresh, many at a time."""
        if self._given is not None:
            return self._given
        if quantiles not in self._forecasts:
            instants = self._times(self._refresh)
            found: dict[datetime, Forecast] = {}
            for index, now in enumerate(self._watch(instants, len(instants))):
                if now not in found:
                    known = {each.isoformat(): self._demand.before(each) for each in instants[index : index + TOGETHER]}
                    made = forecast_many(
                        known,
                        horizon=max(DAY, 2 * self._refresh),
                        quantiles=quantiles,
                        **self._asked,
                    )
                    found |= {datetime.fromisoformat(each): one for each, one in made.items()}
            self._forecasts[quantiles] = found
        return self._forecasts[quantiles]

    def _aws_hourly(self, policy: Policy) -> Sizes:
        """Hold, for every hour, what its forecast mean needs, from five minutes before the hour on."""
        floor = np.zeros(len(self.values), dtype=np.int64)
        for now, made in self._forecast_hourly().items():
            ticks = self._until_next(now, AWS_REFRESH)
            floor[ticks.start :] = 0
            for opens, size in zip(made.times(), instances(made.at(MIDDLE), policy).tolist(), strict=True):
                first = max((opens - AWS_BUFFER - self.since) // self.tick, ticks.start)
                last = -(-(opens + made.step - self.since) // self.tick)
                floor[first:last] = np.maximum(floor[first:last], size)
        return floor

    def _forecast_hourly(self) -> dict[datetime, Forecast]:
        if not self._hourly:
            instants = self._times(AWS_REFRESH)
            known = {}
            for now in self._watch(instants, len(instants)):
                recent = self._demand.before(now).tail(AWS_MEMORY)
                if recent.end - recent.start < AWS_LEAST:
                    least = format_duration(AWS_LEAST)
                    msg = f"since {now.isoformat()}: aws_hourly needs {least} known before it: give a later one"
                    raise NotEnoughHistory(msg)
                known[now.isoformat()] = recent.every(_about_an_hour(recent.step))
            made = forecast_many(known, horizon=AWS_REFRESH + 2 * HOUR, quantiles=(MIDDLE,), **self._asked)
            self._hourly = {datetime.fromisoformat(each): one for each, one in made.items()}
        return self._hourly

    def _times(self, every: timedelta) -> list[datetime]:
        count = -(-len(self.values) * self.tick // every)
        return [self.since + index * every for index in range(count)]

    def _until_next(self, now: datetime, every: timedelta) -> slice:
        """Give the ticks that open before the next forecast is made, and none that opened before this one was."""
        first, last = (-(-(when - self.since) // self.tick) for when in (now, now + every))
        return slice(first, min(len(self.values), last))


def _about_an_hour(step: timedelta) -> timedelta:
    """Give the shortest span from an hour on that is made of whole steps and makes up a day."""
    whole = (count * step for count in range(-(-HOUR // step), DAY // step))
    return next((span for span in whole if not DAY % span), step)


def _part(demand: Demand, since: datetime, until: datetime | None, refresh: timedelta) -> Demand:
    end = demand.end if until is None else as_utc(until, "until")
    if not demand.start < since < end <= demand.end:
        msg = (
            f"since {since.isoformat()} and until {end.isoformat()} must follow each other within the demand, "
            f"{demand.start.isoformat()} to {demand.end.isoformat()}"
        )
        raise InvalidRequest(msg)
    if not isinstance(refresh, timedelta) or not TICK <= refresh <= MOST_REFRESH:
        msg = f"refresh is {shown_duration(refresh)}: give 5 minutes to {MOST_REFRESH.days} days"
        raise InvalidRequest(msg)
    check_step(demand.step)
    return demand.between(since, end)
