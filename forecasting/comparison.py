"""What if: several policies and ways of scaling on one past demand, side by side, down to the money a month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecasting.errors import InvalidRequest
from forecasting.rehearsal import STATIC
from forecasting.scorecard import Course, Scorecard, scored
from forecasting.simulation import known_mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecasting.policy import Policy
    from forecasting.rehearsal import Rehearsal
    from forecasting.together import Together

MONTH = timedelta(days=30)
MODES: tuple[str, ...] = (STATIC, "reactive", "hybrid")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What came of one policy under one way of scaling."""

    policy: str
    card: Scorecard
    course: Course
    monthly_hours: float
    monthly_cost: float

    def as_mapping(self) -> dict[str, Any]:
        """Give the figures for JSON."""
        figures = self.card.as_mapping()
        return {
            "policy": self.policy,
            **figures,
            "monthly_hours": self.monthly_hours,
            "monthly_cost": self.monthly_cost,
        }


def outcomes(
    rehearsal: Rehearsal | Together,
    policies: Mapping[str, Policy],
    *,
    modes: Sequence[str] = MODES,
    boot: timedelta = timedelta(minutes=5),
) -> tuple[Outcome, ...]:
    """Steer every policy in every mode through the same demand; the forecasts are made once for all."""
    if not policies or not modes:
        msg = f"{len(policies)} policies and {len(modes)} modes to compare: give at least one of each"
        raise InvalidRequest(msg)
    return tuple(
        _outcome(name, policy, _course(rehearsal, policy, mode, boot))
        for name, policy in policies.items()
        for mode in modes
    )


def _course(rehearsal: Rehearsal | Together, policy: Policy, mode: str, boot: timedelta) -> Course:
    return rehearsal.still(policy, boot) if mode == STATIC else rehearsal.steered(policy, known_mode(mode), boot)


def _outcome(name: str, policy: Policy, course: Course) -> Outcome:
    card = scored(course, policy)
    hours = card.instance_hours * (MONTH / (course.until - course.since))
    return Outcome(
        policy=name, card=card, course=course, monthly_hours=hours, monthly_cost=hours * policy.price_per_hour
    )
