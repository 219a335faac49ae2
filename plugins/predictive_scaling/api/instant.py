"""Instants in addresses: an ISO date and time; without a zone it is UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator


def _as_utc(given: datetime) -> datetime:
    try:
        return given.replace(tzinfo=given.tzinfo or UTC).astimezone(UTC)
    except OverflowError as error:
        msg = "lies outside the years 1 to 9999 in UTC"
        raise ValueError(msg) from error


Instant = Annotated[datetime, AfterValidator(_as_utc), Query(description="ISO 8601; UTC when it names no zone")]
