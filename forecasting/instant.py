"""Instants: aware, kept in UTC, shown in a person's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forecasting.errors import InvalidRequest, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

# Beyond them no fleet was measured or is planned, and sums of instants and durations would leave the calendar.
FIRST_YEAR, LAST_YEAR = 1900, 2199
# Seconds since 1970 in the years 1990 to 2099: no milliseconds are among them, and no date written without dashes.
_EPOCH = range(631_152_000, 4_102_444_800)
_UNITS = (1, 1000)


def zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        msg = f'time zone {shown(name)} is unknown: use an IANA name such as "UTC" or "Europe/Berlin"'
        raise InvalidRequest(msg) from error


def as_utc(when: datetime, name: str, error: type[ValueError] = InvalidRequest) -> datetime:
    """Turn an aware instant into UTC; a naive one is refused, for its zone would be a guess."""
    if not isinstance(when, datetime):
        msg = f"{name} {shown(when)} is not an instant: give an aware one, e.g. datetime(2026, 1, 5, tzinfo=UTC)"
        raise error(msg)
    if when.tzinfo is None:
        msg = f"{name} {when.isoformat()} has no time zone: add one, e.g. {when.isoformat()}+00:00"
        raise error(msg)
    check_year(when, name, error)
    return when.astimezone(UTC)


def check_year(when: datetime, name: str, error: type[ValueError] = InvalidRequest) -> None:
    """Refuse an instant in a year that can only be a slip."""
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        msg = f"{name} {when.isoformat()} lies outside the years {FIRST_YEAR} to {LAST_YEAR}: check the year"
        raise error(msg)


def epoch_unit(stamps: Sequence[str]) -> int | None:
    """Tell whether all are seconds since 1970 (1) or all milliseconds (1000); None where they are neither."""
    longest = len(str(_EPOCH.stop * _UNITS[-1]))
    if not stamps or not all(len(stamp) <= longest and stamp.isascii() and stamp.isdigit() for stamp in stamps):
        return None
    return next((unit for unit in _UNITS if all(int(stamp) // unit in _EPOCH for stamp in stamps)), None)


def parse_instant(text: str, name: str) -> datetime:
    """Read an ISO instant with an offset, as typed on a command line."""
    return as_utc(_parsed(text, name), name)


def written_instant(value: object, name: str, local: tzinfo) -> datetime:
    """Read an instant as YAML gives it, a text, a time or a day; without an offset it is local."""
    if isinstance(value, str):
        value = _parsed(value, name)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        msg = f"{name} {shown(value)} is not an instant: write it as 2026-01-05T00:00Z"
        raise InvalidRequest(msg)
    return as_utc(value if value.tzinfo else value.replace(tzinfo=local), name)


@lru_cache(maxsize=8192)
def clock_time(when: datetime, timezone: ZoneInfo) -> str:
    """Show an instant the way people read it: "Tue 09:20 UTC"."""
    return when.astimezone(timezone).strftime("%a %H:%M %Z")


def _parsed(text: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{name} {shown(text)} is not an instant: write it as 2026-01-05T00:00Z"
        raise InvalidRequest(msg) from error
