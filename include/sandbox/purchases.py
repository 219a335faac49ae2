"""What a group buys next: which instance types it may have, of which weight, on demand or as Spot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.group_instances import capacity, purchase
from sandbox.prices import price
from sandbox.usage import ON_DEMAND, SPOT, Pool

if TYPE_CHECKING:
    from moto.autoscaling.models import FakeAutoScalingGroup

LOWEST_PRICE = "lowest-price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One instance that the group may buy."""

    instance_type: str
    purchase: str
    weight: int | None = None
    """Units of capacity; None where the policy has no weights, which counts as one."""

    @property
    def price_per_unit(self) -> float:
        """Return what a unit of capacity costs an hour."""
        pool = Pool(instance_type=self.instance_type, zone="", purchase=self.purchase)
        return price(pool) / (self.weight or 1)


def is_mixed(group: FakeAutoScalingGroup) -> bool:
    """Tell whether a group has a mixed instances policy."""
    return bool(group.mixed_instances_policy)


def choices(group: FakeAutoScalingGroup) -> list[Choice]:
    """Return what the group would buy next, best first; the others are tried if there is no capacity."""
    policy = group.mixed_instances_policy
    if not policy:
        return [Choice(instance_type=group.instance_type, purchase=_template_purchase(group))]
    distribution = policy.get("InstancesDistribution") or {}
    wanted = ON_DEMAND if _wants_on_demand(group, distribution) else SPOT
    overrides = policy.get("LaunchTemplate", {}).get("Overrides") or [{}]
    found = [_choice(group, override, wanted) for override in overrides]
    strategy = "OnDemandAllocationStrategy" if wanted == ON_DEMAND else "SpotAllocationStrategy"
    default = "prioritized" if wanted == ON_DEMAND else LOWEST_PRICE
    if LOWEST_PRICE in (distribution.get(strategy) or default):
        found.sort(key=lambda choice: choice.price_per_unit)
    return found


def _choice(group: FakeAutoScalingGroup, override: dict[str, Any], wanted: str) -> Choice:
    weight = override.get("WeightedCapacity")
    return Choice(
        instance_type=str(override.get("InstanceType") or group.instance_type),
        purchase=wanted,
        weight=int(weight) if weight else None,
    )


def _template_purchase(group: FakeAutoScalingGroup) -> str:
    if group.ec2_launch_template is None:
        return SPOT if group.launch_config and group.launch_config.spot_price else ON_DEMAND
    data = group.ec2_launch_template.get_version(group.launch_template_version).data
    return SPOT if data.get("InstanceMarketOptions") else ON_DEMAND


def _wants_on_demand(group: FakeAutoScalingGroup, distribution: dict[str, Any]) -> bool:
    """Tell whether the next unit is to be on demand: the base first, then a share of the rest, rounded up."""
    base = int(distribution.get("OnDemandBaseCapacity") or 0)
    share = distribution.get("OnDemandPercentageAboveBaseCapacity")
    active = group.active_instances()
    have = capacity([state for state in active if purchase(state) == ON_DEMAND])
    total = max(group.desired_capacity or 0, capacity(active))
    above = math.ceil(max(total - base, 0) * (100 if share is None else int(share)) / 100)
    return have < min(base, total) + above
