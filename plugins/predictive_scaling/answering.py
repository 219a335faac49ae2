"""Carrying out what the load asks for: permission, budget and ownership are looked at first, and the ledger told.

The watch does it the moment it has looked, for the group is as it was seen; a run does it after a look of its own.
"""

from __future__ import annotations

import logging
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from forecasting.decision import Rules
from forecasting.override import ruling
from predictive_scaling.change import Change, begun, would
from predictive_scaling.cost_gate import Wish
from predictive_scaling.errors import PredictiveScalingError, unforeseen
from predictive_scaling.fleets import Sizes
from predictive_scaling.ledger.overrides import EVERY_FLEET
from predictive_scaling.lookout import groups_of
from predictive_scaling.overriding import bounding, laid_on, said_since
from predictive_scaling.ownership import Claim, hold
from predictive_scaling.permission import May, Permission, reacting
from predictive_scaling.reaction import Reaction
from predictive_scaling.rise import Rise
from predictive_scaling.schedule import Naming
from predictive_scaling.settle import may_settle, settle
from predictive_scaling.sizing import resize_move, within_bounds, worth
from predictive_scaling.summary import keep_resized
from predictive_scaling.workplace import Turn, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.ledger.records import Operation
    from predictive_scaling.reaction import Watched
    from predictive_scaling.status import Statuses

_log: Final = logging.getLogger(__name__)
_MINUTE: Final = timedelta(minutes=1)
KIND: Final = "react"
_OWN: Final = ("told", "written", "failed", "raised_to", "operation_id")
"""What an answer has beside its reaction."""
HANDS: Final = 8
"""Groups changed at the same time: most of a change is waiting for AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a reaction: the group was written to, or somebody's word is against it, or it went wrong."""

    reaction: Reaction
    told: str
    written: bool = False
    failed: bool = False
    raised_to: int | None = None
    operation_id: str | None = None

    @property
    def wants_a_run(self) -> bool:
        """Whether there is something to follow up: a change to tell of, or a failure to mend."""
        return self.written or self.failed

    @property
    def rise(self) -> Rise | None:
        """What is to be followed until it serves."""
        if self.raised_to is None:
            return None
        asked_at, operation = self.reaction.decided_at, self.operation_id
        return Rise(fleet=self.reaction.fleet, goal=self.raised_to, asked_at=asked_at, operation_id=operation)

    def as_json(self) -> dict[str, Any]:
        """What an event carries."""
        own = {name: getattr(self, name) for name in _OWN}
        return {**self.reaction.as_json(), **own}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        asked = Reaction.from_json({name: value for name, value in row.items() if name not in _OWN})
        return cls(reaction=asked, **{name: row[name] for name in _OWN if name in row})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intention:
    """A reaction after everybody who may have a say was asked: the size that is left of it, and what is against it."""

    reaction: Reaction
    watched: Watched
    fleet: Fleet
    size: int
    words: tuple[Override, ...]  # what people had decided
    why_not: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A reaction that was sent to AWS, and that nobody has seen the outcome of."""

    intended: _Intention
    change: Change
    size: int
    told: str


def answer_all(
    asked: Sequence[Reaction], watched: Mapping[str, Watched], around: Circumstances, *, now: datetime
) -> list[Answer]:
    """Answer them, side by side: all are written, then one look sees to all; the trouble of one stops no other.

    The shortest of capacity comes first: AWS takes only so many calls a second, and a budget only so many instances.
    """
    asked = sorted(asked, key=lambda each: _shortage(each, watched[each.fleet]), reverse=True)
    decided = around.overrides.open(*(reaction.fleet for reaction in asked))
    # One after the other: what a budget grants to one is not left for the next.
    found = (_intended(each, watched[each.fleet], around, decided, now) for each in asked)
    intended = [each for each in found if each is not None]
    with ThreadPoolExecutor(HANDS) as hands:
        written = list(hands.map(lambda each: _begun(each, around, now), intended))
        groups = _look([each.intended.watched.spec for each in written if isinstance(each, _Written)])
        return list(hands.map(lambda each: _ended(each, groups, around.statuses, now), written))


def _shortage(reaction: Reaction, watched: Watched) -> float:
    """Give how many times its size a fleet asks for; to let go can wait for all who ask for more."""
    if not reaction.out:
        return 0.0
    return reaction.capacity / watched.group.desired if watched.group.desired else math.inf


def _intended(
    reaction: Reaction, watched: Watched, around: Circumstances, decided: Iterable[Override], now: datetime
) -> _Intention | Answer | None:
    """Ask everybody who may have a say; nothing is intended where a fleet keeps what it has."""
    name, group = reaction.fleet, watched.group
    if outdated := _outdated(reaction, group, watched.spec, now):
        return Answer(reaction=reaction, told=f"nothing to do at {group.desired}: {outdated}; it was {reaction.reason}")
    mine = tuple(each for each in decided if each.fleet in {name, EVERY_FLEET})
    heeded = laid_on(group, mine, watched.spec.policy)
    why_not = "this is a dry run" if around.dry_run else reacting(watched.spec, heeded, now)
    try:
        size, note = (reaction.capacity, "") if why_not else _left(reaction, watched, around, heeded, now)
        if reaction.kept and size == group.desired:
            return None
        if reaction.out and size < group.desired:
            reaction = replace(reaction, out=False, capacity=size, reason=f"not paid for any more: {reaction.reason}")
        return _Intention(
            reaction=reaction,
            watched=watched,
            fleet=around.reach(watched.spec),
            size=size,
            words=mine,
            why_not=why_not,
            note=note,
        )
    except Exception as error:  # noqa: BLE001 - told in the answer
        return failed(reaction, error)


def _outdated(reaction: Reaction, group: Observed, spec: FleetSpec, now: datetime) -> str:
    """Say why a reaction is not to be repeated: a run may come late, and meanwhile the watch has looked again."""
    if group.desired != reaction.before:
        return f"it was decided at {reaction.before}"
    age = now - reaction.decided_at
    return f"it was decided {age // _MINUTE} minutes ago" if age > (spec.reaction or Rules()).fresh else ""


def failed(reaction: Reaction, error: Exception) -> Answer:
    """Whatever befalls one fleet, the others' changes have to be seen to their end."""
    if isinstance(error, PredictiveScalingError):
        return Answer(reaction=reaction, told=str(error), failed=True)
    _log.error("%s: could not be answered", reaction.fleet, exc_info=error)
    return Answer(reaction=reaction, told=unforeseen(error), failed=True)


def _left(
    reaction: Reaction, watched: Watched, around: Circumstances, heeded: Sequence[Override], now: datetime
) -> tuple[int, str]:
    """Give what a person's word leaves of a change, before the group's own bounds have come to say the same.

    What a person let a fleet have is not taken away for money.
    """
    rule = ruling(bounding(heeded), now)
    if rule is None:
        return _afforded(reaction, watched, around, now)
    bound, desired = rule.bound(reaction.capacity), watched.group.desired
    if not reaction.out:
        return max(bound, reaction.capacity), str(rule) if bound > reaction.capacity else ""
    size = min(bound, reaction.capacity)
    if size <= desired:
        return desired, str(rule)
    afforded, note = _afforded(replace(reaction, capacity=size), watched, around, now)
    words = (str(rule) if size < reaction.capacity else "", note)
    return max(afforded, desired), "; ".join(each for each in words if each)


def _afforded(reaction: Reaction, watched: Watched, around: Circumstances, now: datetime) -> tuple[int, str]:
    """Give what the budgets leave of all above the floor: what was granted an hour ago may be no more.

    To let go is always affordable.
    """
    least, gate = watched.group.min_size, around.cost_gate
    if not (reaction.out and gate.covering(reaction.fleet)):
        return reaction.capacity, ""
    seen, wish = replace(watched.group, desired=least), Wish(amount=reaction.capacity - least)
    gated = gate.capped(gate.claim(watched.spec, seen, wish, now=now), by=around.by, now=now)
    size = max(min(gated.plan.capacity_at(now), reaction.capacity), least)
    return size, "; ".join(gated.notes) if size < reaction.capacity else ""


def _begun(intended: _Intention | Answer, around: Circumstances, now: datetime) -> _Written | Answer:
    if isinstance(intended, Answer):
        return intended
    try:
        return _written(intended, around, now)
    except Exception as error:  # noqa: BLE001 - told in the answer
        return failed(intended.reaction, error)


def _written(intended: _Intention, around: Circumstances, now: datetime) -> _Written | Answer:
    """Write, unless the group has got there, or it was forbidden, since the decision."""
    reaction, spec = intended.reaction, intended.watched.spec
    observed = _settled(intended, around, now)
    size = max(min(intended.size, observed.max_size), observed.min_size)
    there = observed.desired >= size if reaction.out else observed.desired <= size
    if there:
        why = intended.note or "the group is there already"
        return Answer(reaction=reaction, told=f"nothing to do at {observed.desired}: {why}; it was {reaction.reason}")
    why_not = intended.why_not
    if not why_not:
        observed, why_not = _held(intended, observed, around, now)
    told = f"desired {observed.desired} -> {size}"
    reason = "; ".join(each for each in (f"set {told}: {reaction.reason}", intended.note) if each)
    reason += worth(spec, size - observed.desired)
    move = resize_move("to its load", reason, observed, within_bounds(spec, observed, Sizes(desired=size)))
    turn = Turn(by=around.by, now=now, patience=around.patience)
    at = Workplace(name=spec.name, fleet=intended.fleet, ledger=around.ledger, turn=turn)
    if why_not:
        would([move], why_not, at)
        return Answer(reaction=reaction, told=f"wrote nothing of {told}: {why_not}")
    change = begun(KIND, [move], at, unless=partial(_said_since, intended, around, now))
    return _Written(intended=intended, change=change, size=size, told=told)


def _said_since(intended: _Intention, around: Circumstances, now: datetime) -> str:
    """Tell what people have decided since everybody was asked."""
    name = intended.watched.spec.name
    said = said_since(intended.words, around.overrides.open(name), now)
    return f"fleet {name}: decided meanwhile: {'; '.join(map(str, said))}; the next look heeds it" if said else ""


def _look(specs: Sequence[FleetSpec]) -> dict[str, Observed]:
    """Describe the groups together; one that is not in the answer is looked at by itself."""
    return groups_of(specs)[0] if len(specs) > 1 else {}


def _ended(written: _Written | Answer, groups: Mapping[str, Observed], statuses: Statuses, now: datetime) -> Answer:
    if isinstance(written, Answer):
        return written
    reaction, fleet = written.intended.reaction, written.intended.fleet
    try:
        observed = groups.get(reaction.fleet) or fleet.observe()
        written.change.seen(observed)
    except Exception as error:  # noqa: BLE001 - told in the answer
        return failed(reaction, error)
    _show(reaction.fleet, observed, statuses, now)
    return Answer(
        reaction=reaction,
        told=f"wrote {written.told}; read back and verified",
        written=True,
        raised_to=written.size if reaction.out else None,
        operation_id=written.change.operation.id,
    )


def _show(fleet: str, observed: Observed, statuses: Statuses, now: datetime) -> None:
    """Let the page, and the budgets of others, know it by this size until its next turn; the change is made anyway."""
    try:
        keep_resized(fleet, observed, statuses, now=now)
    except Exception:  # noqa: BLE001 - see above
        _log.exception("%s: the page shows the size before until the fleet's next turn", fleet)


def _settled(intended: _Intention, around: Circumstances, now: datetime) -> Observed:
    """Give the group as it was seen, unless an operation was left open; what an earlier watch left is ours to end."""
    name, ledger = intended.watched.spec.name, around.ledger
    held = ledger.open_operation(name)
    if held is None:
        return intended.watched.group
    patience = timedelta.min if _of_this_watch(held, around) else around.patience
    return settle(name, intended.fleet, ledger, Turn(by=around.by, now=now, patience=patience))


def _of_this_watch(held: Operation, around: Circumstances) -> bool:
    """Whether the watch of this shard opened it: there is one at a time, so it is not at work on it any more."""
    return held.by.try_number is None and held.by.task_id == around.by.task_id


def end_left(spec: FleetSpec, around: Circumstances, now: datetime) -> str:
    """End what a look saw no end of, of this watch or of one that died; nobody else may write to the fleet till then.

    Says what was ended; where nothing is left open it is empty.
    """
    held = around.ledger.open_operation(spec.name)
    if held is None or not _of_this_watch(held, around):
        return ""
    settle(spec.name, around.reach(spec), around.ledger, Turn(by=around.by, now=now, patience=timedelta.min))
    return f"looked what became of operation {held.id}, left open by {held.by.run_id}: the ledger says"


def looked_at(spec: FleetSpec, around: Circumstances, now: datetime) -> Observed:
    """Look at a group; what an earlier try of this task left open is ended by it, though nothing be left to do."""
    held = around.ledger.open_operation(spec.name)
    turn, fleet = Turn(by=around.by, now=now, patience=around.patience), around.reach(spec)
    if held and may_settle(held, turn):
        return settle(spec.name, fleet, around.ledger, turn)
    return fleet.observe()


def _held(intended: _Intention, observed: Observed, around: Circumstances, now: datetime) -> tuple[Observed, str]:
    """Hold the group as whoever writes to it must; a suspended process is no rival of a change of size."""
    spec = intended.watched.spec
    claim = Claim(deployment=around.deployment, naming=Naming(around.prefix, spec.name), how=spec.ownership)
    seen = replace(observed, suspended=())
    found = hold(intended.fleet, seen, claim, Permission(May.OVERRIDE), now=now)
    return found.observed, found.permitted.reason if found.permitted.may is May.NOTHING else ""
