"""Grounds: why a step of a plan is what it is, told to a person at 3 a.m."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forecasting.duration import format_duration
from forecasting.instant import clock_time
from forecasting.limits import limits_change
from forecasting.plan import Step

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from forecasting.capacity import Cells, Segment
    from forecasting.forecast import Forecast
    from forecasting.policy import Policy

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


class Words:
    """Tells of the steps that one policy draws from one forecast."""

    def __init__(self, forecast: Forecast, policy: Policy, grid: Cells, local: ZoneInfo) -> None:
        """Look at the quantile that the policy asks for."""
        self._forecast, self._policy, self._grid, self._local = forecast, policy, grid, local
        self._demand = forecast.at(policy.quantile)
        self._needed = policy.counted(self._demand).tolist()

    def step(self, part: Segment, at: datetime, before: int | None, *, first: bool) -> Step:
        """Give the step with its reason and all that it rests on."""
        asking, greatest = self._drivers(part)
        rising = before is None or part.capacity > before
        slot = greatest if part.capacity >= self._policy.max_size or not rising else asking
        name, bound = self._bound(part, slot, before)
        ahead = timedelta(0) if first or slot != asking else self._opens(asking) - at
        clauses = [self._sum(slot), bound, self._move(part, slot, ahead, before)]
        if part.merged:
            clauses.append("joined with a neighbour to stay within the number of steps")
        value, price = float(self._demand[slot]), self._policy.price_per_hour
        return Step(
            at,
            part.capacity,
            "; ".join(clause for clause in clauses if clause),
            most=self._most(part.capacity),
            demand=value,
            quantile=self._policy.quantile,
            unbounded=self._needed[slot],
            bound=name,
            price_per_hour=part.capacity * price if price else None,
            rejected=self._rejected(part, before),
        )

    def restoring(self, last: Segment) -> tuple[Step, ...]:
        """Return to min_size when the forecast ends, so that a lost refresh cannot keep the fleet up for ever."""
        least = self._policy.min_size
        if last.capacity <= least:
            return ()
        over = self._grid.start + last.last * self._grid.size
        at = self._thawed(over)
        ends = clock_time(self._forecast.end, self._local)
        when = "" if at == over else ", after the freeze,"
        reason = f"the forecast ends at {ends}: back to min_size {least}{when} unless a newer plan comes"
        return (Step(at, least, f"{reason}; from {last.capacity}", most=self._most(least)),)

    def _thawed(self, at: datetime) -> datetime:
        """Give the first instant from then on that lies in no freeze."""
        for freeze in sorted(self._policy.freezes, key=lambda each: each.start):
            if freeze.start <= at < freeze.end:
                at = freeze.end
        return at

    def _most(self, capacity: int) -> int | None:
        """State the maximum with every step where the policy may pass it, so that the next step brings it back."""
        return None if self._policy.breach_max is None else max(self._policy.max_size, capacity)

    def _drivers(self, part: Segment) -> tuple[int, int]:
        """Find the slot that first asks for the step's capacity, and the greatest one that the step must serve."""
        within = slice(part.first, part.last)
        drivers = self._grid.driver[within]
        greatest = int(drivers[self._demand[drivers].argmax()])
        asking = drivers[self._grid.capacity[within] == part.capacity]
        return (int(asking[0]) if len(asking) else greatest), greatest

    def _opens(self, slot: int) -> datetime:
        return self._forecast.start + slot * self._forecast.step

    def _sum(self, slot: int) -> str:
        policy, value = self._policy, float(self._demand[slot])
        more = f" + {policy.headroom:.0%} headroom" if policy.headroom else ""
        shown = f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"
        return (
            f"p{policy.quantile * 100:g} of {shown} at {clock_time(self._opens(slot), self._local)}{more}"
            f" / {policy.target_per_instance:,g} per instance = {self._needed[slot]}{self._cost()}"
        )

    def _cost(self) -> str:
        policy = self._policy
        if not policy.costed:
            return ""
        costs = f"an hour short costs {policy.shortage_cost:g}, an idle one {policy.price_per_hour:g}"
        return f" (p{policy.quantile * 100:g}, for {costs})"

    def _bound(self, part: Segment, slot: int, before: int | None) -> tuple[str, str]:
        """Name the field of the policy that changed the capacity, and tell how."""
        policy = self._policy
        wanted = self._needed[slot]
        if wanted > policy.ceiling == part.capacity:
            name = "breach_max" if policy.breach_max else "max_size"
            return name, f"capped at {name} {policy.ceiling}, {wanted - policy.ceiling} short of what is wanted"
        if part.capacity > policy.max_size:
            return "breach_max", f"above max_size {policy.max_size} for as long as it must, as breach_max allows"
        if wanted < policy.min_size == part.capacity:
            return "min_size", f"held at min_size {policy.min_size}"
        if policy.bounded(wanted) > part.capacity:
            return "limits", f"no faster up than the policy allows: {policy.bounded(wanted) - part.capacity} short"
        if policy.bounded(wanted) < part.capacity:
            return self._more(part, before)
        return "", ""

    def _more(self, part: Segment, before: int | None) -> tuple[str, str]:
        """Tell why there is more than what is wanted by then."""
        policy = self._policy
        if limits_change(policy) and before is not None and part.capacity > before:
            return "limits", "more before it is needed: to change no faster and no more often than the policy allows"
        asked = int(self._grid.capacity[part.first : part.last].max())
        if limits_change(policy) and asked < part.capacity * (1 - policy.tolerance):
            return "limits", f"kept at {part.capacity}: to change no faster and no more often than the policy allows"
        return (
            "tolerance",
            f"kept at {part.capacity}: to lower by {policy.tolerance:.0%} or less for a short while is no gain",
        )

    def _rejected(self, part: Segment, before: int | None) -> str:
        """Tell what doing nothing would have meant."""
        if before is None or before == part.capacity:
            return ""
        if before < part.capacity:
            missing = part.capacity - before
            return f"to stay at {before} would leave {missing} missing at p{self._policy.quantile * 100:g}"
        hours = (before - part.capacity) * part.length * (self._grid.size / _HOUR)
        price = self._policy.price_per_hour
        worth = f", ${hours * price:,.2f}" if price else ""
        return f"to stay at {before} would leave {hours:,.1f} instance-hours idle{worth}"

    def _move(self, part: Segment, slot: int, early: timedelta, before: int | None) -> str:
        if before is None:
            return "holds from now on"
        if part.capacity == before:
            return f"stays at {before}"
        if part.capacity < before:
            over = self._grid.start + part.last * self._grid.size
            until = max(over, self._opens(slot + 1))  # the next rise begins a lead time before this load is over
            return f"the most until {clock_time(until, self._local)}; lowered from {before}"
        if early < _MINUTE:
            return f"raised from {before}"
        return f"raised {format_duration(early)} early{self._why_early(part, early)}; from {before}"

    def _why_early(self, part: Segment, early: timedelta) -> str:
        """Name the lead time where it is all; a neighbour that was joined is told of in any case."""
        if early <= self._policy.lead_time + self._policy.granularity:
            return " (lead time)"
        return "" if part.merged else " (to change no faster and no more often than the policy allows)"
