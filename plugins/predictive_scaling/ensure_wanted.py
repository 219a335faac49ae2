"""A blueprint in the words of AWS's calls: the launch template, the group, its hook, its warm pool, its tags. Pure."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.checks import MARK

if TYPE_CHECKING:
    from predictive_scaling.blueprint import Blueprint
    from predictive_scaling.fleet_spec import FleetSpec

HOOK: Final = "predictive-scaling-farewell"
LATEST: Final = "$Latest"
"""A new version of the template holds for the next launch; what runs stays."""


def template_data(blueprint: Blueprint) -> dict[str, Any]:
    """What instances are launched from. The instance's own address for credentials asks for a token, always."""
    data: dict[str, Any] = {
        "ImageId": blueprint.image,
        "InstanceType": blueprint.instance_types[0],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    }
    if blueprint.security_groups:
        data["SecurityGroupIds"] = list(blueprint.security_groups)
    if blueprint.instance_profile:
        data["IamInstanceProfile"] = {"Name": blueprint.instance_profile}
    if blueprint.user_data:
        data["UserData"] = b64encode(blueprint.user_data.encode()).decode()
    return data


def group_settings(blueprint: Blueprint, spec: FleetSpec) -> dict[str, Any]:
    """What a group is, but for its sizes."""
    return {
        **_places(blueprint),
        **_launch(blueprint, spec.group),
        "DefaultCooldown": int(blueprint.cooldown.total_seconds()),
        "DefaultInstanceWarmup": int(blueprint.warmup.total_seconds()),
        "HealthCheckType": blueprint.health_check,
        "HealthCheckGracePeriod": int(blueprint.grace.total_seconds()),
        "CapacityRebalance": blueprint.capacity_rebalance,
    }


def sizes_at_birth(spec: FleetSpec) -> dict[str, int]:
    """A new group begins at the fleet file's floor."""
    low, high = spec.policy.min_size, spec.policy.max_size
    return {"MinSize": low, "MaxSize": high, "DesiredCapacity": low}


def hook(blueprint: Blueprint) -> dict[str, Any] | None:
    """The wait in which a worker finishes what it does; it then goes, whether anybody answered or not."""
    if not blueprint.farewell:
        return None
    return {
        "LifecycleHookName": HOOK,
        "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "HeartbeatTimeout": int(blueprint.farewell.total_seconds()),
        "DefaultResult": "CONTINUE",
    }


def warm_pool(blueprint: Blueprint) -> dict[str, Any] | None:
    """What is kept ready."""
    pool = blueprint.warm_pool
    if pool is None:
        return None
    settings: dict[str, Any] = {"MinSize": pool.min_size, "PoolState": pool.state}
    if pool.max_prepared is not None:
        settings["MaxGroupPreparedCapacity"] = pool.max_prepared
    if pool.reuse:
        settings["InstanceReusePolicy"] = {"ReuseOnScaleIn": True}
    return settings


def tags(blueprint: Blueprint) -> dict[str, str]:
    """The tags of the group; the mark without which our policies allow no write is among them."""
    key, value = MARK
    return {**blueprint.tags, key: value}


def tag_rows(group: str, wanted: dict[str, str]) -> list[dict[str, Any]]:
    """The tags as calls take them: a person's own go on to the instances, ours are the group's alone."""
    place = {"ResourceId": group, "ResourceType": "auto-scaling-group"}
    return [{**place, "Key": key, "Value": wanted[key], "PropagateAtLaunch": key != MARK[0]} for key in sorted(wanted)]


def _places(blueprint: Blueprint) -> dict[str, Any]:
    if blueprint.subnets:
        return {"VPCZoneIdentifier": ",".join(blueprint.subnets)}
    return {"AvailabilityZones": list(blueprint.zones)}


def _launch(blueprint: Blueprint, template: str) -> dict[str, Any]:
    launched = {"LaunchTemplateName": template, "Version": LATEST}
    if not blueprint.mixed:
        return {"LaunchTemplate": launched}
    return {
        "MixedInstancesPolicy": {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": launched,
                "Overrides": [{"InstanceType": each} for each in blueprint.instance_types],
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "prioritized",
                "OnDemandBaseCapacity": blueprint.spot.on_demand_base,
                "OnDemandPercentageAboveBaseCapacity": 100 - blueprint.spot.share,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        }
    }
