"""The routes about fleets."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query

from predictive_scaling.api.event_routes import Before, Limit
from predictive_scaling.api.event_views import EventPage, event_page
from predictive_scaling.api.fleet_views import (
    FleetDetail,
    FleetPage,
    State,
    costs,
    fleet_detail,
    fleet_row,
    fleet_rows,
    in_order,
    matching,
)
from predictive_scaling.api.instant import Instant
from predictive_scaling.api.inventory_views import InventoryView, inventory_view
from predictive_scaling.api.override_views import GateView, gate_view
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import RecordsOfServer
from predictive_scaling.api.series_views import (
    AccuracyView,
    CapacityView,
    ForecastView,
    HistoryView,
    PlanView,
    accuracy_view,
    capacity_view,
    forecast_view,
    history_view,
    plan_view,
)
from predictive_scaling.ledger.event_search import Wanted
from predictive_scaling.tally import tally

router = APIRouter(prefix="/fleets", tags=["fleets"], responses=PROBLEMS)

Name = Annotated[
    str, Path(max_length=63, pattern=r"^[^\x00-\x1f\x7f]*$", description="the fleet's name, as in its file")
]
Field = Literal[
    "name", "state", "in_service", "planned", "next_at", "next_capacity", "demand", "wape", "coverage", "cost_per_hour"
]
Descending = Literal["asc", "desc"]
MOST: int = 5000
MOST_EVENTS: int = 300
"""Events of a fleet among which its changes of a day are looked for."""
DAY = timedelta(days=1)


@router.get("")
def list_fleets(  # noqa: PLR0913 - each is a part of the address
    records: RecordsOfServer,
    *,
    search: Annotated[str, Query(max_length=200, description="text in name, group or reason")] = "",
    state: State | None = None,
    sort: Field = "name",
    order: Descending = "asc",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> FleetPage:
    """List the fleets, each in brief."""
    folder, looks = records.fleets(), records.statuses.looks()
    statuses, now = [each.looked(looks.get(each.fleet)) for each in records.statuses.all()], datetime.now(UTC)
    rows = fleet_rows(
        folder,
        statuses,
        now=now,
        looks=looks,
        overrides=records.open_overrides.all(),
        questions=records.approvals.waiting(),
    )
    found = in_order(matching(rows, text=search, state=state), sort, descending=order == "desc")
    items, spent = found[offset : offset + limit], costs(rows, statuses, now=now)
    return FleetPage(items=items, total=len(found), problems=list(folder.problems), **spent)


@router.get("/{name}")
def get_fleet(name: Name, records: RecordsOfServer) -> FleetDetail:
    """Tell how one fleet is, what holds it, and the policy of its file."""
    spec, status, look = records.fleet(name), records.statuses.of(name), records.statuses.look(name)
    status, now = status.looked(look) if status else None, datetime.now(UTC)
    waiting = [each for each in records.approvals.standing(name, now) if each.is_open]
    overrides = records.overrides.open(name)
    row = fleet_row(spec, status, now=now, look=look, overrides=overrides, questions=waiting)
    lately = tally(records.ledger.events(fleet=name, limit=MOST_EVENTS), since=now - DAY, now=now)
    return fleet_detail(row, spec, status, records.ledger.open_operation(name), lately)


@router.get("/{name}/inventory")
def get_inventory(name: Name, records: RecordsOfServer) -> InventoryView:
    """List the fleet's instances as they were last seen."""
    found = records.storage.inventory(records.fleet(name).name)
    if found is None:
        raise HTTPException(404, f"fleet {name}: its group was not looked at yet: the next run of apply_plans does")
    return inventory_view(*found)


@router.get("/{name}/history")
def get_history(
    name: Name, records: RecordsOfServer, since: Instant | None = None, until: Instant | None = None
) -> HistoryView:
    """Give what was measured, of the last two days unless asked otherwise."""
    spec = records.fleet(name)
    earliest = datetime.now(UTC) - timedelta(days=400)
    start = max(since or datetime.now(UTC) - timedelta(days=2), earliest)
    return history_view(records.storage.demand(spec, since=start), spec.metric.unit, until=until)


@router.get("/{name}/capacity")
def get_capacity(name: Name, records: RecordsOfServer, since: Instant | None = None) -> CapacityView:
    """Give how large the fleet was at its turns, of the last two days unless asked otherwise."""
    start = since or datetime.now(UTC) - timedelta(days=2)
    return capacity_view(records.storage.sizes(records.fleet(name).name), since=start)


@router.get("/{name}/forecast")
def get_forecast(name: Name, records: RecordsOfServer) -> ForecastView:
    """Give the newest forecast."""
    spec = records.fleet(name)
    forecast_id, forecast = records.storage.newest_forecast(spec)
    return forecast_view(forecast_id, forecast, spec.metric.unit)


@router.get("/{name}/plan")
def get_plan(name: Name, records: RecordsOfServer) -> PlanView:
    """Give the plan that holds, step by step with reasons, and what is new in it."""
    records.fleet(name)
    holds, before = records.statuses.plans(name)
    if holds is None:
        raise HTTPException(404, f"fleet {name}: no plan yet: apply_plans draws one after the next forecast")
    return plan_view(holds, before)


@router.get("/{name}/events")
def list_events_of_fleet(name: Name, records: RecordsOfServer, before: Before = None, limit: Limit = 50) -> EventPage:
    """List the fleet's events, newest first."""
    return event_page(records.events.page(Wanted(fleet=name, before=before), limit=limit + 1), limit=limit)


@router.get("/{name}/gate")
def get_gate(name: Name, records: RecordsOfServer) -> GateView | None:
    """Tell how far the fleet's forecast is trusted, why, and its learned boot time; null before its first review."""
    spec = records.fleet(name)
    gate = records.gates.of(spec.name)
    return gate_view(gate.on(spec.measured_by)) if gate else None


@router.get("/{name}/accuracy")
def get_accuracy(name: Name, records: RecordsOfServer) -> AccuracyView:
    """Give what came of the fleet's forecasts."""
    return accuracy_view(records.storage.accuracies(records.fleet(name)))
