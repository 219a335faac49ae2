"""Foresight: what a forecast is told beside the demand: which engine, whose clocks, which holidays and events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

from forecasting.errors import ForecastingError, InvalidRequest, shown, unknown_key
from forecasting.event import Event
from forecasting.instant import written_instant, zone
from forecasting.models import check_engine
from forecasting.occasions import check_country

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

KEYS: Final[tuple[str, ...]] = ("timezone", "engine", "country", "events")
_EVENT_KEYS: Final = ("name", "start", "end", "factor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """The same for every forecast of a fleet; a fleet file may say all of it."""

    engine: str = "auto"
    timezone: str = "UTC"
    country: str | None = None
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an engine, a zone or a country nobody knows, naming the key."""
        for key, check in (("timezone", zone), ("engine", check_engine), ("country", self._holidays)):
            try:
                check(getattr(self, key))
            except ForecastingError as error:
                raise error.about(key) from error

    def _holidays(self, country: str | None) -> None:
        if country:
            check_country(country)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read what a fleet file says of it; the other keys are passed over."""
        names: dict[str, Any] = {
            key: _text(key, mapping[key]) for key in ("timezone", "engine", "country") if key in mapping
        }
        found = replace(cls(), **names)
        return replace(found, events=_events(mapping.get("events", []), zone(found.timezone)))

    def as_options(self) -> dict[str, Any]:
        """Give it as `forecast` and `forecast_many` ask for it."""
        return {key: getattr(self, key) for key in KEYS}


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        msg = f"{key} is {shown(value)}: write a name, in quotes where YAML reads something else, as in 'NO'"
        raise InvalidRequest(msg)
    return value


def _events(rows: object, local: ZoneInfo) -> tuple[Event, ...]:
    if not isinstance(rows, list):
        msg = f"events is {shown(rows)}: list each as {{name: sale, start: 2026-11-27, end: 2026-11-28}}"
        raise InvalidRequest(msg)
    return tuple(_event(f"events[{at}]", row, local) for at, row in enumerate(rows))


def _event(key: str, row: Any, local: ZoneInfo) -> Event:
    try:
        _refuse_unknown(row)
        start, end = (written_instant(row[edge], edge, local) for edge in ("start", "end"))
        return Event(name=_text("name", row["name"]), start=start, end=end, factor=_factor(row.get("factor")))
    except InvalidRequest as error:
        raise error.about(key) from error
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"{key} is {shown(row)}: write {{name: sale, start: 2026-11-27, end: 2026-11-28}}, and factor: 2 if known"
        raise InvalidRequest(msg) from error


def _refuse_unknown(row: Any) -> None:
    unknown = [key for key in row if key not in _EVENT_KEYS] if isinstance(row, dict) else []
    if unknown:
        raise InvalidRequest(unknown_key(str(unknown[0]), _EVENT_KEYS, f"an event has {', '.join(_EVENT_KEYS)}"))


def _factor(value: object) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        msg = f"factor is {shown(value)}: write a number such as 2 for twice the usual demand, or leave it out"
        raise InvalidRequest(msg)
    return value
