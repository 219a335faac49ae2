"""Policy: the bounds a person puts around every forecast."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from forecasting.duration import shown_duration
from forecasting.errors import InvalidPolicy, shown
from forecasting.policy_file import fields_of, read_policy
from forecasting.values import GREATEST, MOST_INSTANCES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from forecasting.freeze import Freeze
    from forecasting.values import Values

MOST_HEADROOM = 10
MOST_SURE = 0.99  # Beyond it a forecast has seen too few cases to know.
_SIZES = ("min_size", "max_size", "max_step_up", "max_step_down", "breach_max", "units")
_OPTIONAL = ("near_quantile", "shortage_cost")
_AMOUNTS = ("target_per_instance", "quantile", "headroom", "tolerance", "price_per_hour", "idle_below", *_OPTIONAL)
_DAY = timedelta(days=1)
_LEAST_TARGET = 1e-9
_MOST_PAID = 1e9  # for an hour


@dataclass(frozen=True, slots=True)
class Policy:
    """How many instances the demand needs, how early, how sure, and within which bounds."""

    min_size: int
    max_size: int
    target_per_instance: float
    lead_time: timedelta = timedelta(minutes=5)
    _: KW_ONLY
    quantile: float = 0.9
    near_quantile: float | None = None  # of what the next minutes may ask for; that of the plan, unless given
    headroom: float = 0.0
    tolerance: float = 0.1
    stabilisation: timedelta = timedelta(minutes=5)
    granularity: timedelta = timedelta(minutes=1)
    price_per_hour: float = 0.0
    shortage_cost: float | None = None  # what an hour with one instance too few costs; chooses the quantile
    max_step_up: int | None = None  # the most to rise within cooldown_up
    max_step_down: int | None = None  # the most to fall within cooldown_down
    cooldown_up: timedelta = timedelta(0)  # two raises closer than this become one, at the earlier time
    cooldown_down: timedelta = timedelta(0)  # two lowerings are at least so far apart
    no_reversal: timedelta = timedelta(0)  # no change of direction within this time
    freezes: tuple[Freeze, ...] = ()
    breach_max: int | None = None  # how far above max_size a forecast may go for as long as it must
    units: int = 1  # capacity units that one instance counts for; sizes and targets are per unit
    idle_below: float = 0.0  # a demand up to this needs nobody

    def __post_init__(self) -> None:
        """Refuse a policy that contradicts itself, naming the field, its value and the mend."""
        self._read_numbers()
        self._check_sizes()
        target, price = self.target_per_instance, self.price_per_hour
        _check(
            _LEAST_TARGET <= target <= GREATEST,
            f"target_per_instance is {shown(target)}: give the demand one instance can serve, "
            f"{_LEAST_TARGET:g} to {GREATEST:g}",
        )
        for name in ("quantile", "near_quantile"):
            share = getattr(self, name)
            _check(share is None or 0 < share < 1, f"{name} is {share}: give a share between 0 and 1, e.g. 0.9")
        _check(
            0 <= self.headroom <= MOST_HEADROOM,
            f"headroom is {self.headroom}: give a share of 0 to {MOST_HEADROOM}, e.g. 0.1 for 10 %",
        )
        _check(0 <= self.tolerance < 1, f"tolerance is {self.tolerance}: give a share of 0 to below 1, e.g. 0.1")
        _check(0 <= price <= _MOST_PAID, f"price_per_hour is {shown(price)}: give 0 to {_MOST_PAID:g}")
        self._check_times()
        self._check_limits()

    def _read_numbers(self) -> None:
        """Keep a number of numpy as Python's own, which can be written as JSON; refuse what is none."""
        for name in (*_SIZES, *_AMOUNTS):
            value = getattr(self, name)
            if isinstance(value, np.number):
                object.__setattr__(self, name, value.item())
            elif name in _AMOUNTS and not (isinstance(value, int | float) or (value is None and name in _OPTIONAL)):
                msg = f"{name} is {shown(value)}: give a number"
                raise InvalidPolicy(msg)

    def _check_sizes(self) -> None:
        for name in ("min_size", "max_size"):
            size = getattr(self, name)
            fits = _whole(size) and 0 <= size <= MOST_INSTANCES
            _check(fits, f"{name} is {shown(size)}: give a whole number of instances, 0 to {MOST_INSTANCES:,}")
        _check(
            self.min_size <= self.max_size,
            f"min_size is {self.min_size}, above max_size {self.max_size}: lower the one or raise the other",
        )

    def _check_times(self) -> None:
        for name in ("lead_time", "stabilisation", "cooldown_up", "cooldown_down", "no_reversal"):
            duration = getattr(self, name)
            within = isinstance(duration, timedelta) and timedelta(0) <= duration <= _DAY
            _check(within, f"{name} is {shown_duration(duration)}: give a duration of 0 to 24 hours, e.g. 5m")
        whole = isinstance(self.granularity, timedelta) and not self.granularity % timedelta(minutes=1)
        _check(
            whole and timedelta(0) < self.granularity <= _DAY and not _DAY % self.granularity,
            f"granularity is {shown_duration(self.granularity)}: "
            "give whole minutes that divide a day, e.g. 1m, 5m or 1h",
        )

    def _check_limits(self) -> None:
        for name in ("max_step_up", "max_step_down", "units"):
            size = getattr(self, name)
            fits = size is None or (_whole(size) and 0 < size <= MOST_INSTANCES)
            _check(fits, f"{name} is {shown(size)}: give 1 or more instances")
        breach = self.breach_max
        _check(
            breach is None or (_whole(breach) and self.max_size < breach <= MOST_INSTANCES),
            f"breach_max is {shown(breach)}: give more than max_size {self.max_size}, or leave it out to honour that",
        )
        idle, cost, price = self.idle_below, self.shortage_cost, self.price_per_hour
        _check(0 <= idle <= GREATEST, f"idle_below is {shown(idle)}: give a demand of 0 to {GREATEST:g}")
        _check(
            cost is None or 0 < price <= cost <= _MOST_PAID,
            f"shortage_cost is {shown(cost)}, price_per_hour {shown(price)}: give both, the first at least the second",
        )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read a policy, or a fleet file, that was parsed from YAML or JSON."""
        found = fields_of(mapping, [field.name for field in fields(cls) if field.init])
        policy = cls(**found)
        return policy if "quantile" in found else policy.at_cost()

    @classmethod
    def from_yaml(cls, path: str | Path) -> Self:
        """Read a policy file, or the policy within a fleet file."""
        mapping = read_policy(path)
        try:
            return cls.from_mapping(mapping)
        except InvalidPolicy as error:
            raise error.about(str(path)) from error

    def at_cost(self) -> Self:
        """Choose the quantile by what a missing instance costs beside an idle one; without such a cost, keep it.

        The newsvendor's rule: be short in the share of cases that the price of an idle hour is of both costs.
        """
        return self if self.shortage_cost is None else replace(self, quantile=self._newsvendor(self.shortage_cost))

    @property
    def foreseen(self) -> float:
        """The share of the time that what is foreseen for the next minutes should be enough."""
        return self.near_quantile or self.quantile

    @property
    def costed(self) -> bool:
        """Tell whether the quantile is the one that the costs choose."""
        return self.shortage_cost is not None and self.quantile == self._newsvendor(self.shortage_cost)

    def _newsvendor(self, cost: float) -> float:
        return round(min(cost / (cost + self.price_per_hour), MOST_SURE), 4)

    def load(self, demand: float) -> float:
        """Measure a demand in the instances, or units, that serve it well, headroom included, before counting up."""
        return demand * (1 + self.headroom) / self.target_per_instance

    def needed(self, demand: float) -> int:
        """Count the instances, or units of them, that serve a demand, before any bound."""
        if demand <= self.idle_below:
            return 0
        # 8,400 / 600 must be 14 even when the division lands a hair above it.
        whole = math.ceil(min(round(self.load(demand) / self.units, 9), MOST_INSTANCES))
        return min(whole * self.units, MOST_INSTANCES)

    def counted(self, demand: Values) -> npt.NDArray[np.int64]:
        """Count the instances, or units of them, that serve each demand, before any bound."""
        exact = demand * (1 + self.headroom) / self.target_per_instance / self.units
        whole = np.minimum(np.ceil(np.round(exact, 9)) * self.units, MOST_INSTANCES)
        return np.asarray(np.where(demand <= self.idle_below, 0, whole), dtype=np.int64)

    @property
    def ceiling(self) -> int:
        """The most instances there may ever be."""
        return self.breach_max or self.max_size

    def bounded(self, size: int) -> int:
        """Hold a number of instances within min_size and the ceiling."""
        return min(max(size, self.min_size), self.ceiling)


def _whole(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool)


def _check(holds: bool, message: str) -> None:  # noqa: FBT001  (reads as: check that it holds)
    if not holds:
        raise InvalidPolicy(message)
