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
        return pool.purchase == self.purchase and _family(pool.instance_type, self.purchase) in self.families

    def used(self, usage: Usage) -> int:
        """Return how many vCPUs run."""
        return sum(pool.vcpus * count for pool, count in usage.pools.items() if self.covers(pool))


def _family(instance_type: str, purchase: str) -> str:
    """Give the letters of a type; P5 has a Spot quota of its own."""
    found = _FAMILY.match(instance_type)
    family = found[1] if found else ""
    return "p5" if purchase == SPOT and instance_type.startswith("p5") else family


def _quota(row: tuple[str, str, str, str], name: str, purchase: str) -> Quota:
    families, named, code, setting = row
    return Quota(
        code=code, name=name.format(named), setting=setting, families=frozenset(families.split()), purchase=purchase
    )


_STANDARD_NAME = "Standard (A, C, D, H, I, M, R, T, Z)"
_ON_DEMAND = (
    # families, their name, code and setting
    ("a c d h i im is m r t z", _STANDARD_NAME, "L-1216C47A", "standard_vcpus"),
    ("g gr vt", "G and VT", "L-DB2E81BA", "graphics_vcpus"),
    ("p", "P", "L-417A185B", "p_vcpus"),
    ("inf", "Inf", "L-1945791B", "inf_vcpus"),
    ("trn", "Trn", "L-2C3B7624", "trn_vcpus"),
    ("dl", "DL", "L-6E869C2A", "other_vcpus"),
    ("f", "F", "L-74FC7D96", "other_vcpus"),
    ("x", "X", "L-7295265B", "other_vcpus"),
)
_SPOT = (
    ("a c d h i im is m r t z", _STANDARD_NAME, "L-34B43A08", "standard_spot_vcpus"),
    ("g gr vt", "G and VT", "L-3819A6DF", "graphics_spot_vcpus"),
    ("p", "P4, P3 and P2", "L-7212CCBC", "p_spot_vcpus"),
    ("p5", "P5", "L-C4BD4855", "p_spot_vcpus"),
    ("inf", "Inf", "L-B5D1601B", "inf_spot_vcpus"),
    ("trn", "Trn", "L-6B0D517C", "trn_spot_vcpus"),
    ("dl", "DL", "L-85EED4F7", "other_vcpus"),
    ("f", "F", "L-88CF9481", "other_vcpus"),
    ("x", "X", "L-E3A00192", "other_vcpus"),
)
QUOTAS = (
    *(_quota(row, "Running On-Demand {} instances", ON_DEMAND) for row in _ON_DEMAND),
    *(_quota(row, "All {} Spot Instance Requests", SPOT) for row in _SPOT),
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
