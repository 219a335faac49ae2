"""Lengths of time as people write them in YAML files and on command lines."""

from __future__ import annotations

import re
from datetime import timedelta

from forecasting.errors import InvalidDuration

_NUMBER = r"(\d+(?:\.\d+)?)"
_WORDS = re.compile(
    rf"(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m(?:in)?)?(?:{_NUMBER}s)?", re.IGNORECASE
)
_ISO = re.compile(rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")
_MEND = 'write for example "10m", "1h30m", "PT5M", "00:05:00" or a number of seconds'


def parse_duration(value: str | float | timedelta) -> timedelta:
    """Read "90s", "1h30m", "2d", "PT5M", "00:05:00" or a number of seconds; never negative."""
    if isinstance(value, timedelta):
        return _at_least_zero(value, value)
    if isinstance(value, bool):
        msg = f"{value!r} is not a duration: {_MEND}"
        raise InvalidDuration(msg)
    if isinstance(value, int | float):
        return _at_least_zero(_seconds(value), value)
    text = str(value).strip().replace(" ", "")
    return _from_clock(text) or _from_number(text) or _from_units(text, value)


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


def _from_clock(text: str) -> timedelta | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = (int(part) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _from_number(text: str) -> timedelta | None:
    return _seconds(float(text)) if re.fullmatch(_NUMBER, text) else None


def _from_units(text: str, original: object) -> timedelta:
    match = _WORDS.fullmatch(text) or _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        msg = f"{original!r} is not a duration: {_MEND}"
        raise InvalidDuration(msg)
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    try:
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        msg = f"{original!r} is too long: {_MEND}"
        raise InvalidDuration(msg) from error


def _seconds(value: float) -> timedelta:
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError) as error:
        msg = f"{value!r} is not a duration: {_MEND}"
        raise InvalidDuration(msg) from error


def _at_least_zero(duration: timedelta, original: object) -> timedelta:
    if duration < timedelta(0):
        msg = f"{original!r} is negative: {_MEND}"
        raise InvalidDuration(msg)
    return duration
