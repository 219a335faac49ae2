"""From a plan to the scheduled actions a group should have, and the fewest writes that get there.

Pure: a group's state goes in, changes come out. An action of ours sets MinSize alone, so reactive policies stay
free above the floor, and it is named after its start, so putting it twice changes nothing. Only where a step states the
maximum, for a forecast that may pass it or a person who bounds the fleet for a while, is MaxSize set too: the step
after it brings it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from forecasting import Plan
from predictive_scaling.fleets import ScheduledAction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from forecasting import Step
    from predictive_scaling.fleets import Observed

ACTIONS_PER_GROUP: Final = 125
"""AWS's limit, foreign actions included."""
NOTICE: Final = timedelta(seconds=90)
"""The nearest start we ask for: AWS refuses a start in the past, and clocks differ."""
LATEST: Final = timedelta(minutes=3)
"""A scheduled action runs up to two minutes late; until then nobody can say what the bounds should be."""
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The writes that bring a group's schedule to the plan."""

    put: tuple[ScheduledAction, ...] = ()
    delete: tuple[ScheduledAction, ...] = ()
    keep: tuple[ScheduledAction, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.delete)


@dataclass(frozen=True, slots=True)
class Naming:
    """How our actions of one fleet are told from all others: `<prefix>-<fleet>-<UTC start>`."""

    prefix: str
    fleet: str

    def of(self, start: datetime) -> str:
        """The name of the action that starts then."""
        return f"{self.prefix}-{self.fleet}-{start.astimezone(UTC):%Y%m%dT%H%MZ}"

    def is_ours(self, action: ScheduledAction) -> bool:
        """Whether this fleet wrote the action."""
        return (
            re.fullmatch(rf"{re.escape(self.prefix)}-{re.escape(self.fleet)}-\d{{8}}T\d{{4}}Z", action.name) is not None
        )


def wanted_actions(plan: Plan, naming: Naming, observed: Observed, *, now: datetime) -> tuple[ScheduledAction, ...]:
    """Give the actions the plan asks for, in its order, each at a minute that no foreign action holds."""
    taken = {action.start for action in observed.actions if action.start and not naming.is_ours(action)}
    wanted: list[ScheduledAction] = []
    earliest = soonest(now)
    for start, step in _starts(_by_minutes(plan), naming, observed, now):
        free = _free_minute(max(start, earliest) if wanted else start, taken, earliest=earliest)
        earliest = max(earliest, free + MINUTE)
        wanted.append(ScheduledAction(name=naming.of(free), start=free, min_size=step.capacity, max_size=step.most))
    return tuple(wanted)


def changes_between(
    present: Iterable[ScheduledAction], wanted: Iterable[ScheduledAction], naming: Naming, *, now: datetime
) -> Changes:
    """Compare our present actions with the wanted ones; foreign actions are never touched."""
    ours = {action.name: action for action in present if naming.is_ours(action)}
    goal = {action.name: action for action in wanted}
    return Changes(
        put=tuple(action for name, action in goal.items() if ours.get(name) != action),
        delete=tuple(action for name, action in ours.items() if name not in goal and not _is_due(action, now)),
        keep=tuple(action for name, action in goal.items() if ours.get(name) == action),
    )


def counted(items: Collection[object], what: str) -> str:
    """Say how many there are: 1 action, 2 actions."""
    return f"{len(items)} {what}{'' if len(items) == 1 else 's'}"


def soonest(now: datetime) -> datetime:
    """The nearest minute that AWS takes an action for."""
    return _whole_minute(now + NOTICE)


def _starts(plan: Plan, naming: Naming, observed: Observed, now: datetime) -> Iterator[tuple[datetime, Step]]:
    """Yield what starts when: the catch-up for what should hold already, then every step that is still to come."""
    earliest = soonest(now)
    later = [step for step in plan.steps if step.at > earliest]
    held = plan.step_at(earliest)
    ours = [action for action in observed.actions if naming.is_ours(action)]
    same = [action for action in ours if brings(action, held)]
    late = any(_is_late(action, now) for action in ours if action not in same)
    if late or held.capacity != observed.min_size or held.most not in {None, observed.max_size}:
        yield _pending(same, after=now, until=earliest) or earliest, held
    for step in later:
        yield step.at, step


def _by_minutes(plan: Plan) -> Plan:
    """Bring the steps to whole minutes, AWS's own grain: a person's word may end in the midst of one."""
    minutes = [step.at.replace(second=0, microsecond=0) for step in plan.steps]
    return Plan(tuple({at: replace(step, at=at) for at, step in zip(minutes, plan.steps, strict=True)}.values()))


def brings(action: ScheduledAction, step: Step) -> bool:
    """Whether an action sets what a step asks for."""
    return (action.min_size, action.max_size) == (step.capacity, step.most)


def _pending(ours: Iterable[ScheduledAction], *, after: datetime, until: datetime) -> datetime | None:
    """The start of an action that is about to do the same, no later than a new one could, so that none is written."""
    return min((action.start for action in ours if action.start and after < action.start <= until), default=None)


def _free_minute(start: datetime, taken: Collection[datetime], *, earliest: datetime) -> datetime:
    """AWS allows one action a start time: move ours earlier, never later, unless only later is left."""
    minute = start
    while minute in taken and minute - MINUTE >= earliest:
        minute -= MINUTE
    while minute in taken:
        minute += MINUTE
    return minute


def _is_due(action: ScheduledAction, now: datetime) -> bool:
    """Whether AWS is carrying the action out at this moment, after which it goes by itself."""
    return action.start is not None and action.start <= now


def _is_late(action: ScheduledAction, now: datetime) -> bool:
    """Whether AWS may carry it out yet: nobody can hold it up, and what should hold must be said after it."""
    return action.start is not None and now - LATEST < action.start <= now


def _whole_minute(instant: datetime) -> datetime:
    """Round up to the minute, AWS's own grain."""
    floor = instant.replace(second=0, microsecond=0)
    return floor if floor == instant else floor + MINUTE
