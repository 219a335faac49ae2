"""The route about overrides. They are made and ended by the DAGs pause_fleet, resume_fleet and kill_switch."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from predictive_scaling.api.event_routes import Text
from predictive_scaling.api.override_views import OverridePage, override_view
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import RecordsOfServer
from predictive_scaling.ledger.overrides import EVERY_FLEET

router = APIRouter(prefix="/overrides", tags=["overrides"], responses=PROBLEMS)


@router.get("")
def list_overrides(
    records: RecordsOfServer,
    fleet: Text = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> OverridePage:
    """List those that are open, newest first; of a fleet with those of every fleet."""
    now = datetime.now(UTC)
    found = [each for each in records.open_overrides.all() if fleet is None or each.fleet in {fleet, EVERY_FLEET}]
    return OverridePage(
        items=[override_view(each, now=now) for each in found[offset : offset + limit]], total=len(found)
    )
