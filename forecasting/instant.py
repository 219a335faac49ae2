"""Instants: aware, kept in UTC, shown in a person's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forecasting.errors import InvalidRequest


def zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
        msg = f'time zone {name!r} is unknown: use an IANA name such as "UTC" or "Europe/Berlin"'
        raise InvalidRequest(msg) from error


def as_utc(when: datetime, name: str, error: type[ValueError] = InvalidRequest) -> datetime:
    """Turn an aware instant into UTC; a naive one is refused, for its zone would be a guess."""
    if when.tzinfo is None:
        msg = f"{name} {when.isoformat()} has no time zone: add one, e.g. {when.isoformat()}+00:00"
        raise error(msg)
    return when.astimezone(UTC)


def parse_instant(text: str, name: str) -> datetime:
    """Read an ISO instant with an offset, as typed on a command line."""
    try:
        return as_utc(datetime.fromisoformat(text), name)
    except InvalidRequest:
        raise
    except ValueError as error:
        msg = f"{name} {text!r} is not an instant: write it as 2026-01-05T00:00Z"
        raise InvalidRequest(msg) from error


@lru_cache(maxsize=8192)
def clock_time(when: datetime, timezone: ZoneInfo) -> str:
    """Show an instant the way people read it: "Tue 09:20 UTC"."""
    return when.astimezone(timezone).strftime("%a %H:%M %Z")
