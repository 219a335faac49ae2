"""What is left on a group that a fleet steers no more, for its file names another by now: taken back, or named.

Nothing of the one is laid on the other. What we scheduled on the former goes, the floor that we left there returns to
`min`, and a maximum that a person's word has moved to what it was. Whatever keeps that from being done is told, with
what a person can do, until it is done or the person has ended the word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forecasting import Plan, Step
from predictive_scaling.apply import Order, apply_plan, changes_of
from predictive_scaling.concerns import Concern
from predictive_scaling.errors import GroupNotFound, NotAllowed, PredictiveScalingError
from predictive_scaling.fleet_spec import HORIZON
from predictive_scaling.overriding import max_before, name_in, place_of, returned
from predictive_scaling.ownership import Claim, hold, last_written
from predictive_scaling.permission import May, Permission
from predictive_scaling.schedule import Naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.status import Status
    from predictive_scaling.workplace import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """A group that the fleet steered before, and what people had laid on it."""

    group_id: str
    laid: tuple[Override, ...] = ()

    @property
    def mend(self) -> str:
        """What a person can do where we cannot."""
        most = max_before(self.laid)
        maximum = f"set its MaxSize back to {most}, " if most is not None else ""
        ended = ", then run resume_fleet" if self.laid else ""
        return f"{maximum}remove the actions of ours that are left there{ended}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A former group that is not at rest yet, and what people are told of it."""

    group_id: str
    told: str

    @property
    def concern(self) -> Concern:
        """Tell it once."""
        return Concern(f"former {self.group_id}", self.told)


def leave(
    spec: FleetSpec, observed: Observed, groups: Iterable[Former], around: Circumstances, turn: Turn
) -> tuple[Left, ...]:
    """Take back what is left on the groups the fleet had before; name what is not back yet."""
    found = (_left(spec, former, observed, around, turn) for former in groups)
    return tuple(left for left in found if left)


def formers(observed: Observed, overrides: Iterable[Override], before: Status | None) -> tuple[Former, ...]:
    """Give the groups that a person's word is open on, and those that no turn has seen at rest since it left them."""
    elsewhere = [each for each in overrides if observed.is_other_than(each.group_id)]
    known = before.groups if before else ()
    groups = {each.group_id for each in elsewhere} | {each for each in known if observed.is_other_than(each)}
    return tuple(
        Former(group_id=group, laid=tuple(each for each in elsewhere if each.group_id == group))
        for group in sorted(filter(None, groups))
    )


def _left(spec: FleetSpec, former: Former, observed: Observed, around: Circumstances, turn: Turn) -> Left | None:
    """Take one group back; tell what is open there."""
    try:
        back = _taken_back(spec, former, observed, around, turn)
        still, told = () if back else former.laid, "what is left there is being taken back"
    except PredictiveScalingError as error:
        back, still = False, tuple(each for each in former.laid if not each.ended_at)
        told = f"what is left there could not be taken back ({error}): {former.mend}"
    for each in former.laid:
        if each not in still:
            returned(each, around.desk, turn.now, f"the fleet steers group {former.group_id} no more")
    if back or (former.laid and not still):
        return None
    words = (f"not obeyed on {spec.group}: {each}" for each in still)
    what = "; ".join((f"the fleet steers group {former.group_id} no more", told, *words))
    return Left(group_id=former.group_id, told=what)


def _taken_back(spec: FleetSpec, former: Former, here: Observed, around: Circumstances, turn: Turn) -> bool:
    """Bring the group to rest; whether it is there already, or gone."""
    if around.dry_run:
        msg = "this is a dry run"
        raise NotAllowed(msg)
    if here.group_id and place_of(here.group_id) != place_of(former.group_id):
        msg = f"connection {spec.connection} leads to another account or region"
        raise NotAllowed(msg)
    fleet, naming = around.reach(replace(spec, group=name_in(former.group_id))), Naming(around.prefix, spec.name)
    try:
        observed = fleet.observe()
    except GroupNotFound:
        return True
    order = Order(
        fleet=spec.name,
        plan=_at_rest(spec, former, observed, around, turn),
        forecast_id=None,
        naming=naming,
        turn=turn,
        write=True,
        group_id=former.group_id,
        gives_back=False,
    )
    changes = changes_of(order, observed)
    if not (changes or changes.keep):
        return True
    claim = Claim(deployment=around.deployment, naming=naming)
    held = hold(fleet, observed, claim, Permission(May.TAKE_BACK), now=turn.now)
    if held.permitted.may is May.NOTHING:
        raise NotAllowed(held.permitted.reason)
    apply_plan(order, held.observed, fleet, around.ledger)
    return False


def _at_rest(spec: FleetSpec, former: Former, observed: Observed, around: Circumstances, turn: Turn) -> Plan:
    """Draw the plan of a group that we leave: what somebody else has set since stays."""
    told = around.ledger.bounds_written(spec.name, former.group_id, within=HORIZON)
    ours = last_written(told, turn.now).min_size == observed.min_size
    floor = min(observed.min_size, spec.policy.min_size) if ours else observed.min_size
    most = _max_before(former.laid, observed)
    return Plan((Step(turn.now, floor, "the fleet steers another group by now", most=most),))


def _max_before(laid: Sequence[Override], observed: Observed) -> int | None:
    """Give the maximum to return to, where that of a person's word still stands."""
    moved = any(each.max_size == observed.max_size for each in laid)
    return max_before(laid) if moved else None
