"""Policy: the bounds a person puts around every forecast."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from forecasting.errors import InvalidPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """How many instances the demand needs, how early, how sure, and within which bounds."""

    min_size: int
    max_size: int
    target_per_instance: float
    lead_time: timedelta = timedelta(minutes=5)
    _: KW_ONLY
    quantile: float = 0.9
    headroom: float = 0.0
    tolerance: float = 0.1
    stabilisation: timedelta = timedelta(minutes=5)
    granularity: timedelta = timedelta(minutes=1)
    price_per_hour: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a policy that contradicts itself, naming the field, its value and the mend."""
        self._check_sizes()
        _check(
            0 < self.target_per_instance < math.inf,
            f"target_per_instance is {self.target_per_instance}: give the demand one instance can serve, above 0",
        )
        _check(0 < self.quantile < 1, f"quantile is {self.quantile}: give a share between 0 and 1, e.g. 0.9")
        _check(0 <= self.headroom <= 10, f"headroom is {self.headroom}: give a share of 0 to 10, e.g. 0.1 for 10 %")
        _check(0 <= self.tolerance < 1, f"tolerance is {self.tolerance}: give a share of 0 to below 1, e.g. 0.1")
        _check(0 <= self.price_per_hour < math.inf, f"price_per_hour is {self.price_per_hour}: give 0 or more")
        self._check_times()

    def _check_sizes(self) -> None:
        for name in ("min_size", "max_size"):
            size = getattr(self, name)
            whole = isinstance(size, int) and not isinstance(size, bool)
            _check(whole and size >= 0, f"{name} is {size!r}: give a whole number of instances, 0 or more")
        _check(
            self.min_size <= self.max_size,
            f"min_size is {self.min_size}, above max_size {self.max_size}: lower the one or raise the other",
        )

    def _check_times(self) -> None:
        for name in ("lead_time", "stabilisation"):
            duration = getattr(self, name)
            within = isinstance(duration, timedelta) and timedelta(0) <= duration <= _DAY
            _check(within, f"{name} is {duration!r}: give a duration of 0 to 24 hours, e.g. 5m")
        whole = isinstance(self.granularity, timedelta) and not self.granularity % timedelta(minutes=1)
        _check(
            whole and timedelta(0) < self.granularity <= _DAY and not _DAY % self.granularity,
            f"granularity is {self.granularity!r}: give whole minutes that divide a day, e.g. 1m, 5m or 1h",
        )

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read a policy, or a fleet file, that was parsed from YAML or JSON."""
        from forecasting.policy_file import fields_of

        return cls(**fields_of(mapping))

    @classmethod
    def from_yaml(cls, path: str | Path) -> Self:
        """Read a policy file, or the policy within a fleet file."""
        from forecasting.policy_file import read_mapping

        try:
            return cls.from_mapping(read_mapping(path))
        except InvalidPolicy as error:
            msg = str(error) if str(error).startswith(f"{path}: ") else f"{path}: {error}"
            raise InvalidPolicy(msg) from error

    def needed(self, demand: float) -> int:
        """Count the instances that serve a demand, before any bound."""
        exact = demand * (1 + self.headroom) / self.target_per_instance
        # 8,400 / 600 must be 14 even when the division lands a hair above it.
        return math.ceil(round(exact, 9))

    def bounded(self, size: int) -> int:
        """Hold a number of instances within min_size and max_size."""
        return min(max(size, self.min_size), self.max_size)


def _check(holds: bool, message: str) -> None:  # noqa: FBT001  (reads as: check that it holds)
    if not holds:
        raise InvalidPolicy(message)
