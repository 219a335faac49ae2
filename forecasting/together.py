"""Several loads of one fleet: each is foretold and answered by itself, and at every moment the greatest need counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.demand import Demand
from forecasting.errors import InvalidRequest
from forecasting.scorecard import Course
from forecasting.values import GREATEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from forecasting.policy import Policy
    from forecasting.rehearsal import Mode, Rehearsal

MOMENT = timedelta(microseconds=1)


class Together:
    """A rehearsal of a fleet with the first of its loads, and with others beside it."""

    def __init__(self, first: Rehearsal, *beside: tuple[Rehearsal, float]) -> None:
        """Take the rehearsal of each load; of those beside, with what one instance serves of it."""
        self._first, self._beside = first, beside

    def steered(self, policy: Policy, mode: Mode, boot: timedelta) -> Course:
        """Give what would have been ordered: at every tick the most that any load asked for."""
        return joined([rehearsal.steered(own, mode, boot) for rehearsal, own in self._each(policy)])

    def still(self, policy: Policy, boot: timedelta) -> Course:
        """Give as many instances, all the time, as the greatest need of any load."""
        return joined([rehearsal.still(own, boot) for rehearsal, own in self._each(policy)])

    def _each(self, policy: Policy) -> Iterator[tuple[Rehearsal, Policy]]:
        """Give each load the fleet's policy, with a target of its own."""
        yield self._first, policy
        for rehearsal, target in self._beside:
            yield rehearsal, replace(policy, target_per_instance=target)


def joined(courses: Sequence[Course]) -> Course:
    """Make the courses of one fleet's loads one: the greatest need, unknown where one is, and the greatest order."""
    since, until = max(each.since for each in courses), min(each.until for each in courses)
    tick = min(each.tick for each in courses)
    count = _slots(since, until, tick)
    places = [slots_at(each.since, each.tick, since, tick, count) for each in courses]
    needed = np.stack([each.needed[at] for each, at in zip(courses, places, strict=True)])
    ordered = np.stack([each.ordered[at] for each, at in zip(courses, places, strict=True)])
    return Course(
        mode=courses[0].mode,
        since=since,
        tick=tick,
        boot=courses[0].boot,
        needed=np.where(needed.min(axis=0) < 0, -1, needed.max(axis=0)),
        ordered=ordered.max(axis=0),
    )


def needs(loads: Sequence[tuple[Demand, float]]) -> tuple[Demand, ...]:
    """Count what each demand needs in instances, with what one serves of it, on one grid: the finest of theirs."""
    demands = [demand for demand, _ in loads]
    since, until = max(each.start for each in demands), min(each.end for each in demands)
    step = min(each.step for each in demands)
    count = _slots(since, until, step)
    return tuple(
        Demand(
            since, step, np.minimum(each.values[slots_at(each.start, each.step, since, step, count)] / one, GREATEST)
        )
        for each, one in loads
    )


def greatest(each: Sequence[Demand]) -> Demand:
    """Give the greatest of some needs at every slot; it is unknown where one of them is."""
    return Demand(each[0].start, each[0].step, np.max([need.values for need in each], axis=0))


def slots_at(start: datetime, step: timedelta, since: datetime, tick: timedelta, count: int) -> npt.NDArray[np.int64]:
    """Tell in which slot of one grid each tick of another opens."""
    opens = (since - start) // MOMENT + np.arange(count) * (tick // MOMENT)
    return np.asarray(opens // (step // MOMENT), dtype=np.int64)


def _slots(since: datetime, until: datetime, step: timedelta) -> int:
    count = (until - since) // step
    if count < 1:
        msg = (
            f"the loads were not measured at one time: one begins {since.isoformat()}, another ends "
            f"{until.isoformat()}: wait until there is a history of each"
        )
        raise InvalidRequest(msg)
    return count
