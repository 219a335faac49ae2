"""The routes about the ledger's events."""
# ruff: noqa: TC001 - FastAPI reads the annotations

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from fastapi.responses import StreamingResponse

from predictive_scaling.api.event_views import (
    EventDetail,
    EventPage,
    ForecastBrief,
    csv_lines,
    event_detail,
    event_page,
    forecast_brief,
)
from predictive_scaling.api.instant import Instant
from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.records import Records, RecordsOfServer
from predictive_scaling.errors import NoHistory, UnusableFile
from predictive_scaling.ledger.event_search import Wanted
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from predictive_scaling.ledger.records import Event

router = APIRouter(prefix="/events", tags=["events"], responses=PROBLEMS)

NUMBERS = 2**63 - 1
CSV_PAGE = 1000
CSV_MOST = 100_000
Before = Annotated[int | None, Query(ge=1, le=NUMBERS, description="events before this id: the next page")]
Limit = Annotated[int, Query(ge=1, le=500)]
Text = Annotated[str | None, Query(max_length=250, pattern=r"^[^\x00]*$")]


def wanted(
    fleet: Text = None,
    kind: EventKind | None = None,
    actor: Text = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Wanted:
    """Read what is looked for from the address."""
    return Wanted(fleet=fleet, kind=kind, actor=actor, since=since, until=until)


Search = Annotated[Wanted, Depends(wanted)]


@router.get("")
def list_events(search: Search, records: RecordsOfServer, before: Before = None, limit: Limit = 50) -> EventPage:
    """List the events that match, newest first."""
    found = records.events.page(replace(search, before=before), limit=limit + 1)
    return event_page(found, limit=limit)


@router.get(".csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
def export_events(search: Search, records: RecordsOfServer) -> StreamingResponse:
    """Export the events that match as CSV, newest first, at most 100,000."""
    headers = {"Content-Disposition": 'attachment; filename="scaling-events.csv"'}
    return StreamingResponse(csv_lines(_all(records, search)), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{event_id}")
def get_event(event_id: Annotated[int, Path(ge=1, le=NUMBERS)], records: RecordsOfServer) -> EventDetail:
    """Give one event with the chain it belongs to."""
    event = records.ledger.event(event_id)
    if event is None:
        raise HTTPException(404, f"no event {event_id}: GET /events lists them")
    chain = records.events.chain(event.operation_id) if event.operation_id else ()
    operation = records.events.operation(event.operation_id) if event.operation_id else None
    questions = records.approvals.standing(event.fleet, event.at) if event.at and event.plan_id else ()
    return event_detail(event, chain, operation, forecast=_forecast_behind(event, records), questions=questions)


def _all(records: Records, search: Wanted) -> Iterator[Event]:
    before: int | None = None
    for _ in range(CSV_MOST // CSV_PAGE):
        page = records.events.page(replace(search, before=before), limit=CSV_PAGE)
        yield from page
        if len(page) < CSV_PAGE:
            return
        before = page[-1].id


def _forecast_behind(event: Event, records: Records) -> ForecastBrief | None:
    """Forecasts are kept for two weeks; an event stays."""
    spec = next((spec for spec in records.fleets().fleets if spec.name == event.fleet), None)
    if spec is None or not event.forecast_id:
        return None
    try:
        forecast = records.storage.forecast(spec, event.forecast_id.partition("@")[2])
    except (NoHistory, UnusableFile, OSError):
        return None
    return forecast_brief(event.forecast_id, forecast)
