"""What EC2 can give at this moment: shortages made by hand, and the vCPU quotas of the account."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from sandbox.errors import InsufficientInstanceCapacity, MaxSpotInstanceCountExceeded, VcpuLimitExceeded
from sandbox.quotas import QUOTAS
from sandbox.settings import InvalidSetting
from sandbox.usage import SPOT, Pool, usage_of

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

    from sandbox.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """No more than `limit` instances of what the expressions match run at a time; those that run stay."""

    instance_type: str = ".*"
    zone: str = ".*"
    purchase: str = ".*"
    """Regular expression over on-demand and spot."""
    limit: int = 0

    def __post_init__(self) -> None:
        """Refuse what could never match or count."""
        for name in ("instance_type", "zone", "purchase"):
            try:
                re.compile(getattr(self, name))
            except (re.error, TypeError):
                message = f"{name}: {getattr(self, name)!r} cannot be used; give a regular expression"
                raise InvalidSetting(message) from None
        if isinstance(self.limit, bool) or not isinstance(self.limit, int) or self.limit < 0:
            message = f"limit: {self.limit!r} cannot be used; give a whole number of 0 or more"
            raise InvalidSetting(message)

    def matches(self, pool: Pool) -> bool:
        """Tell whether a pool is short."""
        return all(
            re.fullmatch(getattr(self, name), getattr(pool, name)) for name in ("instance_type", "zone", "purchase")
        )

    def bites(self, pool: Pool, usage: Usage) -> bool:
        """Tell whether one more instance of a pool is too many."""
        if not self.matches(pool):
            return False
        return sum(count for other, count in usage.pools.items() if self.matches(other)) >= self.limit


class Shortages:
    """The shortages in force."""

    def __init__(self) -> None:
        self.rules: list[Shortage] = []

    def add(self, /, **rule: Any) -> Shortage:
        """Add a shortage; the keys are the fields of `Shortage`."""
        known = [each.name for each in fields(Shortage)]
        for key in rule:
            if key not in known:
                message = f"{key}: unknown key of a shortage; use {', '.join(sorted(known))}"
                raise InvalidSetting(message)
        shortage = Shortage(**rule)
        self.rules.append(shortage)
        return shortage

    def clear(self) -> None:
        """End every shortage."""
        self.rules.clear()

    def shown(self) -> list[dict[str, Any]]:
        """Return the shortages as JSON."""
        return [asdict(rule) for rule in self.rules]


SHORTAGES = Shortages()


def check_market(backend: EC2Backend, pool: Pool) -> None:
    """Refuse one more instance as EC2 does, if a quota is full or capacity is short."""
    usage = usage_of(backend)
    for quota in QUOTAS:
        if quota.covers(pool) and quota.used(usage) + pool.vcpus > quota.value:
            _refuse_quota(pool, quota.value)
    if any(rule.bites(pool, usage) for rule in SHORTAGES.rules):
        _refuse_capacity(backend, pool)


def _refuse_quota(pool: Pool, value: float) -> None:
    if pool.purchase == SPOT:
        message = "Max spot instance count exceeded."
        raise MaxSpotInstanceCountExceeded(message)
    message = (
        f"You have requested more vCPU capacity than your current vCPU limit of {value:.0f} allows for the instance "
        "bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
    )
    raise VcpuLimitExceeded(message)


def _refuse_capacity(backend: EC2Backend, pool: Pool) -> None:
    if pool.purchase == SPOT:
        message = "There is no Spot capacity available that matches your request."
        raise InsufficientInstanceCapacity(message)
    usage = usage_of(backend)
    zones = [str(zone.name) for zone in backend.describe_availability_zones()]
    pools = [Pool(instance_type=pool.instance_type, zone=zone, purchase=pool.purchase) for zone in zones]
    others = [each.zone for each in pools if not any(rule.bites(each, usage) for rule in SHORTAGES.rules)]
    instead = f" or choosing {', '.join(others)}" if others else ""
    message = (
        f"We currently do not have sufficient {pool.instance_type} capacity in the Availability Zone you requested "
        f"({pool.zone}). Our system will be working on provisioning additional capacity. You can currently get "
        f"{pool.instance_type} capacity by not specifying an Availability Zone in your request{instead}."
    )
    raise InsufficientInstanceCapacity(message)
