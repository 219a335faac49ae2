"""How large a fleet was at its turns: the lines of its picture that run through the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSeen:
    """What one turn saw of the group, and the floor that the plan held then."""

    at: datetime
    desired: int
    in_service: int
    planned: int

    def as_json(self) -> list[str | int]:
        """Give it as a short row: a fleet has hundreds."""
        return [self.at.isoformat(), self.desired, self.in_service, self.planned]

    @classmethod
    def from_json(cls, row: Sequence[str | int]) -> Self:
        """Read what `as_json` gave."""
        at, *sizes = row
        desired, in_service, planned = map(int, sizes)
        return cls(at=datetime.fromisoformat(str(at)), desired=desired, in_service=in_service, planned=planned)
