"""The routes about money."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, HTTPException

from forecasting import ForecastingError
from forecasting.budget import read_budgets
from predictive_scaling.api.budget_views import BudgetPage, budget_view
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import Records, RecordsOfServer
from predictive_scaling.ledger.event_search import Wanted
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from forecasting.budget import Budget
    from predictive_scaling.ledger.records import Event

router = APIRouter(prefix="/budgets", tags=["budgets"], responses=PROBLEMS)

LATELY: Final = timedelta(days=7)
"""How far back the last verdict of a budget is looked for."""


@router.get("")
def list_budgets(records: RecordsOfServer) -> BudgetPage:
    """List the budgets, each with the sums of its last verdict."""
    return BudgetPage(items=[budget_view(budget, _last(budget, records)) for budget in _budgets(records)])


def _budgets(records: Records) -> tuple[Budget, ...]:
    file = records.settings.fleets_folder.parent / "budgets.yaml"
    try:
        return read_budgets(file) if file.exists() else ()
    except ForecastingError as error:
        raise HTTPException(422, f"{file.name} cannot be used: {error}") from error


def _last(budget: Budget, records: Records) -> Event | None:
    """Give the budget's newest verdict of late, whole: lists leave out the sums."""
    wanted = Wanted(kind=EventKind.BUDGETED, call=f"budget {budget.name}", since=datetime.now(UTC) - LATELY)
    newest = next(iter(records.events.page(wanted, limit=1)), None)
    return records.ledger.event(newest.id) if newest and newest.id else None
