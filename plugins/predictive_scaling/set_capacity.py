"""Set the sizes of a group to given values, and see that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from predictive_scaling.change import change, would
from predictive_scaling.settle import settle
from predictive_scaling.sizing import refuse_if_overridden, resize_move, within_bounds, worth

if TYPE_CHECKING:
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Sizes
    from predictive_scaling.workplace import Workplace

KIND: Final = "set_capacity"


def set_capacity(spec: FleetSpec, at: Workplace, sizes: Sizes, reason: str, *, why_not: str = "") -> str:
    """Write what differs; say what was done."""
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    changed = within_bounds(spec, observed, sizes)
    if not changed:
        return f"wrote nothing: the group is at {observed.sizes} already"
    if changed.desired is not None:
        refuse_if_overridden(at.name, at.rules(observed, at.turn.now), changed.desired)
    told = ", ".join(f"{name} {observed.sizes.as_json()[name]} -> {size}" for name, size in changed.as_json().items())
    desired = observed.desired if changed.desired is None else changed.desired
    why = f"set {told}: {reason}{worth(spec, desired - observed.desired)}"
    move = resize_move("to given sizes", why, observed, changed)
    if why_not:
        would([move], why_not, at)
        return f"wrote nothing of {told}; {why_not}"
    change(KIND, [move], at)
    return f"wrote {told}; read back and verified"
