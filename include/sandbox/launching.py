"""How an instance comes into a group: bought where there is capacity, booted, held by hooks, put into service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.core.exceptions import ServiceException

from sandbox import hooks
from sandbox.activities import Activity, begin, stamp
from sandbox.errors import LaunchTemplateNotFound
from sandbox.group_events import LAUNCHED, NOT_LAUNCHED, tell
from sandbox.purchases import Choice, choices, is_mixed
from sandbox.rounds import exists, look_again
from sandbox.target_sync import sync_target_groups
from sandbox.terminating import terminate
from sandbox.usage import SPOT
from sandbox.world import WORLD

if TYPE_CHECKING:
    from sandbox.hooks import Outcome

PROCEED_SECONDS = 5
"""An instance is Pending:Proceed for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A zone of a group, and its subnet if the group has any."""

    zone: str
    subnet: str | None


def buy(group: FakeAutoScalingGroup, cause: str, where: str = "") -> InstanceState | None:
    """Start an instance in the emptiest zone that has one; each zone that has none leaves a failed activity."""
    for place in _places(group):
        failure = ""
        for choice in choices(group):
            try:
                return _run(group, place, choice, cause, where)
            except ServiceException as refusal:
                failure = _failure(group, choice, refusal)
        failed = begin(group, f"Launching a new EC2 instance.  Status Reason: {failure}", cause, _details(place))
        failed.finish("Failed", failure)
        tell(group, NOT_LAUNCHED, failed)
    return None


def _failure(group: FakeAutoScalingGroup, choice: Choice, refusal: ServiceException) -> str:
    """Word what EC2 refused as Auto Scaling does; without a mixed policy it repeats EC2's message alone."""
    text = f"{refusal.message} Launching EC2 instance failed."
    if choice.purchase == SPOT:
        return f"Could not launch Spot Instances. {refusal.code} - {text}"
    return f"Could not launch On-Demand Instances. {refusal.code} - {text}" if is_mixed(group) else text


def _places(group: FakeAutoScalingGroup) -> list[Place]:
    subnets = group.vpc_zone_identifier.split(",") if group.vpc_zone_identifier else []
    known = group.ec2_backend
    places = [Place(zone=str(known.get_subnet(each).availability_zone), subnet=each) for each in subnets]
    places = places or [Place(zone=zone, subnet=None) for zone in group.availability_zones]
    busy = [state.availability_zone for state in group.active_instances()]
    return sorted(places, key=lambda place: busy.count(place.zone))


def _details(place: Place) -> str:
    details = {"Subnet ID": place.subnet, "Availability Zone": place.zone}
    return json.dumps({key: value for key, value in details.items() if value})


def _run(group: FakeAutoScalingGroup, place: Place, choice: Choice, cause: str, where: str) -> InstanceState:
    config = group.launch_config or None
    template = group.ec2_launch_template
    if template and template.id not in group.ec2_backend.launch_templates:
        message = (
            "You must use a valid fully-formed launch template. The specified launch template, with template ID "
            f"{template.id}, does not exist."
        )
        raise LaunchTemplateNotFound(message)
    version = {"LaunchTemplateId": template.id, "Version": group.launch_template_version} if template else None
    reservation = group.ec2_backend.run_instances(
        group.image_id,
        1,
        group.user_data,
        group.security_groups,
        instance_type=choice.instance_type,
        tags={"instance": {**group.get_propagated_tags(), ASG_NAME_TAG: group.name, **group.instance_tags}},
        placement=place.zone,
        launch_config=config,
        launch_template=version,
        is_instance_type_default=False,
        associate_public_ip=config.associate_public_ip_address if config else None,
        subnet_id=place.subnet,
        **({"instance_market_options": {"MarketType": SPOT}} if choice.purchase == SPOT else {}),
    )
    (instance,) = reservation.instances
    protected = group.new_instances_protected_from_scale_in
    state = InstanceState(instance, "Pending", protected_from_scale_in=protected, autoscaling_group=group)
    if choice.weight is not None:
        vars(state)["weighted_capacity"] = str(choice.weight)
    if template:
        vars(state)["_template_version"] = template.get_version(group.launch_template_version).number
    description = f"Launching a new EC2 instance{where}: {state.instance_id}"
    vars(state)["_launch"] = begin(group, description, cause, _details(place))
    return state


def boot_seconds() -> float:
    """Return how long one instance takes to boot."""
    settings = WORLD.settings
    return settings.boot_seconds * (1 + settings.boot_jitter * WORLD.random.uniform(-1, 1))


def boot(group: FakeAutoScalingGroup, state: InstanceState, seconds: float) -> None:
    """Let an instance of the group go into service after a while."""
    WORLD.agenda.at(WORLD.after(seconds), partial(_booted, group, state))


def _waits_in(group: FakeAutoScalingGroup, state: InstanceState, lifecycle_state: str) -> bool:
    """Tell whether an instance is still where it was when something was planned for it."""
    return state in group.instance_states and state.lifecycle_state == lifecycle_state


def _launch_of(state: InstanceState) -> Activity:
    launch: Activity = vars(state)["_launch"]
    return launch


def _booted(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    if _waits_in(group, state, "Pending"):
        hooks.wait(group, state, hooks.LAUNCHING, partial(_proceed, group, state))
        if state.lifecycle_state == "Pending:Wait":
            _launch_of(state).status_code = "MidLifecycleAction"


def _proceed(group: FakeAutoScalingGroup, state: InstanceState, outcome: Outcome) -> None:
    if outcome.result == hooks.ABANDON:
        _abandon(group, state, outcome)
        return
    state.lifecycle_state = "Pending:Proceed"
    if outcome.waited:
        WORLD.agenda.at(WORLD.after(PROCEED_SECONDS), partial(_serve, group, state))
    else:
        _serve(group, state)


def _abandon(group: FakeAutoScalingGroup, state: InstanceState, outcome: Outcome) -> None:
    action = f"Lifecycle Action with token {outcome.token} was abandoned: {outcome.why}"
    _launch_of(state).finish("Cancelled", f"Instance failed to complete user's Lifecycle Action: {action}")
    terminate(
        group, [state], f"At {stamp(WORLD.now())} an instance was taken out of service in response to a launch failure."
    )
    if exists(group):
        look_again(group)


def _serve(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    if not _waits_in(group, state, "Pending:Proceed"):
        return
    state.lifecycle_state = "InService"
    vars(state)["_in_service_since"] = WORLD.now()
    _launch_of(state).finish()
    tell(group, LAUNCHED, _launch_of(state), state.instance_id)
    sync_target_groups(group)
