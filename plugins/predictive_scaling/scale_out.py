"""Add capacity and see it serve: raise desired once, wait without a worker, and give back what does not come.

The goal is a number, remembered in the ledger before the call. A retry, or a task cleared by hand, finds it there
and goes on towards it; it never adds a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from predictive_scaling.change import change, told_by, would
from predictive_scaling.errors import LaunchFailed
from predictive_scaling.fleets import Sizes
from predictive_scaling.raised import (
    FOLLOWED,
    KIND,
    Fallback,
    Raised,
    ending_of,
    give_back,
    is_raise,
    mix_before,
    restore_unfollowed,
)
from predictive_scaling.settle import settle
from predictive_scaling.sizing import goal_above, refuse_if_overridden, refuse_if_suspended, resize_move, worth

if TYPE_CHECKING:
    from datetime import timedelta

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.launch_failure import LaunchFailure
    from predictive_scaling.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms desired is raised: why not at all, how long it is followed, and what then becomes of it."""

    why_not: str = ""
    followed: timedelta = FOLLOWED
    fallback: Fallback = Fallback.KEEP


AT_ONCE: Final = Terms()


def raise_desired(spec: FleetSpec, at: Workplace, amount: int, reason: str, terms: Terms = AT_ONCE) -> Raised:
    """Raise desired by `amount`, or go on with the raise this task began before."""
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    if begun := _begun(at):
        return _go_on(begun, observed, at)
    if not terms.why_not:
        observed = restore_unfollowed(at, observed)
    refuse_if_suspended(at.name, "Launch", observed)
    goal, note = goal_above(spec, observed, amount)
    refuse_if_overridden(at.name, at.rules(observed, at.turn.now), goal)
    raised = Raised(
        base=observed.desired,
        goal=goal,
        mark=at.fleet.examine().mark,
        known=tuple(instance.id for instance in observed.instances),
        asked_at=at.turn.now,
        until=at.turn.now + terms.followed,
        fallback=terms.fallback.value,
        note=note,
    )
    added = goal - observed.desired
    told = f"add {added} to {observed.desired}: {reason}{worth(spec, added)}"
    move = resize_move(f"up to {goal}", told, observed, Sizes(desired=goal), **raised.remembered)
    if terms.why_not:
        would([move], terms.why_not, at)
        return raised
    return replace(raised, operation_id=change(KIND, [move], at).operation_id)


def give_up(raised: Raised, fallback: Fallback, why: str, at: Workplace) -> str:
    """Keep what came, or put the fleet back; say what was done."""
    return give_back(raised, fallback, why, settle(at.name, at.fleet, at.ledger, at.turn), at)


def buy_on_demand(raised: Raised, failure: LaunchFailure | None, at: Workplace) -> str:
    """Have the group buy on demand what the Spot market refused, once a raise; empty where that cannot help."""
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    missing, mix = raised.goal - observed.staying_units, observed.mix
    spot = mix is not None and mix.on_demand(raised.goal) < raised.goal
    if not (failure and failure.of_spot and mix and spot and missing > 0) or mix_before(raised, at) is not None:
        return ""
    base = mix.base_for(min(mix.on_demand(raised.goal) + missing, raised.goal), raised.goal)
    why = f"the Spot market refused {missing}: {failure.reason}"
    move = resize_move("to buy on demand", why, observed, Sizes(on_demand=base), mix_of=raised.operation_id)
    change(KIND, [move], at)
    return (
        f"buying on demand what Spot refused: the group's on-demand base is {base}, it was {mix.base}; "
        "`roll_back` of this operation buys Spot again"
    )


def _begun(at: Workplace) -> Raised | None:
    """Find the raise this task began, and whether it was already giving up on it."""
    intents = [each.intent for each in told_by(at.turn.by, at.ledger, at.name)]
    raises = [intent for intent in intents if is_raise(intent)]
    if not raises:
        return None
    operation_id = raises[-1].operation_id
    return replace(Raised.of(raises[0], ending_of(intents, operation_id)), operation_id=operation_id)


def _go_on(begun: Raised, observed: Observed, at: Workplace) -> Raised:
    """Raise again only if the first call is known to have had no effect: the group is where it was."""
    if begun.ending:
        return begun
    raises = [each for each in told_by(at.turn.by, at.ledger, at.name) if is_raise(each.intent)]
    if observed.desired >= begun.goal or any(each.applied for each in raises):
        return replace(begun, note=f"asked for by an earlier try: {begun.base} -> {begun.goal}")
    if observed.desired != begun.base:
        msg = (
            f"fleet {at.name}: desired is {observed.desired}, neither {begun.base} as before nor {begun.goal} as "
            "asked: somebody else moved it; look at the group, and trigger a new run"
        )
        raise LaunchFailed(msg)
    reason = f"add {begun.goal - begun.base} to {begun.base}: the first attempt had no effect"
    move = resize_move(f"up to {begun.goal}", reason, observed, Sizes(desired=begun.goal), **begun.remembered)
    return replace(begun, operation_id=change(KIND, [move], at).operation_id)
