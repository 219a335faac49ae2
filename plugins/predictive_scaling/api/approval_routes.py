"""The route about questions. They are answered through Airflow's own human-in-the-loop, by whom it lets."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from predictive_scaling.api.approval_views import QuestionPage, question_view
from predictive_scaling.api.event_routes import Text
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import RecordsOfServer

router = APIRouter(prefix="/approvals", tags=["approvals"], responses=PROBLEMS)


@router.get("")
def list_approvals(
    records: RecordsOfServer,
    *,
    fleet: Text = None,
    waiting: Annotated[bool, Query(description="only those without an answer, the first due first")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> QuestionPage:
    """List what people are asked and were asked, newest first, with the way to the answer."""
    if waiting:
        open_ones = [each for each in records.approvals.waiting() if fleet in {None, each.fleet}]
        found = open_ones[offset : offset + limit + 1]
    else:
        found = list(records.approvals.newest(fleet, limit=limit + 1, offset=offset))
    return QuestionPage(items=[question_view(each) for each in found[:limit]], more=len(found) > limit)
