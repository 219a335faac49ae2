"""Moves that change sizes, and the bounds they keep: the fleet file's, then the group's own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictive_scaling.errors import NotAllowed, OutOfBounds
from predictive_scaling.fleets import Instance, Observed, Sizes
from predictive_scaling.workplace import Move

if TYPE_CHECKING:
    from forecasting.override import Override
    from predictive_scaling.fleet_spec import FleetSpec


def state_of(observed: Observed) -> dict[str, Any]:
    """What an intent remembers of the group as it was: enough to put it back, and to tell what was held still."""
    return {**observed.sizes.as_json(), "suspended": list(observed.suspended)}


def refuse_if_suspended(fleet: str, process: str, observed: Observed) -> None:
    """A suspended process is somebody's decision; a change that it would hold up for ever is not begun."""
    if process in observed.suspended:
        msg = f"fleet {fleet}: the group's process {process} is suspended: resume it, or leave the fleet alone"
        raise NotAllowed(msg)


def refuse_if_overridden(fleet: str, rules: Override | None, size: int) -> None:
    """What a person laid over the plan is in AWS already, or in a minute or two: it would undo the change."""
    if rules is not None and (kept := rules.bound(size)) != size:
        mend = "end it with resume_fleet first, or lay another over it with pause_fleet"
        msg = f"fleet {fleet}: {size} would be brought to {kept} again by {rules}: {mend}"
        raise NotAllowed(msg)


def worth(spec: FleetSpec, change: int) -> str:
    """Tell what so much more or less costs an hour, as the end of a reason; empty where the file tells no price."""
    hourly = abs(change) * spec.policy.price_per_hour / spec.policy.units
    return f"; ${hourly:,.2f} an hour {'more' if change > 0 else 'less'}" if hourly else ""


def resize_move(call: str, reason: str, observed: Observed, sizes: Sizes, **also: Any) -> Move:
    """Set sizes; `also` is remembered beside the state before."""
    return Move(
        call=f"resize {call}",
        reason=reason,
        before={**state_of(observed), **also},
        after=sizes.as_json(),
        send=lambda fleet: fleet.resize(sizes),
        group_id=observed.group_id,
    )


def retire_move(instance: Instance, reason: str, observed: Observed, desired: int) -> Move:
    """Let one instance go; `desired` is what is left then."""
    return Move(
        call=f"retire {instance.id}",
        reason=reason,
        before={**state_of(observed), "desired": desired + instance.weight},
        after={"desired": desired, "retired": [instance.id]},
        send=lambda fleet: fleet.retire(instance.id),
        group_id=observed.group_id,
    )


def goal_above(spec: FleetSpec, observed: Observed, amount: int) -> tuple[int, str]:
    """Give the desired capacity `amount` above the present one, held down by the bounds, and what held it."""
    asked, policy = observed.desired + amount, spec.policy
    bounds = [(policy.max_size, "max of the fleet file"), (observed.max_size, f"MaxSize of group {spec.group}")]
    bound, name = min(bounds)
    if observed.desired >= bound:
        msg = f"fleet {spec.name}: cannot add {amount} to {observed.desired}: {name} is {bound}; raise it first"
        raise OutOfBounds(msg)
    return (asked, "") if asked <= bound else (bound, f"{bound} instead of {asked}: {name} is {bound}")


def within_bounds(spec: FleetSpec, observed: Observed, sizes: Sizes) -> Sizes:
    """Give the sizes that change something; refuse those the fleet file or the others of the group rule out."""
    low, high = spec.policy.min_size, spec.policy.max_size
    for name, size in sizes.as_json().items():
        if not low <= size <= high:
            other = "more" if size < low else "less"
            msg = (
                f"fleet {spec.name}: {name} {size} is outside {low}..{high} of the fleet file: "
                f"ask for {other}, or edit it"
            )
            raise OutOfBounds(msg)
    present, given = observed.sizes.as_json(), sizes.as_json()
    would = {**present, **given}
    if not would["min"] <= would["desired"] <= would["max"]:
        msg = (
            f"fleet {spec.name}: min {would['min']}, desired {would['desired']}, max {would['max']} cannot hold "
            f"together: ask for what fits the group as it is, at {observed.sizes}"
        )
        raise OutOfBounds(msg)
    return Sizes.from_json({name: size for name, size in given.items() if present[name] != size})
