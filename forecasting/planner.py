"""From forecast and policy to plan: capacity in place before the load, in few steps, each with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from forecasting.capacity import SETTLED, Cells, Segment, at_most, cells, floor, segments, without_wobbles
from forecasting.duration import format_duration
from forecasting.errors import InvalidForecast, InvalidRequest
from forecasting.instant import as_utc, clock_time, zone
from forecasting.plan import Plan, Step

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from forecasting.forecast import Forecast
    from forecasting.policy import Policy

MOST_STEPS = 125  # AWS keeps at most 125 scheduled actions for one Auto Scaling group.
_MINUTE = timedelta(minutes=1)


def draw_plan(  # noqa: PLR0913  (the four after now are rarely given)
    forecast: Forecast,
    policy: Policy,
    *,
    now: datetime,
    current: int | None = None,
    slots: int = MOST_STEPS,
    timezone: str = "UTC",
) -> Plan:
    """Draw the capacity steps from now to the end of the forecast, and a last one that returns to min_size."""
    now, local = as_utc(now, "now"), zone(timezone)
    _check(forecast, now, slots)
    grid = cells(forecast, policy, now)
    settled = -(-SETTLED // policy.granularity)
    parts = without_wobbles(segments(grid.capacity), policy.tolerance, settled, _present(current, policy))
    parts = at_most(parts, slots - 1)
    words = _Words(forecast, policy, grid, local)
    steps, before = [], current
    for index, part in enumerate(parts):
        at = floor(now, _MINUTE) if index == 0 else grid.start + part.first * grid.size
        steps.append(Step(at, part.capacity, words.reason(part, at, before, first=index == 0)))
        before = part.capacity
    return Plan((*steps, *words.restoring(parts[-1])))


def _check(forecast: Forecast, now: datetime, slots: int) -> None:
    if forecast.end <= now:
        msg = f"the forecast ended at {forecast.end.isoformat()}, before now ({now.isoformat()}): make a new one"
        raise InvalidForecast(msg)
    if not 2 <= slots <= MOST_STEPS:
        msg = f"slots is {slots}: give 2 to {MOST_STEPS}, the most scheduled actions a group may have"
        raise InvalidRequest(msg)


def _present(current: int | None, policy: Policy) -> int | None:
    """Let the present capacity count as held only where the policy would allow it."""
    return current if current is not None and policy.bounded(current) == current else None


class _Words:
    """Tells why a step is what it is, to a person at 3 a.m."""

    def __init__(self, forecast: Forecast, policy: Policy, grid: Cells, local: ZoneInfo) -> None:
        self._forecast, self._policy, self._grid, self._local = forecast, policy, grid, local
        self._demand = forecast.at(policy.quantile)

    def reason(self, part: Segment, at: datetime, before: int | None, *, first: bool) -> str:
        asking, greatest = self._drivers(part)
        rising = before is None or part.capacity > before
        slot = greatest if part.capacity == self._policy.max_size or not rising else asking
        clauses = [self._sum(slot), self._bound(part, slot)]
        clauses.append(self._move(part, self._opens(asking) - at, before, first=first))
        if part.merged:
            clauses.append("joined with a neighbour to stay within the number of steps")
        return "; ".join(clause for clause in clauses if clause)

    def restoring(self, last: Segment) -> tuple[Step, ...]:
        """Return to min_size when the forecast ends, so that a lost refresh cannot keep the fleet up for ever."""
        least = self._policy.min_size
        if last.capacity <= least:
            return ()
        at = self._grid.start + last.last * self._grid.size
        ends = clock_time(self._forecast.end, self._local)
        reason = f"the forecast ends at {ends}: back to min_size {least} unless a newer plan comes"
        return (Step(at, least, f"{reason}; from {last.capacity}"),)

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
            f" / {policy.target_per_instance:,g} per instance = {policy.needed(value)}"
        )

    def _bound(self, part: Segment, slot: int) -> str:
        policy = self._policy
        wanted = policy.needed(float(self._demand[slot]))
        if wanted > policy.max_size:
            return f"capped at max_size {policy.max_size}, {wanted - policy.max_size} short of what is wanted"
        if wanted < policy.min_size == part.capacity:
            return f"held at min_size {policy.min_size}"
        if policy.bounded(wanted) < part.capacity:
            return f"kept at {part.capacity}: to lower by {policy.tolerance:.0%} or less for a short while is no gain"
        return ""

    def _move(self, part: Segment, early: timedelta, before: int | None, *, first: bool) -> str:
        if before is None:
            return "holds from now on"
        if part.capacity == before:
            return f"stays at {before}"
        if part.capacity < before:
            return f"lowered from {before}" + ("" if first else " once the load is gone")
        if early >= _MINUTE and not first:
            return f"raised {format_duration(early)} early (lead time); from {before}"
        return f"raised from {before}"
