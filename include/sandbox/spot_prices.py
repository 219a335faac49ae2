"""Spot prices as EC2 tells them: those that the sandbox's own Cost Explorer counts, in force since the hour began."""

from __future__ import annotations

from datetime import timedelta

from moto.core.responses import ActionResult
from moto.ec2.responses.spot_instances import SpotInstances

from sandbox.patches import replaces
from sandbox.prices import price
from sandbox.usage import SPOT, Pool
from sandbox.world import WORLD


@replaces(SpotInstances)
def describe_spot_price_history(self: SpotInstances) -> ActionResult:
    """List the price of each type in each zone where it is offered."""
    found = self.ec2_backend.describe_spot_price_history(
        self._get_param("InstanceTypes", []), self._filters_from_querystring()
    )
    now = WORLD.now()
    since = now - timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    wanted = self._get_param("ProductDescriptions", ["Linux/UNIX"])
    rows = [
        {
            "InstanceType": offer["InstanceType"],
            "ProductDescription": wanted[0],
            "SpotPrice": f"{price(_pool(offer)):.6f}",
            "AvailabilityZone": offer["Location"],
            "Timestamp": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        }
        for offer in found
    ]
    return ActionResult({"SpotPriceHistory": rows[: self._get_int_param("MaxResults", 1000)]})


def _pool(offer: dict[str, str]) -> Pool:
    return Pool(instance_type=offer["InstanceType"], zone=offer["Location"], purchase=SPOT)
