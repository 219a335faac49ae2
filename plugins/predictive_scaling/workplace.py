"""Where a change is made: a fleet and its ledger, whose turn it is, and what one write is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecasting.override import ruling, stop_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from forecasting.override import Override
    from predictive_scaling.fleets import Fleet, Observed, Receipt
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.ownership import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Who acts on a fleet, when, and after how long an operation counts as abandoned."""

    by: TaskRun
    now: datetime
    patience: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """One fleet, its ledger, whose turn it is, who we are to the group, and what people have laid over its plan.

    Without a claim nobody asks whose the group is.
    """

    name: str
    fleet: Fleet
    ledger: Ledger
    turn: Turn
    claim: Claim | None = None
    overrides: Sequence[Override] = ()

    def rules(self, group: Observed, when: datetime) -> Override | None:
        """What people have laid over the plan of this group, and is kept to at an instant; under a stop nothing is."""
        laid = [each for each in self.overrides if not group.is_other_than(each.group_id)]
        return None if stop_at(laid, when) else ruling(laid, when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One write, what it changes from and to, and why."""

    call: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    send: Callable[[Fleet], Receipt]
    group_id: str | None = None
