"""Where demand is measured. `Source` is the contract; a source is one file beside this one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One fleet's load, wanted from an instant on."""

    fleet: FleetSpec
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a source had for many fleets; a fleet is in one of the two, or in both with no points."""

    points: Mapping[str, Points] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Reads total load. Missing stays missing, and one fleet's trouble never stops another's reading."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Give what was measured in whole periods that closed by `until`."""
