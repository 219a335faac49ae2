"""EC2 as moto has it, except that instances start in virtual time, only where there is capacity, and are accounted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moto.ec2.models.amis
import moto.ec2.models.instances
import moto.ec2.models.launch_templates
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models.amis import AmiBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.utilities.utils import load_resource as load_moto_resource

from sandbox.launch_templates import image_of
from sandbox.market import check_market
from sandbox.patches import replaces
from sandbox.usage import ON_DEMAND, SPOT, Pool, usage_of
from sandbox.world import WORLD

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.amis import Ami
    from moto.ec2.models.instances import InstanceState, Reservation

replaces(moto.ec2.models.instances, "utcnow")(WORLD.clock.now_naive)
replaces(moto.ec2.models.launch_templates, "utcnow")(WORLD.clock.now_naive)

_moto_run = InstanceBackend.run_instances
_moto_describe_images = AmiBackend.describe_images
_moto_start = Instance.start
_moto_stop = Instance.stop
_moto_terminate = Instance.terminate


@replaces(InstanceBackend)
def run_instances(
    self: EC2Backend,
    image_id: str,
    count: int,
    user_data: Any,
    security_group_names: list[str],
    **request: Any,
) -> Reservation:
    """Launch instances if there is capacity for the next one."""
    check_market(self, _pool(self, request))
    image_id = image_of(image_id, self.account_id, self.region_name)
    reservation = _moto_run(self, image_id, count, user_data, security_group_names, **request)
    for instance in reservation.instances:
        usage_of(self).begin(instance)
    return reservation


def _pool(self: EC2Backend, request: dict[str, Any]) -> Pool:
    zone = request.get("placement")
    if request.get("subnet_id"):
        zone = self.get_subnet(request["subnet_id"]).availability_zone
    return Pool(
        instance_type=str(request.get("instance_type")),
        zone=str(zone or f"{self.region_name}a"),
        purchase=SPOT if request.get("instance_market_options") else ON_DEMAND,
    )


@replaces(moto.ec2.models.amis)
def load_resource(path: str) -> Any:
    """Leave out the images of ECS: twelve hundred, and moto makes each with a disk whenever a cloud begins."""
    return [] if "/ecs/" in path else load_moto_resource(path)


@replaces(AmiBackend)
def describe_images(self: AmiBackend, *arguments: Any, **request: Any) -> list[Ami]:
    """List images; the look-up by id that every launch makes does not match all of them by pattern."""
    wanted = request.get("filters") or {}
    image = wanted.get("image-id")
    if isinstance(image, str) and image in self.amis and len(wanted) == len(request) == 1:
        return [self.amis[image]]
    found: list[Ami] = _moto_describe_images(self, *arguments, **request)
    return found


@replaces(InstanceBackend)
def get_instance_by_id(self: InstanceBackend, instance_id: str) -> Instance | None:
    """Find an instance, the newest first: every launch asks for its own, and moto copies all reservations for that."""
    launched = (each for reservation in reversed(self.reservations.values()) for each in reservation.instances)
    return next((each for each in launched if each.id == instance_id), None)


@replaces(InstanceBackend)
def get_instance(self: InstanceBackend, instance_id: str) -> Instance:
    """Find an instance that must be there."""
    found = get_instance_by_id(self, instance_id)
    if found is None:
        raise InvalidInstanceIdError(instance_id)
    return found


@replaces(Instance)
def start(self: Instance) -> InstanceState:
    """Start a stopped instance."""
    before = _moto_start(self)
    usage_of(self.ec2_backend).begin(self)
    return before


@replaces(Instance)
def stop(self: Instance) -> InstanceState:
    """Stop an instance."""
    usage_of(self.ec2_backend).end(self.id)
    return _moto_stop(self)


@replaces(Instance)
def terminate(self: Instance) -> InstanceState:
    """Terminate an instance."""
    usage_of(self.ec2_backend).end(self.id)
    return _moto_terminate(self)
