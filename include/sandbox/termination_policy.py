"""Which instances leave first: the fullest zone, then the group's termination policies, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

from sandbox.group_instances import capacity, purchase, weight
from sandbox.usage import ON_DEMAND, SPOT
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = 3600
Left = list[InstanceState]
Rank = Callable[[FakeAutoScalingGroup, Left, InstanceState], Any]
"""Tells how far back in the queue an instance stands, of those left; those with the lowest rank remain candidates."""


def _launched(state: InstanceState) -> float:
    return float(state.instance.launch_time.timestamp())


def _template_version(_group: FakeAutoScalingGroup, _left: Left, state: InstanceState) -> int:
    return int(vars(state).get("_template_version") or 0)


def _to_next_hour(_group: FakeAutoScalingGroup, _left: Left, state: InstanceState) -> float:
    return HOUR - (WORLD.clock.now_naive().timestamp() - _launched(state)) % HOUR


def _in_excess(group: FakeAutoScalingGroup, left: Left, state: InstanceState) -> int:
    """Put instances first that are bought in the way of which the policy has too many."""
    policy = group.mixed_instances_policy
    if not policy:
        return 0
    distribution = policy.get("InstancesDistribution") or {}
    share = distribution.get("OnDemandPercentageAboveBaseCapacity")
    desired, base = group.desired_capacity or 0, int(distribution.get("OnDemandBaseCapacity") or 0)
    wanted = min(base, desired) + max(desired - base, 0) * (100 if share is None else int(share)) / 100
    have = capacity([each for each in left if purchase(each) == ON_DEMAND])
    return 0 if purchase(state) == (ON_DEMAND if have > wanted else SPOT) else 1


RANKS: dict[str, tuple[Rank, ...]] = {
    "OldestInstance": (lambda _group, _left, state: _launched(state),),
    "NewestInstance": (lambda _group, _left, state: -_launched(state),),
    "OldestLaunchTemplate": (_template_version,),
    "OldestLaunchConfiguration": (_template_version,),
    "ClosestToNextInstanceHour": (_to_next_hour,),
    "AllocationStrategy": (_in_excess,),
    "Default": (_in_excess, _template_version, _to_next_hour),
}


def known_policies() -> tuple[str, ...]:
    """Return the names of the termination policies."""
    return tuple(RANKS)


def victims(group: FakeAutoScalingGroup, units: int) -> list[InstanceState]:
    """Choose instances worth at most so many units of capacity; protected ones are spared."""
    left = group.active_instances()
    chosen: list[InstanceState] = []
    while units > 0:
        free = [state for state in left if not state.protected_from_scale_in and weight(state) <= units]
        if not free:
            break
        victim = _first(group, left, _in_fullest_zone(free, left))
        chosen.append(victim)
        left.remove(victim)
        units -= weight(victim)
    return chosen


def _in_fullest_zone(free: Sequence[InstanceState], active: Sequence[InstanceState]) -> list[InstanceState]:
    busy = Counter(state.availability_zone for state in active)
    most = max(busy[state.availability_zone] for state in free)
    return [state for state in free if busy[state.availability_zone] == most]


def _first(group: FakeAutoScalingGroup, left: Left, free: list[InstanceState]) -> InstanceState:
    for policy in group.termination_policies:
        for rank in RANKS.get(policy, ()):
            ranks = [rank(group, left, state) for state in free]
            lowest = min(ranks)
            free = [state for state, each in zip(free, ranks, strict=True) if each == lowest]
    return free[0]
