"""What the API tells of budgets: what each allows, and how its last verdict came out."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from forecasting.cost_forecast import Chance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecasting.budget import Budget
    from predictive_scaling.ledger.records import Event


class SumView(BaseModel):
    """One cap with what counts towards it, in dollars."""

    span: str
    when: str
    cap: float
    spent: float
    committed: float
    asked: float
    granted: float
    total: float
    chance: str | None = Field(None, description="of passing the cap, by the forecast")


class BudgetView(BaseModel):
    """One budget."""

    name: str
    fleets: list[str] = Field(description="none means every fleet")
    at_cap: str
    outcome: str | None = Field(None, description="of its last verdict")
    reason: str = ""
    judged_at: datetime | None = None
    event_id: int | None = None
    sums: list[SumView] = []


class BudgetPage(BaseModel):
    """All budgets."""

    items: list[BudgetView]


def budget_view(budget: Budget, verdict: Event | None) -> BudgetView:
    """Show a budget with its last verdict; one that has judged nothing yet has none."""
    known: dict[str, Any] = {"name": budget.name, "fleets": list(budget.fleets), "at_cap": budget.at_cap.value}
    if verdict is None or verdict.after is None:
        return BudgetView(**known, reason="it has judged no plan yet")
    return BudgetView(
        **known,
        outcome=verdict.after["outcome"],
        reason=verdict.reason,
        judged_at=verdict.at,
        event_id=verdict.id,
        sums=[_sum(row) for row in verdict.after["sums"]],
    )


def _sum(row: Mapping[str, Any]) -> SumView:
    chance = row.get("chance")
    return SumView(**{**row, "chance": str(Chance(**chance)) if chance else None})
