"""Which EC2 instances ran from when to when: what quotas and shortages count, and what the bill is made of."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moto.ec2.models.instance_types import INSTANCE_TYPES

from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from moto.ec2.models import EC2Backend
    from moto.ec2.models.instances import Instance

KEPT_USES = 200_000
ON_DEMAND, SPOT = "on-demand", "spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One kind of capacity: an instance type in a zone, bought in one way."""

    instance_type: str
    zone: str
    purchase: str = ON_DEMAND

    @property
    def vcpus(self) -> int:
        """Return how many vCPUs an instance of the type has."""
        known = INSTANCE_TYPES.get(self.instance_type, {})
        return int(known.get("VCpuInfo", {}).get("DefaultVCpus", 2))


@dataclass(slots=True, kw_only=True)
class Use:
    """One instance from its start to its stop."""

    instance_id: str
    pool: Pool
    started: datetime
    ended: datetime | None = None


@dataclass(slots=True)
class Usage:
    """The instances of one account and region that run, and those that ran."""

    running: dict[str, Use] = field(default_factory=dict)
    past: deque[Use] = field(default_factory=lambda: deque(maxlen=KEPT_USES))
    pools: Counter[Pool] = field(default_factory=Counter)

    def begin(self, instance: Instance) -> None:
        """Note that an instance starts now."""
        pool = Pool(
            instance_type=instance.instance_type,
            zone=str(instance.placement.zone),
            purchase=SPOT if instance.lifecycle == SPOT else ON_DEMAND,
        )
        self.end(instance.id)
        self.running[instance.id] = Use(instance_id=instance.id, pool=pool, started=WORLD.now())
        self.pools[pool] += 1

    def end(self, instance_id: str) -> None:
        """Note that an instance stops now, if it runs."""
        use = self.running.pop(instance_id, None)
        if use is not None:
            use.ended = WORLD.now()
            self.past.append(use)
            self.pools[use.pool] -= 1

    def all(self) -> Iterator[Use]:
        """Return every use, past ones first."""
        yield from self.past
        yield from self.running.values()


def usage_of(backend: EC2Backend) -> Usage:
    """Return the sandbox's notes on an EC2 backend; they go when moto resets it."""
    notes: Usage = vars(backend).setdefault("_usage", Usage())
    return notes
