"""A person's word over the plan: taken down, obeyed from the next look at the group, and over when its time is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from forecasting import InvalidRequest
from forecasting.override import Override, OverrideKind
from predictive_scaling.ledger.overrides import EVERY_FLEET
from predictive_scaling.ledger.records import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from forecasting import Policy
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.overrides import Overrides
    from predictive_scaling.ledger.records import TaskRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for; the numbers it comes down to depend on the fleet as it is."""

    kind: OverrideKind
    reason: str
    starts_at: datetime
    ends_at: datetime | None = None
    min_size: int | None = None
    max_size: int | None = None

    def over(self, fleet: str, observed: Observed | None, by: TaskRun, *, now: datetime) -> Override:
        """Give the override of one fleet, in numbers."""
        least, most = self._bounds(observed)
        return Override(
            id=str(uuid4()),
            fleet=fleet,
            kind=self.kind,
            reason=self.reason,
            actor=by.actor,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            min_size=least,
            max_size=most,
            max_before=observed.max_size if observed else None,
            group_id=observed.group_id if observed else None,
            created_at=now,
        )

    def _bounds(self, observed: Observed | None) -> tuple[int | None, int | None]:
        if observed is None:
            return None, None
        match self.kind:
            case OverrideKind.FREEZE:
                return observed.desired, observed.desired
            case OverrideKind.NO_SCALE_IN:
                return observed.desired, None
            case OverrideKind.NO_SCALE_OUT:
                return None, observed.desired
            case OverrideKind.HOLD:
                return self.min_size, self.min_size
        return self.min_size, self.max_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where overrides are kept and told, on whose behalf, and since when that is asked for."""

    overrides: Overrides
    ledger: Ledger
    by: TaskRun
    asked_at: datetime | None = None


def impose(wish: Wish, fleet: str, observed: Observed | None, desk: Desk, *, now: datetime) -> Override:
    """Take an override down; the group's maximum returns to what it was before the first of several."""
    made = wish.over(fleet, observed, desk.by, now=now)
    before = desk.overrides.open(fleet)
    made = _after_others(made, [each for each in before if each.group_id in {None, made.group_id}])
    _refuse_beyond_the_group(made)
    desk.overrides.add(made, _told(made, EventKind.OVERRIDDEN, desk.by, str(made)))
    return made


def imposed_before(fleet: str, desk: Desk) -> Override | None:
    """Give the override that an earlier try of this very task took down, though it may have been ended since."""
    told = _told_before(fleet, desk)
    return desk.overrides.of(str((told[0].after or {})["id"])) if told else None


def resume(fleet: str, reason: str, desk: Desk, *, now: datetime) -> Sequence[Override]:
    """End every override of a fleet, or with `*` those of every fleet, by a person's word.

    A retry may find them ended by the try before it; what a person has decided since then, or since it was asked for
    where that try told nothing, is not its to end.
    """
    told = _told_before(fleet, desk)
    since = told[-1].at if told else desk.asked_at if desk.by.is_retry else None
    mine = [each for each in desk.overrides.open(fleet) if each.fleet == fleet and not each.ended_at]
    ending = [each for each in mine if since is None or each.created_at < since]
    if not ending and not desk.by.is_retry:
        what = "no override of every fleet" if fleet == EVERY_FLEET else f"no override of fleet {fleet}"
        msg = f"there is {what} to end: look for `overridden` in the ledger"
        raise InvalidRequest(msg)
    for each in ending:
        ended = _told(each, EventKind.OVERRIDDEN, desk.by, f"ended early, {reason}; it was {each}")
        desk.overrides.end(each, ended, by=desk.by.actor, at=now)
        if each.kind is OverrideKind.STOP:
            returned(each, desk, now, "plans are written again")
    return ending


def in_force(
    spec: FleetSpec, observed: Observed, overrides: Iterable[Override], desk: Desk, *, now: datetime
) -> tuple[Override, ...]:
    """Give the overrides a plan must heed: those to come, those that hold, and those the fleet is not yet back from."""
    heeded = []
    for each in laid_on(observed, overrides, spec.policy):
        over = each.over_at is not None and each.over_at <= now
        if over and (each.max_size is None or _is_back(each, observed, spec.policy)):
            returned(each, desk, now, "its time is over, and the group was seen to be back")
        else:
            heeded.append(each)
    return tuple(heeded)


def laid_on(observed: Observed, overrides: Iterable[Override], policy: Policy) -> tuple[Override, ...]:
    """Give those that concern a group, within what its file allows by now: the agreed bound goes before a person's."""
    return tuple(each.held_to(policy.ceiling) for each in overrides if not observed.is_other_than(each.group_id))


def said_since(known: Collection[Override], words: Iterable[Override], began: datetime) -> tuple[Override, ...]:
    """Give what people have laid down or ended since somebody looked: what was decided then may not heed it."""
    return tuple(each for each in words if each not in known or (each.ended_at or each.created_at) > began)


def name_in(group_id: str) -> str:
    """The group's name, without its account and region."""
    return group_id.split("/", 2)[-1]


def place_of(group_id: str) -> str:
    """The account and region of a group."""
    return group_id.removesuffix(name_in(group_id))


def usual_max(overrides: Sequence[Override], policy: Policy) -> int | None:
    """Give the maximum that the group returns to after all of them; those that state none leave it to others.

    Where a forecast may pass the maximum, that before an override may have been no more than a passing one.
    """
    first = max_before(overrides)
    return first if first is None or policy.breach_max is None else policy.max_size


def bounding(overrides: Sequence[Override]) -> tuple[Override, ...]:
    """Give those that bound a plan; a stop has none to bound."""
    return tuple(each for each in overrides if each.kind is not OverrideKind.STOP)


def _refuse_beyond_the_group(made: Override) -> None:
    """The group's own maximum is somebody's decision too, and AWS does not carry out a floor above it."""
    if made.min_size is not None and made.max_before is not None and made.min_size > made.max_before:
        beyond = f"{made.min_size} instances are above the group's own maximum {made.max_before}"
        msg = f"fleet {made.fleet}: {beyond}: raise its MaxSize, or ask for less"
        raise InvalidRequest(msg)


def _is_back(override: Override, observed: Observed, policy: Policy) -> bool:
    """Whether the group's maximum is no longer the override's; one that a forecast may pass is the plan's to state."""
    passing = policy.breach_max is not None and observed.max_size >= policy.max_size
    return passing or observed.max_size == override.max_before


def max_before(overrides: Iterable[Override]) -> int | None:
    """Give the group's maximum before the first of those that moved it."""
    return next((each.max_before for each in overrides if each.max_size is not None), None)


def _told_before(fleet: str, desk: Desk) -> Sequence[Event]:
    """Give what earlier tries of this very task told of overrides, newest first."""
    return desk.ledger.events(fleet=fleet, kind=EventKind.OVERRIDDEN, by=desk.by) if desk.by.is_retry else ()


def returned(override: Override, desk: Desk, now: datetime, what: str) -> None:
    """Remember that nothing of it is left on its group."""
    told = _told(override, EventKind.RETURNED, desk.by, f"{what}; it was {override}")
    desk.overrides.returned(override, told, at=now)


def _after_others(made: Override, known: Sequence[Override]) -> Override:
    """A maximum that another override has moved is not the one to return to."""
    first = max_before(known)
    return made if first is None else replace(made, max_before=first)


def _told(override: Override, kind: EventKind, by: TaskRun, reason: str) -> Event:
    sizes = {"min": override.min_size, "max": override.max_size}
    after: dict[str, Any] = {name: size for name, size in sizes.items() if size is not None}
    after |= {"id": override.id, "until": override.ends_at.isoformat() if override.ends_at else None}
    before = {"max": override.max_before} if override.max_before is not None else None
    group = override.group_id
    return Event(fleet=override.fleet, kind=kind, by=by, reason=reason, before=before, after=after, group_id=group)
