"""How many vCPUs an account may run, as Service Quotas tells it; the values are settings of the sandbox."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.responses import ServiceQuotasResponse

from sandbox.patches import replaces
from sandbox.usage import ON_DEMAND, SPOT
from sandbox.world import WORLD

if TYPE_CHECKING:
    from sandbox.usage import Pool, Usage

_FAMILY = re.compile(r"([a-z]+)\d")
STANDARD = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
GRAPHICS = frozenset({"g", "gr", "vt"})
TRAINING = frozenset({"p"})
INFERENTIA = frozenset({"inf"})
TRAINIUM = frozenset({"trn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit on the vCPUs of some families of instances, bought in one way."""

    code: str
    name: str
    setting: str
    families: frozenset[str]
    purchase: str

    @property
    def value(self) -> float:
        """Return the limit in force."""
        return float(getattr(WORLD.settings, self.setting))

    def covers(self, pool: Pool) -> bool:
        """Tell whether instances of a pool count towards the quota."""
        family = _FAMILY.match(pool.instance_type)
        return pool.purchase == self.purchase and family is not None and family[1] in self.families

    def used(self, usage: Usage) -> int:
        """Return how many vCPUs run."""
        return sum(pool.vcpus * count for pool, count in usage.pools.items() if self.covers(pool))


_STANDARD_NAME = "Standard (A, C, D, H, I, M, R, T, Z)"
QUOTAS = (
    Quota(
        code="L-1216C47A",
        name=f"Running On-Demand {_STANDARD_NAME} instances",
        setting="standard_vcpus",
        families=STANDARD,
        purchase=ON_DEMAND,
    ),
    Quota(
        code="L-DB2E81BA",
        name="Running On-Demand G and VT instances",
        setting="graphics_vcpus",
        families=GRAPHICS,
        purchase=ON_DEMAND,
    ),
    Quota(
        code="L-34B43A08",
        name=f"All {_STANDARD_NAME} Spot Instance Requests",
        setting="standard_spot_vcpus",
        families=STANDARD,
        purchase=SPOT,
    ),
    Quota(
        code="L-3819A6DF",
        name="All G and VT Spot Instance Requests",
        setting="graphics_spot_vcpus",
        families=GRAPHICS,
        purchase=SPOT,
    ),
    Quota(
        code="L-417A185B",
        name="Running On-Demand P instances",
        setting="p_vcpus",
        families=TRAINING,
        purchase=ON_DEMAND,
    ),
    Quota(
        code="L-1945791B",
        name="Running On-Demand Inf instances",
        setting="inf_vcpus",
        families=INFERENTIA,
        purchase=ON_DEMAND,
    ),
    Quota(
        code="L-2C3B7624",
        name="Running On-Demand Trn instances",
        setting="trn_vcpus",
        families=TRAINIUM,
        purchase=ON_DEMAND,
    ),
)

_moto_get = ServiceQuotasResponse.get_service_quota


@replaces(ServiceQuotasResponse)
def get_service_quota(self: ServiceQuotasResponse) -> str:
    """Tell one quota of EC2; moto knows some of other services."""
    request = json.loads(self.body)
    if request.get("ServiceCode") != "ec2":
        answer: str = _moto_get(self)
        return answer
    for quota in QUOTAS:
        if quota.code == request.get("QuotaCode"):
            return json.dumps({"Quota": _shown(self, quota)})
    raise NoSuchResource


@replaces(ServiceQuotasResponse)
def list_service_quotas(self: ServiceQuotasResponse) -> str:
    """List the quotas of EC2 that the sandbox keeps."""
    if json.loads(self.body).get("ServiceCode") != "ec2":
        raise NoSuchResource
    return json.dumps({"Quotas": [_shown(self, quota) for quota in QUOTAS]})


def _shown(self: ServiceQuotasResponse, quota: Quota) -> dict[str, Any]:
    return {
        "ServiceCode": "ec2",
        "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaArn": f"arn:aws:servicequotas:{self.region}:{self.current_account}:ec2/{quota.code}",
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": quota.value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
