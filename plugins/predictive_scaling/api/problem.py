"""Errors as problem details (RFC 9457): what happened, with which value, and what to do about it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from predictive_scaling.errors import InvalidFleet, LedgerUnavailable, NoHistory, PredictiveScalingError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

log = logging.getLogger(__name__)
MEDIA_TYPE: Final = "application/problem+json"


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
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY
)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Answer with problem details."""
    found = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(found.model_dump(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of the app be told as a problem."""
    app.exception_handler(HTTPException)(_refused)
    app.exception_handler(RequestValidationError)(_misunderstood)
    app.exception_handler(PredictiveScalingError)(_not_possible)
    app.exception_handler(Exception)(_broken)


def _refused(request: Request, error: HTTPException) -> JSONResponse:
    return problem(error.status_code, _detail(request, error), dict(error.headers or {}))


def _detail(request: Request, error: HTTPException) -> str:
    """A path or method that there is not is refused by the framework, in two words."""
    if error.detail != HTTPStatus(error.status_code).phrase:
        return str(error.detail)
    return f"{request.method} {request.url.path}: {error.detail.lower()}; /api/v1/openapi.json lists what there is"


def _misunderstood(_request: Request, error: RequestValidationError) -> JSONResponse:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(map(_fault, error.errors())))


def _fault(fault: dict[str, Any]) -> str:
    if fault["type"] == "json_invalid":
        return f"the body is no JSON, from character {fault['loc'][-1]} on: {fault['ctx']['error']}"
    return f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}, not {fault['input']!r}"


def _not_possible(_request: Request, error: PredictiveScalingError) -> JSONResponse:
    status = {
        NoHistory: HTTPStatus.NOT_FOUND,
        LedgerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        InvalidFleet: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    return problem(status.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR), str(error))


def _broken(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s broke off", request.method, request.url.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: read the log of the API server")
