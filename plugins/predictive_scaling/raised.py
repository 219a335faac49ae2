"""A raise of desired that is under way: what the ledger remembers of it, how it is given back, and how it ends.

A task that dies for good while it waits leaves a raise that nobody follows. Its intent says until when it was to be
followed, and what to do when instances do not come: `end_unfollowed` ends those whose end can be seen, and writes
nothing to the group; `restore_unfollowed` gives back what did not come, where the fleet may be written to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.change import change
from predictive_scaling.errors import WriteRefused
from predictive_scaling.fleets import Examined, Sizes
from predictive_scaling.follow import conclude, is_conclusion
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.sizing import resize_move, retire_move
from predictive_scaling.waits import Ended, InServiceWait, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from predictive_scaling.fleets import Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event, TaskRun
    from predictive_scaling.workplace import Move, Workplace

KIND: Final = "scale_out"
RAISE: Final = "resize up to"
MIX: Final = "resize to buy on demand"
RECENT: Final = 200
"""Events of a fleet among which a raise is looked for: with so many since, others have moved desired long ago."""
FOLLOWED: Final = timedelta(minutes=30)
_DENIED: Final = "AccessDenied"


class Fallback(StrEnum):
    """What to do when instances do not come."""

    ELSEWHERE = "elsewhere"
    """Wait for AWS's next attempt, in another zone or with another type of the group's own list."""
    ON_DEMAND = "on_demand"
    """Buy on demand what the Spot market does not give."""
    KEEP = "keep"
    """Keep those that came, and ask for no more."""
    ROLLBACK = "rollback"
    """Let those that came go again, and put desired back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A raise that is under way: from where, to what, and which instances were there before."""

    base: int
    goal: int
    mark: str | None
    known: tuple[str, ...]
    asked_at: datetime
    until: datetime
    fallback: str = Fallback.KEEP.value
    operation_id: str | None = None
    note: str = ""
    ending: str = ""
    group_id: str | None = None

    @property
    def wait(self) -> InServiceWait:
        """What is waited for."""
        return InServiceWait(goal=self.goal, mark=self.mark)

    @property
    def asked(self) -> dict[str, Any]:
        """What the event of its end keeps."""
        return {"goal": self.goal}

    @property
    def remembered(self) -> dict[str, Any]:
        """What its intent keeps, beside the sizes before."""
        until = self.until.isoformat()
        return {"mark": self.mark, "known": list(self.known), "until": until, "fallback": self.fallback}

    @classmethod
    def of(cls, intent: Event, ending: str = "") -> Raised:
        """Read it from its intent."""
        before, after = intent.before or {}, intent.after or {}
        until = datetime.fromisoformat(before["until"])
        return cls(
            base=before["desired"],
            goal=after["desired"],
            mark=before["mark"],
            known=tuple(before["known"]),
            asked_at=intent.at or until,
            until=until,
            fallback=before["fallback"],
            operation_id=intent.operation_id,
            ending=ending,
            group_id=intent.group_id,
        )

    def as_json(self) -> dict[str, Any]:
        """What a deferred task is given back."""
        instants = {"asked_at": self.asked_at.isoformat(), "until": self.until.isoformat()}
        return {**asdict(self), "known": list(self.known), **instants}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Raised:
        """Read what `as_json` wrote."""
        instants = {name: datetime.fromisoformat(fields[name]) for name in ("asked_at", "until")}
        return cls(**{**fields, "known": tuple(fields["known"]), **instants})


def is_raise(intent: Event) -> bool:
    """Whether this intent raised desired, to be followed."""
    return (intent.call or "").startswith(RAISE)


def ending_of(intents: Iterable[Event], operation_id: str | None) -> str:
    """Give the fallback by which a raise has begun to be given back; empty when it has not."""
    befores = [each.before or {} for each in intents]
    endings = [str(before["ending"]) for before in befores if "of" in before and before["of"] == operation_id]
    return endings[-1] if endings else ""


def give_back(raised: Raised, fallback: Fallback, why: str, observed: Observed, at: Workplace) -> str:
    """Keep what came, or put the fleet back; say what was done. What is done already is not done again."""
    bought = mix_before(raised, at) if fallback is Fallback.ROLLBACK else None
    moves = _moves_back(raised, fallback, why, observed, bought)
    if moves:
        change(KIND, moves, at)
    left = next((move.after["desired"] for move in reversed(moves) if "desired" in move.after), observed.desired)
    came = [each.id for each in observed.instances if each.id not in raised.known and each.staying]
    kept = f"kept {len(came)} that came" if fallback is Fallback.KEEP else f"let go {len(came)} that came"
    return f"{kept}; desired is {left}, it was {raised.base} before"


def mix_before(raised: Raised, at: Workplace) -> int | None:
    """Give how much was bought on demand before this raise bought more; None if it did not."""
    events = at.ledger.events(fleet=at.name, limit=RECENT)
    applied = {(event.operation_id, event.call) for event in events if event.kind is EventKind.APPLIED}
    for event in sorted(events, key=lambda event: event.id or 0):
        before = event.before or {}
        mine = before.get("mix_of") == raised.operation_id and event.kind is EventKind.INTENT
        if mine and (event.operation_id, event.call) in applied:
            return int(before["on_demand"])
    return None


def end_unfollowed(at: Workplace, observed: Observed) -> None:
    """Remember the end of every raise that nobody follows any more, where a look shows it."""
    for raised in _unfollowed(at):
        if verdict := _verdict(raised, observed):
            error = None if verdict.ended is Ended.DONE else verdict.reason
            conclude(raised, verdict, at, error=error)


def restore_unfollowed(at: Workplace, observed: Observed) -> Observed:
    """Give back what did not come of the raises that nobody follows any more; give the fleet as it is then."""
    for raised in _unfollowed(at):
        why = f"nobody follows it any more: {raised.wait.progress(Examined(observed=observed))}"
        try:
            done = give_back(raised, Fallback(raised.ending or raised.fallback), why, observed, at)
        except WriteRefused as error:
            if _DENIED not in str(error):
                raise
            done = f"it could not be given back: {error}"
        conclude(raised, Verdict(ended=Ended.TIMED_OUT, reason=why), at, error=f"{why}; {done}")
        observed = at.fleet.observe()
    return observed


def end_with_the_group(at: Workplace) -> None:
    """Remember that nothing more will come of any raise: the group is gone."""
    for raised in _without_end(at.ledger, at.name):
        verdict = Verdict(ended=Ended.OVERTAKEN, reason="the group is gone")
        conclude(raised, verdict, at, error=verdict.reason)


def _unfollowed(at: Workplace) -> list[Raised]:
    """Give the raises without an end whose time is over; that of this very task is its own to go on with."""
    every = _without_end(at.ledger, at.name, besides=at.turn.by)
    return [raised for raised in every if raised.until + at.turn.patience <= at.turn.now]


def _without_end(ledger: Ledger, fleet: str, *, besides: TaskRun | None = None) -> list[Raised]:
    """Give the raises that took effect and of which no end is known, oldest first; those of one task left out."""
    events = ledger.events(fleet=fleet, limit=RECENT)
    intents = sorted((each for each in events if each.kind is EventKind.INTENT), key=lambda event: event.id or 0)
    applied = {(event.operation_id, event.call) for event in events if event.kind is EventKind.APPLIED}
    ended = {event.operation_id for event in events if is_conclusion(event)}
    return [
        Raised.of(intent, ending_of(intents, intent.operation_id))
        for intent in intents
        if is_raise(intent)
        and (intent.operation_id, intent.call) in applied
        and intent.operation_id not in ended
        and not (besides and intent.by.task == besides.task)
    ]


def _verdict(raised: Raised, observed: Observed) -> Verdict | None:
    """The end as the group's sizes show it; None while something was asked for and is not there, or is given back."""
    if observed.is_other_than(raised.group_id):
        reason = f"the fleet steers another group by now: look whether {raised.goal} is meant on {raised.group_id}"
        return Verdict(ended=Ended.OVERTAKEN, reason=reason)
    if observed.desired > raised.goal:
        reason = f"somebody else raised desired to {observed.desired} above {raised.goal}"
        return Verdict(ended=Ended.OVERTAKEN, reason=reason)
    return None if raised.ending else raised.wait.judge(Examined(observed=observed))


def _moves_back(raised: Raised, fallback: Fallback, why: str, observed: Observed, mix: int | None) -> list[Move]:
    """First ask for no more than is there, and buy as before, so that nothing comes any more; then let go what came."""
    if observed.desired > raised.goal:
        msg = f"somebody else raised desired to {observed.desired} above {raised.goal}: nothing is put back"
        raise WriteRefused(msg)
    floor = max(raised.base, observed.min_size)
    there = min(max(observed.staying_units, floor), observed.desired)
    moves: list[Move] = []
    changed_mix = mix if observed.mix and mix != observed.mix.base else None
    if there < observed.desired or changed_mix is not None:
        back = Sizes(desired=there if there < observed.desired else None, on_demand=changed_mix)
        moves.append(resize_move(f"back to {there}", why, observed, back))
    new = [each for each in observed.instances if each.id not in raised.known and each.staying and not each.protected]
    for instance in new[: max(there - floor, 0)] if fallback is Fallback.ROLLBACK else ():
        there -= instance.weight
        moves.append(retire_move(instance, f"give back: {why}", observed, there))
    mark = {"ending": fallback.value, "of": raised.operation_id}
    return [replace(move, before={**move.before, **mark}) for move in moves]
