"""Whose group is it? Who or what else moves it is named before the first write, and policy says what comes of it.

`judge` is pure, and reads what a look at the group costs anyway. `hold` acts on it: it refuses, stands back, or writes
our name on the group and reads it back; before that, once in the life of a group, it looks at the scaling policies too.
AWS has no conditional write of tags: two deployments that claim at the same instant may both go on for that one turn;
at its next look one of them finds the other's name and writes no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.errors import NotAllowed
from predictive_scaling.findings import verb_of
from predictive_scaling.fleet_spec import Ownership
from predictive_scaling.fleets import HELD_BY, Sizes
from predictive_scaling.permission import May, Permission
from predictive_scaling.schedule import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from predictive_scaling.fleets import Fleet, Observed, ScalingPolicy, ScheduledAction
    from predictive_scaling.ledger.records import Event
    from predictive_scaling.schedule import Naming

MOST_CHARACTERS: Final = 200
"""Of a deployment's name; AWS takes 256 in a tag."""
_NAMED_LIKE_OURS: Final = re.compile(r"[A-Za-z0-9-]{1,20}-[a-z][a-z0-9-]*-\d{8}T\d{4}Z")
_VOID: Final = {
    "Launch": "no instance is started until it is resumed",
    "Terminate": "no instance is ended until it is resumed",
    "AlarmNotification": "reactive policies do not act above the floor",
    "AddToLoadBalancer": "new instances get no requests",
    "HealthCheck": "sick instances count as capacity",
    "ReplaceUnhealthy": "sick instances are not replaced",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who we are to a group: our deployment, how we name actions, what we wrote last, and how hard we insist."""

    deployment: str
    naming: Naming
    how: Ownership = Ownership.REFUSE
    written: Sizes = field(default_factory=Sizes)


class RivalKind(StrEnum):
    """By what a group is moved, or kept from moving."""

    DEPLOYMENT = "deployment"
    ACTIONS = "actions"
    POLICY = "policy"
    PROCESS = "process"
    BOUNDS = "bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Somebody or something else that moves the group, or makes our work void; `stops` when writing would be wrong."""

    kind: RivalKind
    what: str
    mend: str
    stops: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The group as it is now, what may be written to it, and what a person should know of its other owners."""

    observed: Observed
    permitted: Permission
    notes: tuple[str, ...] = ()
    rivals: tuple[Rival, ...] = ()


def deployment_name(written: str, ledger: str) -> str:
    """Give what a claim says of us; `{LEDGER}` stands for where the ledger is kept, which no two deployments share."""
    return written.replace("{LEDGER}", ledger)[-MOST_CHARACTERS:]


def judge(observed: Observed, claim: Claim, now: datetime) -> tuple[Rival, ...]:
    """Name everybody else who moves the group, those first who forbid us to."""
    found = (
        *_holder(observed, claim),
        *_actions(observed, claim.naming, now),
        *_suspended(observed),
        *_drift(observed, claim),
    )
    return _gravest_first(found)


def judge_policies(policies: Iterable[ScalingPolicy]) -> tuple[Rival, ...]:
    """Name the policies of the group that are no friends of a floor: a closer look, for it costs a call."""
    return tuple(
        Rival(
            kind=RivalKind.POLICY,
            what=f"native predictive policy {policy.name!r} scales the group too, and AWS takes the larger capacity",
            mend="set its mode to ForecastOnly or delete it, or leave the group to it",
            stops=True,
        )
        for policy in policies
        if policy.predicts and policy.enabled
    )


def hold(fleet: Fleet, observed: Observed, claim: Claim, permitted: Permission, *, now: datetime) -> Held:
    """Make sure that the group is ours before anything is written; what may not be written needs no claim."""
    rivals = judge(observed, claim, now)
    if permitted.may not in {May.NOTHING, May.TAKE_BACK} and observed.tags.get(HELD_BY) != claim.deployment:
        rivals = _gravest_first((*rivals, *judge_policies(fleet.policies())))
    found = Held(observed=observed, permitted=permitted, notes=tuple(map(str, rivals)), rivals=rivals)
    against = "; ".join(str(rival) for rival in rivals if rival.stops)
    if permitted.may is May.NOTHING:
        return found
    if permitted.may is May.TAKE_BACK:  # what is ours may go, but another deployment's floor is not ours to return
        return replace(found, permitted=Permission(May.NOTHING, against)) if against else found
    if against and claim.how is Ownership.REFUSE:
        msg = f"fleet {claim.naming.fleet}: the group is not ours alone: {against}"
        raise NotAllowed(msg)
    if against and claim.how is Ownership.YIELD:
        return replace(found, permitted=Permission(May.NOTHING, f"ownership is yield, so we stand back: {against}"))
    return _claimed(fleet, observed, claim, found)


def hold_by_hand(fleet: Fleet, claim: Claim) -> str:
    """Make sure that no other deployment holds the group before a person's change; say what was noted on it.

    What only makes a schedule void does not stop a hand, and a hand does not stand back in silence.
    """
    observed = fleet.observe()
    if claim.how is not Ownership.TAKE_OVER:
        for rival in _holder(observed, claim):
            msg = f"fleet {claim.naming.fleet}: the group is not ours: {rival}"
            raise NotAllowed(msg)
    held = Held(observed=observed, permitted=Permission(May.OVERRIDE))
    return "; ".join(_claimed(fleet, observed, claim, held).notes)


def last_written(events: Sequence[Event], now: datetime) -> Sizes:
    """Give the bounds that our own writes have left by now; nothing while AWS may still be late with one.

    The events must go back to where no action from before them can have been carried out since; a bound that none of
    them set is not known, and not judged.
    """
    past = [move for move in moves(events) if move.at <= now]
    if any(now - move.at < LATEST for move in past):
        return Sizes()
    bounds: dict[str, int] = {}
    for move in sorted(past, key=lambda move: move.at):
        bounds.update({name: size for name, size in move.sizes.items() if name in {"min", "max"}})
    return Sizes.from_json(bounds)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a write of ours does to the sizes, and when."""

    at: datetime
    sizes: dict[str, Any]
    name: str = ""


def moves(events: Sequence[Event]) -> list[Moved]:
    """Give what our writes do to the sizes, in part or whole; an action replaced or removed in time does nothing."""
    found: list[Moved] = []
    made = (event for event in events if event.call and event.has_changed)
    for event in sorted(made, key=lambda event: event.id or 0):
        if event.at is None:
            continue
        match verb_of(event.call):
            case "resize" | "retire":
                found.append(Moved(event.at, event.after or {}))
            case "put" | "delete":
                found = [move for move in found if move.name not in event.changed or move.at <= event.at]
                found.extend(_scheduled(event.after or {}))
    return found


def _scheduled(actions: dict[str, Any]) -> Iterator[Moved]:
    for name, action in actions.items():
        if "start" in action:
            yield Moved(datetime.fromisoformat(action["start"]), action, name)


def _gravest_first(rivals: Iterable[Rival]) -> tuple[Rival, ...]:
    return tuple(sorted(rivals, key=lambda rival: not rival.stops))


def _claimed(fleet: Fleet, observed: Observed, claim: Claim, held: Held) -> Held:
    """Write our name on the group, once, and look whether it stands there."""
    before = observed.tags.get(HELD_BY)
    if before == claim.deployment:
        return held
    fleet.claim(claim.deployment)
    seen = fleet.observe()
    holder = seen.tags.get(HELD_BY)
    if holder != claim.deployment:
        msg = (
            f"fleet {claim.naming.fleet}: deployment {holder!r} claimed the group while we did: "
            "it has it now, unless its tag is removed"
        )
        raise NotAllowed(msg)
    note = f"the group is held by deployment {claim.deployment!r} from now on; before: {before or 'nobody'}"
    return replace(held, observed=seen, notes=(*held.notes, note))


def _holder(observed: Observed, claim: Claim) -> Iterator[Rival]:
    holder = observed.tags.get(HELD_BY)
    if holder and holder != claim.deployment:
        yield Rival(
            kind=RivalKind.DEPLOYMENT,
            what=f"deployment {holder!r} holds the group, and we are {claim.deployment!r}",
            mend=f"stop the fleet there and remove the group's tag {HELD_BY}, or write `ownership: take_over` here",
            stops=True,
        )


def _actions(observed: Observed, naming: Naming, now: datetime) -> Iterator[Rival]:
    foreign = [
        each for each in observed.actions if not naming.is_ours(each) and (each.start is None or each.start > now)
    ]
    copies = [each for each in foreign if _NAMED_LIKE_OURS.fullmatch(each.name)]
    if copies:
        yield Rival(
            kind=RivalKind.DEPLOYMENT,
            what=f"another deployment, or another fleet of ours, has scheduled {_names(copies)}",
            mend="stop it there, or delete them if they are left over from a former prefix or fleet name",
            stops=True,
        )
    yield from _foreign([each for each in foreign if each not in copies])


def _foreign(actions: Sequence[ScheduledAction]) -> Iterator[Rival]:
    bounds = [each for each in actions if each.min_size is not None or each.max_size is not None]
    others = [each for each in actions if each not in bounds]
    if bounds:
        yield Rival(
            kind=RivalKind.ACTIONS,
            what=f"somebody else's scheduled actions set the same bounds: {_names(bounds)}",
            mend="the later one wins until our next step; delete them, or say the same as an event of the fleet file",
        )
    if others:
        yield Rival(
            kind=RivalKind.ACTIONS,
            what=f"somebody else's scheduled actions set the desired capacity: {_names(others)}",
            mend="they do not move the floor; nothing need be done",
        )


def _suspended(observed: Observed) -> Iterator[Rival]:
    if "ScheduledActions" in observed.suspended:
        yield Rival(
            kind=RivalKind.PROCESS,
            what="the group's process ScheduledActions is suspended, so nothing we schedule is carried out, ever",
            mend="resume it (ResumeProcesses), or leave the group alone",
            stops=True,
        )
    for process in observed.suspended:
        if process in _VOID:
            what, mend = f"the group's process {process} is suspended", f"{_VOID[process]}; resume it"
            yield Rival(kind=RivalKind.PROCESS, what=what, mend=mend)


def _drift(observed: Observed, claim: Claim) -> Iterator[Rival]:
    present, written = observed.sizes.as_json(), claim.written.as_json()
    for name in ("min", "max"):
        if name in written and written[name] != present[name]:
            yield Rival(
                kind=RivalKind.BOUNDS,
                what=f"{name} is {present[name]} and we left it at {written[name]}: somebody else sets it",
                mend="where Terraform or CloudFormation keeps the group, let it ignore changes of min, max and desired",
            )


def _names(actions: Sequence[ScheduledAction], most: int = 3) -> str:
    names = [each.name for each in sorted(actions, key=lambda each: (str(each.start), each.name))]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
