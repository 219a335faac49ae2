"""The fewest calls from a group as it is to its blueprint, as a diff a person can read. Pure.

Nothing is destroyed: what is there and was not asked for is left, and told. Sizes are set when a group is born; later
only its maximum is raised, for its floor is the planner's, and lowering a maximum would end instances.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling import ensure_wanted as wanted_of
from predictive_scaling.checks import asks_balancer
from predictive_scaling.metric import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from predictive_scaling.blueprint import Blueprint
    from predictive_scaling.fleet_spec import FleetSpec


_ALIKE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "AvailabilityZones": sorted,
    "VPCZoneIdentifier": lambda subnets: sorted(subnets.split(",")),
    "HealthCheckType": asks_balancer,
}
"""By what values are compared that AWS may answer otherwise: in another order, or with checks no blueprint knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What is there: the newest data of the launch template, the group, its hooks and its warm pool."""

    template: Mapping[str, Any] | None = None
    group: Mapping[str, Any] | None = None
    hooks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warm_pool: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call, and what it changes."""

    what: str
    service: str
    operation: str
    arguments: Mapping[str, Any]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsurePlan:
    """The calls in their order, and what is left as it is though the blueprint does not ask for it."""

    steps: tuple[Step, ...]
    left: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Show it as a diff."""
        told = [line for step in self.steps for line in (f"{step.what}:", *(f"  {change}" for change in step.changes))]
        return [*(told or ["everything is as the blueprint says"]), *(f"left as it is: {each}" for each in self.left)]


def draw(blueprint: Blueprint, spec: FleetSpec, present: Present) -> EnsurePlan:
    """Compare."""
    steps = [*_template(blueprint, spec, present)]
    if present.group is None:
        steps += [_birth(blueprint, spec)]
    else:
        steps += [
            *_settings(blueprint, spec, present.group),
            *_target_groups(blueprint, spec, present.group),
            *_hook(blueprint, spec, present),
            *_tags(blueprint, spec, present.group),
        ]
    steps += [*_count(spec, present.group or {}), *_warm_pool(blueprint, spec, present)]
    return EnsurePlan(steps=tuple(steps), left=tuple(_left(blueprint, spec, present)))


def _template(blueprint: Blueprint, spec: FleetSpec, present: Present) -> Iterator[Step]:
    wanted = wanted_of.template_data(blueprint)
    arguments: dict[str, Any] = {"LaunchTemplateName": spec.group, "LaunchTemplateData": wanted}
    if present.template is None:
        what, operation = f"new launch template {spec.group}", "create_launch_template"
    else:
        what, operation = f"new version of launch template {spec.group}", "create_launch_template_version"
        arguments["SourceVersion"] = wanted_of.LATEST  # what others put into it is kept
    changes = _diff(present.template or {}, wanted)
    if changes:
        yield Step(what=what, service="ec2", operation=operation, arguments=arguments, changes=changes)


def _birth(blueprint: Blueprint, spec: FleetSpec) -> Step:
    """One call makes the group whole, so that no instance is launched into half of it."""
    tags, hook = wanted_of.tags(blueprint), wanted_of.hook(blueprint)
    arguments = {
        "AutoScalingGroupName": spec.group,
        **wanted_of.sizes_at_birth(spec),
        **wanted_of.group_settings(blueprint, spec),
        "Tags": wanted_of.tag_rows(spec.group, tags),
        **({"TargetGroupARNs": list(blueprint.target_groups)} if blueprint.target_groups else {}),
        **({"LifecycleHookSpecificationList": [hook]} if hook else {}),
    }
    shown = {key: value for key, value in arguments.items() if key != "AutoScalingGroupName"}
    return _group_step(f"new group {spec.group}", "create_auto_scaling_group", arguments, _diff({}, shown))


def _settings(blueprint: Blueprint, spec: FleetSpec, group: Mapping[str, Any]) -> Iterator[Step]:
    wanted = wanted_of.group_settings(blueprint, spec)
    if group["MaxSize"] < spec.policy.max_size:
        wanted["MaxSize"] = spec.policy.max_size
    differing = {key: value for key, value in wanted.items() if not _covers(key, group.get(key), value)}
    if differing:
        arguments = {"AutoScalingGroupName": spec.group, **differing}
        yield _group_step(f"group {spec.group}", "update_auto_scaling_group", arguments, _diff(group, differing))


def _target_groups(blueprint: Blueprint, spec: FleetSpec, group: Mapping[str, Any]) -> Iterator[Step]:
    missing = [arn for arn in blueprint.target_groups if arn not in group.get("TargetGroupARNs", ())]
    if missing:
        arguments = {"AutoScalingGroupName": spec.group, "TargetGroupARNs": missing}
        changes = tuple(f"+ {arn}" for arn in missing)
        yield _group_step("target groups", "attach_load_balancer_target_groups", arguments, changes)


def _hook(blueprint: Blueprint, spec: FleetSpec, present: Present) -> Iterator[Step]:
    wanted = wanted_of.hook(blueprint)
    changes = _diff(present.hooks.get(wanted_of.HOOK, {}), wanted) if wanted else ()
    if wanted and changes:
        arguments = {"AutoScalingGroupName": spec.group, **wanted}
        yield _group_step(f"lifecycle hook {wanted_of.HOOK}", "put_lifecycle_hook", arguments, changes)


def _tags(blueprint: Blueprint, spec: FleetSpec, group: Mapping[str, Any]) -> Iterator[Step]:
    present = {row["Key"]: row.get("Value") for row in group.get("Tags", ())}
    differing = {key: value for key, value in wanted_of.tags(blueprint).items() if present.get(key) != value}
    if differing:
        arguments = {"Tags": wanted_of.tag_rows(spec.group, differing)}
        yield _group_step("tags", "create_or_update_tags", arguments, _diff(present, differing))


def _warm_pool(blueprint: Blueprint, spec: FleetSpec, present: Present) -> Iterator[Step]:
    wanted = wanted_of.warm_pool(blueprint)
    changes = _diff(present.warm_pool or {}, wanted) if wanted else ()
    if wanted and changes:
        arguments = {"AutoScalingGroupName": spec.group, **wanted}
        yield _group_step("warm pool", "put_warm_pool", arguments, changes)


def _count(spec: FleetSpec, group: Mapping[str, Any]) -> Iterator[Step]:
    counted = {row["Metric"] for row in group.get("EnabledMetrics", ())}
    missing = [name for name in SIZES if name not in counted]
    if missing:
        arguments = {"AutoScalingGroupName": spec.group, "Granularity": "1Minute", "Metrics": missing}
        changes = tuple(f"+ {name}" for name in missing)
        yield _group_step("metrics collection", "enable_metrics_collection", arguments, changes)


def _group_step(what: str, operation: str, arguments: Mapping[str, Any], changes: tuple[str, ...]) -> Step:
    return Step(what=what, service="autoscaling", operation=operation, arguments=arguments, changes=changes)


def _left(blueprint: Blueprint, spec: FleetSpec, present: Present) -> Iterator[str]:
    if present.group is None:
        return
    if present.group["MaxSize"] > spec.policy.max_size:
        yield f"MaxSize {present.group['MaxSize']} above max {spec.policy.max_size}: lowering it may end instances"
    for arn in present.group.get("TargetGroupARNs", ()):
        if arn not in blueprint.target_groups:
            yield f"target group {arn}: detach it by hand if it should go"
    wanted = {wanted_of.HOOK} if blueprint.farewell else set()
    for name in sorted(set(present.hooks) - wanted):
        yield f"lifecycle hook {name}: delete it by hand if it should go"
    if present.warm_pool is not None and blueprint.warm_pool is None:
        yield "warm pool: delete it by hand if it should go"


def _diff(present: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """What is new and what changes, a line each; what is the same is left out."""
    return tuple(
        _change(key, present.get(key), wanted[key]) for key in wanted if not _covers(key, present.get(key), wanted[key])
    )


def _change(key: str, before: Any, after: Any) -> str:
    if before is None:
        return f"+ {key}: {_shown(key, after)}"
    return f"~ {key}: {_shown(key, before)} -> {_shown(key, after)}"


def _shown(key: str, value: Any) -> str:
    """User data may hold what no log should: it is told from another by its digest."""
    if key != "UserData":
        return str(value)
    return f"{len(str(value))} characters, sha256 {hashlib.sha256(str(value).encode()).hexdigest()[:12]}"


def _covers(key: str, present: Any, wanted: Any) -> bool:
    """Whether everything wanted is there; AWS answers with more than it was told."""
    if isinstance(wanted, dict):
        return isinstance(present, dict) and all(_covers(each, present.get(each), wanted[each]) for each in wanted)
    if key in _ALIKE:
        return bool(_ALIKE[key](present or "") == _ALIKE[key](wanted))
    if isinstance(wanted, list):
        rows = list(present or ())
        return len(rows) == len(wanted) and all(
            _covers(key, has, wants) for has, wants in zip(rows, wanted, strict=True)
        )
    if isinstance(wanted, bool):
        return bool(present) is wanted
    return present is not None and str(present) == str(wanted)
