"""Instants in addresses: an ISO date and time; without a zone it is UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator

DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


def _as_iso(given: object) -> object:
    """Refuse a number: pydantic would take 20261123 for seconds since 1970."""
    if not DATE.match(str(given)):
        msg = "Input should be a date and time in ISO 8601, such as 2026-11-23T06:00Z"
        raise ValueError(msg)
    return given


def _as_utc(given: datetime) -> datetime:
    try:
        return given.replace(tzinfo=given.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        msg = "lies outside the years 1 to 9999 in UTC"
        raise ValueError(msg) from error


Instant = Annotated[
    datetime,
    BeforeValidator(_as_iso),
    AfterValidator(_as_utc),
    Query(description="ISO 8601; UTC when it names no zone"),
]
