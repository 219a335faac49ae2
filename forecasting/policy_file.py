"""Reading a policy from YAML, where people write durations as "10m" and sizes as `min` and `max`.

A fleet file of the product is a policy file too: the keys that concern only the fleet are passed over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecasting.duration import parse_duration
from forecasting.errors import InvalidDuration, InvalidPolicy, InvalidRequest, shown, unknown_key
from forecasting.freeze import Freeze
from forecasting.instant import written_instant, zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from zoneinfo import ZoneInfo

_ALIASES = {"min": "min_size", "max": "max_size", "stabilization": "stabilisation"}
_REQUIRED = ("min_size", "max_size", "target_per_instance")
_DURATIONS = ("lead_time", "stabilisation", "granularity", "cooldown_up", "cooldown_down", "no_reversal")
_SIZES = ("min_size", "max_size", "max_step_up", "max_step_down", "breach_max", "units")

# What a fleet file says of the fleet itself; a policy passes over it.
FLEET_KEYS = frozenset(
    {
        "also",
        "approval",
        "burst",
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
        "on_failure",
        "ownership",
        "reaction",
        "region",
        "timezone",
    }
)


def read_policy(path: str | Path) -> dict[str, Any]:
    """Read a policy file, or a fleet file, as it was written."""
    from forecasting.yaml_file import read_mapping

    return read_mapping(path, InvalidPolicy, "min: 2")


def fields_of(mapping: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Pick the known fields of a policy out of a mapping, each in its own type."""
    found = some_fields(mapping, known)
    absent = [field for field in _REQUIRED if field not in found]
    if absent:
        msg = f"{absent[0]} is missing: every policy needs {', '.join(_REQUIRED)}"
        raise InvalidPolicy(msg)
    return found


def some_fields(mapping: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Pick those that are there, even where a whole policy would need more."""
    found: dict[str, Any] = {}
    for key, value in mapping.items():
        field = _ALIASES.get(key, key)
        if field in known:
            if field in found:
                msg = f"{key} is given twice, also under its other name: keep one"
                raise InvalidPolicy(msg)
            found[field] = _freezes(value, mapping) if field == "freezes" else _typed(str(key), field, value)
        elif key not in FLEET_KEYS:
            every = [*known, *_ALIASES, *FLEET_KEYS]
            raise InvalidPolicy(unknown_key(str(key), every, f"a policy has {', '.join(known)}"))
    return found


def _typed(key: str, field: str, value: Any) -> int | float | timedelta:
    if field in _DURATIONS:
        return _duration(key, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = "whole number" if field in _SIZES else "number"
        msg = f"{key} is {shown(value)}: give a {kind} without quotes or units, and 1e6 as 1000000"
        raise InvalidPolicy(msg)
    return value


def _duration(key: str, value: Any) -> timedelta:
    if not isinstance(value, str | int | float | timedelta):
        msg = f"{key} is {shown(value)}: write a duration such as 10m"
        raise InvalidPolicy(msg)
    try:
        return parse_duration(value)
    except InvalidDuration as error:
        msg = f"{key}: {error}"
        raise InvalidPolicy(msg) from error


def _freezes(value: Any, mapping: Mapping[str, Any]) -> tuple[Freeze, ...]:
    """Read freezes; a time without an offset is the fleet's own."""
    try:
        local = zone(mapping.get("timezone", "UTC"))
        return tuple(_freeze(each, local) for each in (() if value is None else value))
    except (KeyError, TypeError, InvalidRequest, InvalidPolicy) as error:
        why = f"{error}" if isinstance(error, InvalidRequest | InvalidPolicy) else "start and end are needed"
        msg = f"freezes is {shown(value)}: list each as {{start: 2026-01-05T22:00Z, end: 2026-01-06T02:00Z}} ({why})"
        raise InvalidPolicy(msg) from error


def _freeze(row: Any, local: ZoneInfo) -> Freeze:
    return Freeze(*(written_instant(row[edge], f"freeze {edge}", local) for edge in ("start", "end")))
