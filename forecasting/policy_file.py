"""Reading a policy from YAML, where people write durations as "10m" and sizes as `min` and `max`.

A fleet file of the product is a policy file too: the keys that concern only the fleet are passed over.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.duration import parse_duration
from forecasting.errors import InvalidDuration, InvalidPolicy, InvalidRequest
from forecasting.freeze import Freeze
from forecasting.instant import parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ALIASES = {"min": "min_size", "max": "max_size", "stabilization": "stabilisation"}
_REQUIRED = ("min_size", "max_size", "target_per_instance")
_DURATIONS = ("lead_time", "stabilisation", "granularity", "cooldown_up", "cooldown_down", "no_reversal")
_SIZES = ("min_size", "max_size", "max_step_up", "max_step_down", "breach_max", "units")

# What a fleet file says of the fleet itself; a policy passes over it.
FLEET_KEYS = frozenset(
    {
        "also",
        "approval",
        "connection",
        "country",
        "engine",
        "events",
        "group",
        "history",
        "max_extra_cost",
        "metric",
        "mode",
        "name",
        "ownership",
        "reaction",
        "region",
        "timezone",
    }
)


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping."""
    import yaml

    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}): give the path of a YAML file"
        raise InvalidPolicy(msg) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path}: is not YAML ({' '.join(str(error).split())}): mend that line"
        raise InvalidPolicy(msg) from error
    if not isinstance(data, dict):
        msg = f"{path}: holds {type(data).__name__}, not keys: write for example min: 2"
        raise InvalidPolicy(msg)
    return data


def timezone_of(mapping: Mapping[str, Any]) -> str:
    """Give the time zone a fleet file names, else UTC."""
    return str(mapping.get("timezone", "UTC"))


def fields_of(mapping: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Pick the known fields of a policy out of a mapping, each in its own type."""
    found: dict[str, Any] = {}
    for key, value in mapping.items():
        field = _ALIASES.get(key, key)
        if field in known:
            if field in found:
                msg = f"{key} is given twice, also under its other name: keep one"
                raise InvalidPolicy(msg)
            found[field] = _typed(str(key), field, value)
        elif key not in FLEET_KEYS:
            raise InvalidPolicy(_unknown(str(key), known))
    absent = [field for field in _REQUIRED if field not in found]
    if absent:
        msg = f"{absent[0]} is missing: every policy needs {', '.join(_REQUIRED)}"
        raise InvalidPolicy(msg)
    return found


def _typed(key: str, field: str, value: Any) -> int | float | timedelta | tuple[Freeze, ...]:
    if field == "freezes":
        return _freezes(value)
    if field in _DURATIONS:
        return _duration(key, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{key} is {value!r}: give a {'whole number' if field in _SIZES else 'number'} without quotes or units"
        raise InvalidPolicy(msg)
    return value


def _duration(key: str, value: Any) -> timedelta:
    if not isinstance(value, str | int | float | timedelta):
        msg = f"{key} is {value!r}: write a duration such as 10m"
        raise InvalidPolicy(msg)
    try:
        return parse_duration(value)
    except InvalidDuration as error:
        msg = f"{key}: {error}"
        raise InvalidPolicy(msg) from error


def _freezes(value: Any) -> tuple[Freeze, ...]:
    try:
        return tuple(Freeze(_instant(each["start"]), _instant(each["end"])) for each in value)
    except (KeyError, TypeError, InvalidRequest) as error:
        msg = f"freezes is {value!r}: list each as {{start: 2026-01-05T22:00Z, end: 2026-01-06T02:00Z}} ({error})"
        raise InvalidPolicy(msg) from error


def _instant(value: Any) -> datetime:
    return value if isinstance(value, datetime) else parse_instant(str(value), "freeze")


def _unknown(key: str, known: Sequence[str]) -> str:
    close = get_close_matches(key, [*known, *_ALIASES, *FLEET_KEYS], n=1)
    mend = f"did you mean {close[0]}?" if close else f"a policy has {', '.join(known)}"
    return f"key {key!r} is unknown: {mend}"
