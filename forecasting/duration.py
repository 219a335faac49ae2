"""Lengths of time as people write them in YAML files and on command lines."""

from __future__ import annotations

import re
from datetime import timedelta

from forecasting.errors import InvalidDuration, shown

_NUMBER = r"(\d+(?:\.\d+)?)"
_WORDS = re.compile(
    rf"(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m(?:in)?)?(?:{_NUMBER}s)?", re.IGNORECASE
)
_ISO = re.compile(rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")
_MEND = 'write for example "10m", "1h30m", "PT5M", "00:05:00" or a number of seconds'


def parse_duration(value: str | float | timedelta) -> timedelta:
    """Read "90s", "1h30m", "2d", "PT5M", "00:05:00" or a number of seconds; never negative."""
    try:
        duration = value if isinstance(value, timedelta) else _read(value)
    except (OverflowError, ValueError) as error:
        msg = f"{shown(value)} is too long: {_MEND}"
        raise InvalidDuration(msg) from error
    if duration is None:
        msg = f"{shown(value)} is not a duration: {_MEND}"
        raise InvalidDuration(msg)
    if duration < timedelta(0):
        msg = f"{shown(value)} is negative: {_MEND}"
        raise InvalidDuration(msg)
    return duration


def format_duration(duration: timedelta) -> str:
    """Write a duration as "1h30m", the form `parse_duration` reads back."""
    seconds = duration.total_seconds()
    if seconds < 0:
        return f"-{format_duration(-duration)}"
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{int(count)}{unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if count]
    if rest:
        parts.append(f"{rest:.6f}".rstrip("0").rstrip(".") + "s")
    return "".join(parts) or "0s"


def shown_duration(duration: object) -> str:
    """Show in an error what should have been a duration."""
    return format_duration(duration) if isinstance(duration, timedelta) else shown(duration)


def _read(value: str | float) -> timedelta | None:
    if isinstance(value, bool) or value != value:  # noqa: PLR0124  (NaN is no duration)
        return None
    if isinstance(value, int | float):
        return timedelta(seconds=value)
    text = str(value).strip().replace(" ", "")
    if re.fullmatch(_NUMBER, text):
        return timedelta(seconds=float(text))
    if match := _CLOCK.fullmatch(text):
        return _lasting("0", "0", *match.groups())
    match = _WORDS.fullmatch(text) or _ISO.fullmatch(text)
    return _lasting(*match.groups()) if match and any(match.groups()) else None


def _lasting(*parts: str | None) -> timedelta:
    """Add up weeks, days, hours, minutes and seconds as they were written."""
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in parts)
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
