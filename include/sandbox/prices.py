"""List prices of common instance types: on-demand, Linux, shared tenancy, us-east-1, US dollars an hour.

A small copy as of 2025-01-01, for demonstrations; every region of the sandbox has these prices. Spot costs a fixed
share, where AWS has a market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.usage import SPOT

if TYPE_CHECKING:
    from sandbox.usage import Pool

AS_OF = "2025-01-01T00:00:00Z"
SPOT_SHARE = 0.35
UNKNOWN_PER_VCPU = 0.05
HOURLY = {
    "t3.micro": 0.0104,
    "t3.small": 0.0208,
    "t3.medium": 0.0416,
    "t3.large": 0.0832,
    "t4g.medium": 0.0336,
    "m5.large": 0.096,
    "m5.xlarge": 0.192,
    "m6i.large": 0.096,
    "m6i.xlarge": 0.192,
    "m6i.2xlarge": 0.384,
    "m6g.large": 0.077,
    "m7i.large": 0.1008,
    "m7g.large": 0.0816,
    "c5.large": 0.085,
    "c5.xlarge": 0.17,
    "c6i.large": 0.085,
    "c6i.xlarge": 0.17,
    "c7g.large": 0.0725,
    "r5.large": 0.126,
    "r6i.large": 0.126,
    "g4dn.xlarge": 0.526,
    "g4dn.2xlarge": 0.752,
    "g5.xlarge": 1.006,
    "g5.2xlarge": 1.212,
    "g6.xlarge": 0.8048,
    "p3.2xlarge": 3.06,
}


def price(pool: Pool) -> float:
    """Return the price of an instance for an hour; a type that is not listed is priced by its vCPUs."""
    listed = HOURLY.get(pool.instance_type, UNKNOWN_PER_VCPU * pool.vcpus)
    return listed * (SPOT_SHARE if pool.purchase == SPOT else 1.0)
