"""The route about replays. They are made by the DAG replay_policy, in the name of who triggers it."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from predictive_scaling.api.event_routes import Text
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import RecordsOfServer
from predictive_scaling.api.what_if_views import WhatIfPage, newest

router = APIRouter(prefix="/whatif", tags=["whatif"], responses=PROBLEMS)


@router.get("")
def list_replays(
    records: RecordsOfServer,
    fleet: Text = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> WhatIfPage:
    """List what policies would have done in each mode, newest replay first; of one fleet, or of all."""
    of = records.fleet(fleet).name if fleet is not None else None
    return newest(records.storage, of, limit=limit, offset=offset)
