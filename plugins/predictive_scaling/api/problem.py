"""Errors as problem details (RFC 9457): what happened, with which value, and what to do about it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from predictive_scaling.errors import (
    InvalidFleet,
    LedgerUnavailable,
    LedgerUnreachable,
    NoHistory,
    PredictiveScalingError,
    UnusableFile,
)
from predictive_scaling.ledger.connection import first_line

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

log = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"
FAULTS, SHOWN = 10, 200
"""Faults that one answer tells of, and characters of a key or value: who sent megabytes is not sent them back."""


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="what happened, with which value, and what to do about it")


def _response(status: HTTPStatus) -> dict[str, Any]:
    return {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Describe answers that are problems, as a route declares them."""
    return {int(status): {"model": Problem, **_response(status)} for status in statuses}


PROBLEMS: Final = problems(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Answer with problem details."""
    found = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(found.model_dump(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def mounted_at(request: Request) -> str:
    """Tell where the app is: /scaling below whatever path Airflow's own base_url has."""
    return str(request.scope["root_path"])


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of the app be told as a problem."""
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_misunderstood)
    app.exception_handler(PredictiveScalingError)(_not_possible)
    app.exception_handler(SQLAlchemyError)(_no_database)
    app.exception_handler(Exception)(_broken)


def _refused(request: Request, error: HTTPException) -> JSONResponse:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))  # the framework names those of the first route of the path
    return problem(error.status_code, _detail(request, error), headers)


def _methods(request: Request) -> list[str]:
    """Give the methods that the routes of the path take."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in routes for method in route.methods})


def _detail(request: Request, error: HTTPException) -> str:
    """What the framework refuses, it refuses in two words."""
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return f"{error.detail}: send a bearer token of Airflow's /auth/token, or its cookie"
    if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__:
        return f"the body cannot be read ({error.__cause__}): send JSON in UTF-8"
    if error.detail != HTTPStatus(error.status_code).phrase:
        return str(error.detail)
    there = f"{mounted_at(request)}/api/v1/openapi.json"
    return f"{request.method} {request.url.path}: {error.detail.lower()}; {there} lists what there is"


def _misunderstood(_request: Request, error: RequestValidationError) -> JSONResponse:
    told = list(map(_fault, error.errors()))
    more = [f"and {len(told) - FAULTS} more"] if len(told) > FAULTS else []
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join([*told[:FAULTS], *more]))


def _fault(fault: dict[str, Any]) -> str:
    """Tell what is wrong with a value; where something is missing, or several do not fit, there is none to tell."""
    if fault["type"] == "json_invalid":
        return f"the body is no JSON, from character {fault['loc'][-1]} on: {fault['ctx']['error']}"
    where, what = ".".join(map(str, fault["loc"][1:])), fault["msg"].removeprefix("Value error, ")
    none = fault["type"] == "missing" or isinstance(fault["input"], dict)
    return f"{_cut(where or 'body')}: {what}" + ("" if none else f", not {_cut(repr(fault['input']))}")


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _not_possible(_request: Request, error: PredictiveScalingError) -> JSONResponse:
    status = {
        NoHistory: HTTPStatus.NOT_FOUND,
        LedgerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        LedgerUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
        UnusableFile: HTTPStatus.SERVICE_UNAVAILABLE,
        InvalidFleet: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    return problem(status.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR), str(error))


def _no_database(request: Request, error: SQLAlchemyError) -> JSONResponse:
    log.error("%s %s broke off", request.method, request.url.path, exc_info=error)
    mend = "check that it is up, and run `airflow db migrate` where a table is missing"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"the database cannot be used ({first_line(error)}): {mend}")


def _broken(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s broke off", request.method, request.url.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: read the log of the API server")
