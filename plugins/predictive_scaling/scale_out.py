"""Add capacity and see it serve: raise desired once, wait without a worker, and give back what does not come.

The goal is a number, remembered in the ledger before the call. A retry, or a task cleared by hand, finds it there
and goes on towards it; it never adds a second time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.change import Move, Workplace, change, told_by, would
from predictive_scaling.errors import LaunchFailed, WriteRefused
from predictive_scaling.fleets import Sizes
from predictive_scaling.settle import settle
from predictive_scaling.sizing import goal_above, refuse_if_suspended, resize_move, retire_move
from predictive_scaling.waits import InServiceWait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed

KIND: Final = "scale_out"
_RAISE: Final = "resize up to"
_BACK: Final = "resize back to"


class Fallback(StrEnum):
    """What to do when instances do not come."""

    ELSEWHERE = "elsewhere"
    """Wait for AWS's next attempt, in another zone or with another type of the group's own list."""
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
    operation_id: str | None = None
    note: str = ""
    ending: str = ""

    @property
    def wait(self) -> InServiceWait:
        """What is waited for."""
        return InServiceWait(goal=self.goal, mark=self.mark)

    @property
    def asked(self) -> dict[str, Any]:
        """What the event of its end keeps."""
        return {"goal": self.goal}

    def as_json(self) -> dict[str, Any]:
        """What a deferred task is given back."""
        return {**asdict(self), "known": list(self.known), "asked_at": self.asked_at.isoformat()}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Raised:
        """Read what `as_json` wrote."""
        asked_at = datetime.fromisoformat(fields["asked_at"])
        return cls(**{**fields, "known": tuple(fields["known"]), "asked_at": asked_at})


def raise_desired(spec: FleetSpec, at: Workplace, amount: int, reason: str, *, why_not: str = "") -> Raised:
    """Raise desired by `amount`, or go on with the raise this task began before."""
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    if begun := _begun(at):
        return _go_on(begun, observed, at)
    refuse_if_suspended(at.name, "Launch", observed)
    goal, note = goal_above(spec, observed, amount)
    mark = at.fleet.examine().mark
    known = tuple(instance.id for instance in observed.instances)
    move = resize_move(
        f"up to {goal}",
        f"add {goal - observed.desired} to {observed.desired}: {reason}",
        observed,
        Sizes(desired=goal),
        mark=mark,
        known=list(known),
    )
    raised = Raised(base=observed.desired, goal=goal, mark=mark, known=known, asked_at=at.turn.now, note=note)
    if why_not:
        would([move], why_not, at)
        return raised
    return replace(raised, operation_id=change(KIND, [move], at).operation_id)


def give_up(raised: Raised, fallback: Fallback, why: str, at: Workplace) -> str:
    """Keep what came, or put the fleet back; say what was done. What is done already is not done again."""
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    moves = _moves_back(raised, fallback, why, observed)
    if moves:
        change(KIND, moves, at)
    left = moves[-1].after["desired"] if moves else observed.desired
    came = [each.id for each in observed.instances if each.id not in raised.known and each.staying]
    kept = f"kept {len(came)} that came" if fallback is Fallback.KEEP else f"let go {len(came)} that came"
    return f"{kept}; desired is {left}, it was {raised.base} before"


def _begun(at: Workplace) -> Raised | None:
    """Find the raise this task began, and whether it was already giving up on it."""
    told = told_by(at.turn.by, at.ledger, at.name)
    begun = [each for each in told if (each.intent.call or "").startswith(_RAISE)]
    if not begun:
        return None
    first, ending = begun[0].intent, [each.intent for each in told if (each.intent.call or "").startswith(_BACK)]
    before: Mapping[str, Any] = first.before or {}
    return Raised(
        base=before["desired"],
        goal=(first.after or {})["desired"],
        mark=before["mark"],
        known=tuple(before["known"]),
        asked_at=first.at or at.turn.now,
        operation_id=first.operation_id,
        ending=(ending[-1].before or {})["ending"] if ending else "",
    )


def _go_on(begun: Raised, observed: Observed, at: Workplace) -> Raised:
    """Raise again only if the first call is known to have had no effect: the group is where it was."""
    if begun.ending:
        return begun
    raises = [each for each in told_by(at.turn.by, at.ledger, at.name) if (each.intent.call or "").startswith(_RAISE)]
    if observed.desired >= begun.goal or any(each.applied for each in raises):
        return replace(begun, note=f"asked for by an earlier try: {begun.base} -> {begun.goal}")
    if observed.desired != begun.base:
        msg = (
            f"fleet {at.name}: desired is {observed.desired}, neither {begun.base} as before nor {begun.goal} as "
            "asked: somebody else moved it; look at the group, and trigger a new run"
        )
        raise LaunchFailed(msg)
    reason = f"add {begun.goal - begun.base} to {begun.base}: the first attempt had no effect"
    also = {"mark": begun.mark, "known": list(begun.known)}
    move = resize_move(f"up to {begun.goal}", reason, observed, Sizes(desired=begun.goal), **also)
    return replace(begun, operation_id=change(KIND, [move], at).operation_id)


def _moves_back(raised: Raised, fallback: Fallback, why: str, observed: Observed) -> list[Move]:
    """First ask for no more than is there, so that nothing comes any more; then let go what came."""
    if observed.desired > raised.goal:
        msg = f"somebody else raised desired to {observed.desired} above {raised.goal}: nothing is put back"
        raise WriteRefused(msg)
    floor = max(raised.base, observed.min_size)
    there = min(max(observed.staying_units, floor), observed.desired)
    moves: list[Move] = []
    if there < observed.desired:
        sizes = Sizes(desired=there)
        moves.append(resize_move(f"back to {there}", why, observed, sizes, ending=fallback.value))
    if fallback is Fallback.KEEP:
        return moves
    new = [each for each in observed.instances if each.id not in raised.known and each.staying and not each.protected]
    for instance in new[: max(there - floor, 0)]:
        there -= instance.weight
        moves.append(retire_move(instance, f"give back: {why}", observed, there))
    return moves
