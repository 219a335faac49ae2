"""Scorecard: what a course of capacity left short, left idle and cost.

Short and idle are measured as the SPEC research group on cloud elasticity does: by the instances that the demand
needed (d) and those that served (s), leaving out what nobody measured.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.errors import InvalidRequest
from forecasting.sliding import trailing_min

if TYPE_CHECKING:
    import numpy.typing as npt

    from forecasting.policy import Policy
    from forecasting.values import Values

    Sizes = npt.NDArray[np.int64]

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """What a replay found. Shares are 0 to 1, accuracies and instability are in percent."""

    mode: str
    since: datetime
    until: datetime
    under_time_share: float  # share of time with fewer instances than needed (tau_U)
    over_hours_share: float  # instance-hours paid beyond the need, as a share of the hours needed, of one at the least
    theta_u: float
    theta_o: float
    instance_hours: float
    needed_hours: float
    actions_per_day: float
    cost: float
    worst_shortage: int = 0  # the most instances that were missing at once
    instability: float = 0.0  # percent of time in which supply and demand did not move the same way (upsilon)

    def as_mapping(self) -> dict[str, Any]:
        """Give the figures for JSON."""
        return {**asdict(self), "since": self.since.isoformat(), "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What was ordered at every tick, beside what that tick needed."""

    mode: str
    since: datetime
    tick: timedelta
    boot: timedelta
    needed: Sizes  # with no headroom and no bounds; -1 where nobody measured
    ordered: Sizes

    @property
    def until(self) -> datetime:
        """The instant at which the last tick closes."""
        return self.since + len(self.ordered) * self.tick

    @property
    def serving(self) -> Sizes:
        """What is ordered serves after its boot; what is taken away is gone at once."""
        return trailing_min(self.ordered, 1 + -(-self.boot // self.tick))


def bare_need(demand: Values, policy: Policy) -> Sizes:
    """Count the instances each demand needs, with no headroom and no bounds; -1 where nobody measured."""
    bare = replace(policy, headroom=0.0)
    return np.where(np.isnan(demand), -1, bare.counted(np.nan_to_num(demand)))


def scored(course: Course, policy: Policy) -> Scorecard:
    """Hold a course against the demand that came."""
    known = course.needed >= 0
    if not known.any():
        msg = f"nothing was measured from {course.since.isoformat()} to {course.until.isoformat()}: choose another time"
        raise InvalidRequest(msg)
    needed, serving, ordered = course.needed[known], course.serving[known], course.ordered[known]
    hours = course.tick / HOUR
    short, idle = np.maximum(needed - serving, 0), np.maximum(serving - needed, 0)
    instance_hours, needed_hours = float(course.ordered.sum() * hours), float(needed.sum() * hours)
    days = len(course.ordered) * course.tick / timedelta(days=1)
    return Scorecard(
        mode=course.mode,
        since=course.since,
        until=course.until,
        under_time_share=float((short > 0).mean()),
        over_hours_share=float(np.maximum(ordered - needed, 0).sum() * hours / max(needed_hours, 1.0)),
        theta_u=float(100 * (short / np.maximum(needed, 1)).mean()),
        theta_o=float(100 * (idle / np.maximum(needed, 1)).mean()),
        instance_hours=instance_hours,
        needed_hours=needed_hours,
        actions_per_day=int(np.count_nonzero(np.diff(course.ordered))) / days,
        cost=instance_hours * policy.price_per_hour,
        worst_shortage=int(short.max()),
        instability=_instability(serving, needed),
    )


def _instability(serving: Sizes, needed: Sizes) -> float:
    if len(needed) < 2:
        return 0.0
    apart = np.sign(np.diff(serving)) != np.sign(np.diff(needed))
    return float(100 * apart.mean())
