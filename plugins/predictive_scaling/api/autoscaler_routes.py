"""The routes about autoscalers: fleets that are made and deleted here instead of by a file."""
# ruff: noqa: TC001, TC002 - FastAPI reads the annotations

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse

from predictive_scaling.api.autoscaler_views import AutoscalerPage, AutoscalerView, Seen, autoscaler_view
from predictive_scaling.api.etag import etag_of, is_of
from predictive_scaling.api.fleet_routes import Name
from predictive_scaling.api.problem import PROBLEMS, mounted_at, problems
from predictive_scaling.api.records import Records, RecordsOfServer
from predictive_scaling.api.rights import Acting
from predictive_scaling.autoscaler import Autoscaler
from predictive_scaling.fleet_folder import joined, overruled
from predictive_scaling.ledger.autoscalers import StoredAutoscaler, resized
from predictive_scaling.ledger.records import Event, EventKind, TaskRun

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter(prefix="/autoscalers", tags=["autoscalers"], responses=PROBLEMS)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", pattern=r"^[!-~]{1,200}$", description="asked again with it, no second one is made"
    ),
]
Tag = Annotated[str | None, Header(alias="If-Match", description="the ETag of what was seen")]
NEVER: Final = (0, 0)
"""How often the group of one was resized that the ledger tells nothing of."""


def json_only(request: Request) -> None:
    """Take JSON alone: another site's form cannot send it in a person's name."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"content type {kind!r}: send the body as application/json")


@router.get("")
def list_autoscalers(
    records: RecordsOfServer,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
) -> AutoscalerPage:
    """List the autoscalers, by name."""
    every = records.autoscalers.all()
    return AutoscalerPage(items=_views(every[offset : offset + limit], records), total=len(every))


@router.post(
    "",
    status_code=201,
    dependencies=[Acting, Depends(json_only)],
    response_model=AutoscalerView,
    responses=problems(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
)
def create_autoscaler(
    asked: Autoscaler, records: RecordsOfServer, user: GetUserDep, request: Request, key: Key = None
) -> Response:
    """Make one: from its next run on, every DAG knows it as a fleet, just as if it had a file."""
    if again := _asked_before(key, asked, records):
        return _made(again, records, request)
    body = asked.model_dump(mode="json", exclude_none=True)
    now = datetime.now(UTC)
    stored = StoredAutoscaler(name=asked.name, asked=body, actor=user.get_name(), created_at=now, key=key)
    why_not = _clash(asked, records)
    if not why_not and not records.autoscalers.add(stored, _told(stored, stored.actor, EventKind.CREATED)):
        why_not = _clash(asked, records) or f"somebody else made autoscaler {asked.name!r} meanwhile: ask again"
    # Of two that ask with one key at once, the later is in the way of nobody: it is answered as the earlier is.
    if why_not and (again := _asked_before(key, asked, records)):
        return _made(again, records, request)
    if why_not:
        raise HTTPException(409, f"{why_not}; nothing was made")
    return _made(stored, records, request)


@router.get("/{name}", response_model=AutoscalerView)
def get_autoscaler(name: Name, records: RecordsOfServer) -> Response:
    """Tell what was asked for, and how it goes."""
    stored = _known(name, records)
    return JSONResponse(_json(stored, records), headers={"ETag": _name_of(stored)})


@router.delete(
    "/{name}",
    status_code=204,
    dependencies=[Acting],
    responses=problems(HTTPStatus.PRECONDITION_FAILED),
)
def delete_autoscaler(name: Name, records: RecordsOfServer, user: GetUserDep, tag: Tag = None) -> Response:
    """Delete one, if wanted only when it is still what was seen; its group and what is scheduled on it stay."""
    stored = _known(name, records)
    told = _told(stored, user.get_name(), EventKind.DELETED)
    if not _is_seen(stored, tag) or not records.autoscalers.remove(stored, told):
        _known(name, records)
        raise HTTPException(412, f"autoscaler {name!r} is no longer what was seen: GET it again, then decide")
    return Response(status_code=204)


def _is_seen(stored: StoredAutoscaler, tag: str | None) -> bool:
    """Whether it is what the asker has seen; who brings no ETag means whatever has the name."""
    return tag is None or tag.strip() == "*" or any(is_of(each, _name_of(stored)) for each in tag.split(","))


def _made(stored: StoredAutoscaler, records: Records, request: Request) -> Response:
    answer = JSONResponse(_json(stored, records), status_code=201)
    answer.headers["Location"] = f"{mounted_at(request)}/api/v1/autoscalers/{stored.name}"
    answer.headers["ETag"] = etag_of(bytes(answer.body), _name_of(stored))
    return answer


def _clash(asked: Autoscaler, records: Records) -> str:
    """Say what stands in the way of a new one; empty when nothing does."""
    others = records.autoscalers.all()
    if any(other.name == asked.name for other in others):
        return _taken(asked.name)
    return overruled(asked.spec(), joined(records.files.now(), others).fleets)


def _taken(name: str) -> str:
    return f"there is an autoscaler {name!r} already: delete it, or choose another name"


def _name_of(stored: StoredAutoscaler) -> str:
    """Name it so that another one of its name has another: how it goes changes by the minute, and it itself never."""
    return f"{stored.name}-{stored.created_at.timestamp():.6f}".replace(".", "-")


def _asked_before(key: str | None, asked: Autoscaler, records: Records) -> StoredAutoscaler | None:
    """Give what was made for the key already; of another body it is a mistake."""
    known = records.autoscalers.asked_with(key) if key else None
    if known and dict(known.asked) != asked.model_dump(mode="json", exclude_none=True):
        raise HTTPException(422, f"this Idempotency-Key made autoscaler {known.name!r} of another body: take a new key")
    return known


def _known(name: str, records: Records) -> StoredAutoscaler:
    stored = records.autoscalers.of(name)
    if stored is None:
        raise HTTPException(404, _no_such(name))
    return stored


def _no_such(name: str) -> str:
    return f"no autoscaler {name!r} was made here: GET /autoscalers lists them, and GET /fleets those of files too"


def _json(stored: StoredAutoscaler, records: Records) -> dict[str, object]:
    moves = resized(records.engine, [stored.name])
    status, look = records.statuses.of(stored.name), records.statuses.look(stored.name)
    seen = Seen(status=status, look=look, resized=moves.get(stored.name, NEVER))
    return autoscaler_view(stored, records.files.now(), seen, now=datetime.now(UTC)).model_dump(mode="json")


def _views(shown: Sequence[StoredAutoscaler], records: Records) -> list[AutoscalerView]:
    """Show several with as many questions to the database as one takes."""
    moves = resized(records.engine, [each.name for each in shown])
    statuses, looks = {each.fleet: each for each in records.statuses.all()}, records.statuses.looks()
    files, now = records.files.now(), datetime.now(UTC)

    def seen(name: str) -> Seen:
        return Seen(status=statuses.get(name), look=looks.get(name), resized=moves.get(name, NEVER))

    return [autoscaler_view(each, files, seen(each.name), now=now) for each in shown]


def _told(stored: StoredAutoscaler, person: str, kind: EventKind) -> Event:
    """Tell the ledger who made or deleted it, and what it says."""
    asked = dict(stored.asked)
    created = kind is EventKind.CREATED
    return Event(
        fleet=stored.name,
        kind=kind,
        by=TaskRun(actor=person),
        reason=f"autoscaler {stored.name} of group {asked['group']} was {kind} over the API",
        before=None if created else asked,
        after=asked if created else None,
    )
