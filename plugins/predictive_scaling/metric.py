"""What a fleet's demand is measured by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RATES: Final = frozenset({"Sum", "SampleCount"})
"""Statistics that count what happened in a period; they are kept per minute, so the period may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One CloudWatch metric, read so that it gives the fleet's *total* load."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Sum"
    period: timedelta = timedelta(minutes=5)
    per_instance: bool = False

    @property
    def is_rate(self) -> bool:
        """Whether the value counts events, and is therefore kept per minute."""
        return self.statistic in RATES

    @property
    def scale(self) -> float:
        """What a value of CloudWatch is multiplied by before it is stored."""
        return timedelta(minutes=1) / self.period if self.is_rate else 1.0

    @property
    def unit(self) -> str:
        """How a person reads a value of this metric."""
        return f"{self.name} per minute" if self.is_rate else self.name

    @property
    def identity(self) -> str:
        """A short name for exactly this definition, so that histories of two definitions never mix."""
        parts = [self.namespace, self.name, sorted(self.dimensions.items()), self.statistic]
        text = json.dumps([*parts, self.period.total_seconds(), self.per_instance])
        return hashlib.sha256(text.encode()).hexdigest()[:12]
