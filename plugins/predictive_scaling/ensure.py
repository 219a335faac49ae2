"""Bring a fleet's group to its blueprint: look, draw the calls, make them, look again.

Every call names what it changes, so a run that died is taken up by the next: it looks, and makes what is still missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.aws_client import reading, writing
from predictive_scaling.ensure_plan import EnsurePlan, Present, Step, draw
from predictive_scaling.errors import (
    CloudUnavailable,
    InvalidFleet,
    NotAllowed,
    OutcomeUnknown,
    PredictiveScalingError,
    WriteRefused,
)
from predictive_scaling.fleet_spec import Ownership
from predictive_scaling.fleets import HELD_BY
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.schedule import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.blueprint import Blueprint
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun

    Reach = Callable[[str], Any]

_LATEST: Final = "$Latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Who builds, with what, and where it is remembered."""

    reach: Reach
    ledger: Ledger
    by: TaskRun
    deployment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensured:
    """What was drawn, and how much of it was done."""

    plan: EnsurePlan
    written: int
    reason: str

    def lines(self) -> list[str]:
        """Tell it."""
        return [*self.plan.lines(), self.reason]


def ensure(spec: FleetSpec, blueprint: Blueprint, builder: Builder, *, why_not: str = "") -> Ensured:
    """Make the group what its blueprint says; with a reason not to, say what would be done."""
    if spec.name != blueprint.fleet:
        msg = f"the blueprint is for fleet {blueprint.fleet!r}, not {spec.name!r}: give each its own"
        raise InvalidFleet(msg)
    present = look(spec, builder.reach)
    _refuse_if_held(spec, present, builder.deployment)
    plan = draw(blueprint, spec, present)
    if not plan.steps:
        if _unended(spec, builder):
            found = "what an earlier try began is in place"
            builder.ledger.record(_event(spec, EventKind.APPLIED, found, builder))
            return Ensured(plan=plan, written=0, reason=f"wrote nothing: {found}")
        return Ensured(plan=plan, written=0, reason="wrote nothing")
    if why_not:
        builder.ledger.record(_event(spec, EventKind.OBSERVED, f"would make {_told(plan.steps)}; {why_not}", builder))
        return Ensured(plan=plan, written=0, reason=f"wrote nothing: {why_not}")
    builder.ledger.record(_event(spec, EventKind.INTENT, f"make {_told(plan.steps)}", builder))
    _make(plan.steps, spec, builder)
    left = draw(blueprint, spec, look(spec, builder.reach))
    if left.steps:
        error = f"fleet {spec.name}: read back, and not as written: {'; '.join(left.lines())}"
        builder.ledger.record(_event(spec, EventKind.FAILED, f"made {_told(plan.steps)}", builder, error=error))
        raise WriteRefused(error)
    builder.ledger.record(_event(spec, EventKind.APPLIED, f"made {_told(plan.steps)}; read back and verified", builder))
    calls = counted(plan.steps, "call")
    return Ensured(plan=plan, written=len(plan.steps), reason=f"made {calls}, read back and verified")


def look(spec: FleetSpec, reach: Reach) -> Present:
    """Read the launch template, the group, its hooks and its warm pool."""
    autoscaling = reach("autoscaling")
    with reading(f"looking at group {spec.group}"):
        groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[spec.group])["AutoScalingGroups"]
        template = _template(spec.group, reach("ec2"))
        if not groups:
            return Present(template=template)
        hooks = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=spec.group)["LifecycleHooks"]
        pool = autoscaling.describe_warm_pool(AutoScalingGroupName=spec.group).get("WarmPoolConfiguration")
    by_name = {row["LifecycleHookName"]: row for row in hooks}
    return Present(template=template, group=groups[0], hooks=by_name, warm_pool=pool or None)


def _template(name: str, ec2: Any) -> dict[str, Any] | None:
    known = ec2.describe_launch_templates(Filters=[{"Name": "launch-template-name", "Values": [name]}])
    if not known["LaunchTemplates"]:
        return None
    found = ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=[_LATEST])
    data: dict[str, Any] = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return data


def _refuse_if_held(spec: FleetSpec, present: Present, deployment: str | None) -> None:
    tags = {row["Key"]: row.get("Value") for row in (present.group or {}).get("Tags", ())}
    holder = tags.get(HELD_BY)
    if deployment and holder and holder != deployment and spec.ownership is not Ownership.TAKE_OVER:
        msg = (
            f"fleet {spec.name}: deployment {holder!r} holds group {spec.group}, and we are {deployment!r}: "
            f"stop the fleet there and remove the group's tag {HELD_BY}, or write `ownership: take_over` here"
        )
        raise NotAllowed(msg)


def _unended(spec: FleetSpec, builder: Builder) -> bool:
    """Whether an earlier try of this very task told what it would make, and not what came of it."""
    told = builder.ledger.events(fleet=spec.name, by=builder.by, limit=1) if builder.by.is_retry else ()
    return any(event.kind in {EventKind.INTENT, EventKind.UNKNOWN} for event in told)


def _make(steps: Sequence[Step], spec: FleetSpec, builder: Builder) -> None:
    """Make the calls; what was done before one failed is remembered with it."""
    for number, step in enumerate(steps):
        try:
            with writing(f"{spec.group}: {step.what}"):
                getattr(builder.reach(step.service), step.operation)(**step.arguments)
        except (WriteRefused, CloudUnavailable, OutcomeUnknown) as error:
            kind = EventKind.UNKNOWN if isinstance(error, OutcomeUnknown) else EventKind.FAILED
            done = _told(steps[:number]) if number else "nothing"
            _remember(error, _event(spec, kind, f"made {done}; then: {step.what}", builder, error=str(error)), builder)
            raise


def _remember(error: PredictiveScalingError, event: Event, builder: Builder) -> None:
    """The ledger may be down too; the first error is the one to tell."""
    try:
        builder.ledger.record(event)
    except PredictiveScalingError as second:
        error.add_note(f"and the ledger could not remember it: {second}")


def _told(steps: Sequence[Step]) -> str:
    return ", ".join(step.what for step in steps)


def _event(spec: FleetSpec, kind: EventKind, reason: str, builder: Builder, *, error: str | None = None) -> Event:
    return Event(fleet=spec.name, kind=kind, reason=reason, by=builder.by, error=error)
