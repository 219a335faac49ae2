"""The routes about money."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException

from forecasting import ForecastingError
from forecasting.budget import read_budgets
from predictive_scaling.api.budget_views import BudgetPage, budget_view
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import Records, RecordsOfServer
from predictive_scaling.ledger.event_search import Wanted
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.budget import Budget
    from predictive_scaling.ledger.records import Event

router = APIRouter(prefix="/budgets", tags=["budgets"], responses=PROBLEMS)

LATELY: int = 500
"""Verdicts among which the last of each budget is looked for."""


@router.get("")
def list_budgets(records: RecordsOfServer) -> BudgetPage:
    """List the budgets, each with the sums of its last verdict."""
    found = _budgets(records)
    told = records.events.page(Wanted(kind=EventKind.BUDGETED), limit=LATELY) if found else ()
    return BudgetPage(items=[budget_view(budget, _last(budget, told, records)) for budget in found])


def _budgets(records: Records) -> tuple[Budget, ...]:
    file = records.settings.fleets_folder.parent / "budgets.yaml"
    try:
        return read_budgets(file) if file.exists() else ()
    except ForecastingError as error:
        raise HTTPException(422, f"{file.name} cannot be used: {error}") from error


def _last(budget: Budget, told: Sequence[Event], records: Records) -> Event | None:
    """Give the budget's newest verdict, whole: lists leave out the sums."""
    mine = next((each for each in told if each.reason.startswith(f"budget {budget.name}: ")), None)
    return records.ledger.event(mine.id) if mine and mine.id else None
