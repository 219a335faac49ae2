"""The file a cost comparison is computed from: a day's load, what capacity serves and costs, and the risk limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn, Self

from forecasting.errors import InvalidRequest, shown
from forecasting.purchase_mix import Offers, Part, Requests, Units
from forecasting.values import GREATEST

if TYPE_CHECKING:
    from pathlib import Path

    from forecasting.price_book import PriceBook

_KEYS = ("name", "unit", "profile", "days", "risk_limit", "always_on", "on_demand", "spot", "serverless")
_UNITS = ("name", "capacity", "per_hour", "per_month", "rate")
_REQUESTS = ("name", "per_million", "seconds", "memory_gb", "per_gb_second", "rate", "fees")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CostProfile:
    """A daily load with everything it may be served by."""

    name: str
    unit: str
    parts: tuple[Part, ...]
    offers: Offers

    @property
    def daily_load(self) -> float:
        """The load of a whole day, such as its requests where the unit is requests a minute."""
        return sum(part.load * part.hours * 60 for part in self.parts)

    @classmethod
    def from_yaml(cls, path: str | Path, book: PriceBook | None = None) -> Self:
        """Read the file; each error names it, the key and the mend. A `rate` is looked up in the price book."""
        from forecasting.yaml_file import read_mapping

        content = read_mapping(path, InvalidRequest, "always_on: {capacity: 600, per_hour: 0.1}")
        try:
            return cls._read(content, book)
        except InvalidRequest as error:
            raise error.about(str(path)) from error

    @classmethod
    def _read(cls, content: Mapping[str, Any], book: PriceBook | None) -> Self:
        _known(content, _KEYS, "the file")
        days = _number(content, "days", 30.0)
        if not days:
            _refuse("days", days, "say how many such days are a month, e.g. 30")
        if "always_on" not in content:
            _refuse("always_on", None, "describe the capacity that can be kept on, with name, capacity and a price")
        units = {key: _units(content, key, days, book) for key in ("always_on", "on_demand", "spot") if key in content}
        offers = Offers(
            **units,
            serverless=_requests(content, book) if "serverless" in content else None,
            risk_limit=_number(content, "risk_limit", 0.0),
            days=days,
        )
        name, unit = str(content.get("name", "profile")), str(content.get("unit", "load"))
        return cls(name=name, unit=unit, parts=_parts(content.get("profile")), offers=offers)


def _parts(profile: object) -> tuple[Part, ...]:
    """Read `"06:00": 50` and so on: each load holds until the next time of day, the last until midnight."""
    if not isinstance(profile, Mapping) or not profile:
        _refuse("profile", profile, 'write times of day with their loads, such as {"00:00": 10, "06:00": 50}')
    starts = sorted((_time(key), key) for key in profile)
    if starts[0][0] != timedelta(0) or len({at for at, _ in starts}) < len(starts):
        _refuse("profile", [key for _, key in starts], 'begin at "00:00" and name each time once')
    edges = [*starts, (_DAY, "24:00")]
    return tuple(
        Part(start=at, hours=(end - at) / timedelta(hours=1), load=_number(profile, key))
        for (at, key), (end, _) in pairwise(edges)
    )


def _time(key: object) -> timedelta:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", str(key))
    if not match:
        _refuse("profile", key, 'write a time of day in quotes, such as "06:00"')
    return timedelta(hours=int(match[1]), minutes=int(match[2]))


def _units(content: Mapping[str, Any], key: str, days: float, book: PriceBook | None) -> Units:
    row = _mapping(content, key, _UNITS)
    priced = [name for name in ("per_hour", "per_month", "rate") if name in row]
    if len(priced) != 1:
        _refuse(key, priced or "no price", "give one of per_hour, per_month and rate")
    match priced[0]:
        case "per_hour":
            price = _number(row, "per_hour")
        case "per_month":
            price = _number(row, "per_month") / (24 * days)
        case _:
            price = _rate(row, key, book)
    return Units(name=str(row.get("name", key)), capacity=_number(row, "capacity"), per_hour=price)


def _requests(content: Mapping[str, Any], book: PriceBook | None) -> Requests:
    """A request costs a fee and the memory it holds for as long as it runs."""
    row = _mapping(content, "serverless", _REQUESTS)
    each = _rate(row, "serverless", book) if "rate" in row else _number(row, "per_million", 0.0)
    held = _number(row, "seconds", 0.0) * _number(row, "memory_gb", 0.0) * _number(row, "per_gb_second", 0.0)
    if each + held <= 0:
        _refuse("serverless", "no price", "give per_million, or seconds, memory_gb and per_gb_second, or a rate")
    fees = row.get("fees") or {}
    if not isinstance(fees, Mapping):
        _refuse("serverless.fees", fees, "write what its use costs a month, such as {gateway: 10}")
    monthly = tuple((str(name), _number(fees, name)) for name in fees)
    return Requests(name=str(row.get("name", "serverless")), per_request=each / 1e6 + held, monthly_fees=monthly)


def _rate(row: Mapping[str, Any], key: str, book: PriceBook | None) -> float:
    from forecasting.price_book import Purchase

    purchase = {"always_on": Purchase.RESERVED, "on_demand": Purchase.ON_DEMAND, "spot": Purchase.SPOT}
    name = str(row["rate"])
    ways = [purchase.get(key, Purchase.SERVERLESS), *([Purchase.HOST, Purchase.ON_DEMAND] * (key == "always_on"))]
    for way in ways:
        rates = [each for each in book.rates if (each.name, each.purchase) == (name, way)] if book else []
        known = {each.region: each.price for each in rates}
        prices = {known[""]} if "" in known else set(known.values())
        if len(prices) > 1:
            _refuse(f"{key}.rate", name, f"it differs between {', '.join(sorted(known))}: write per_hour")
        if prices:
            return prices.pop()
    _refuse(f"{key}.rate", name, f"name one that the price files have for {' or '.join(ways)}: --prices FILE.yaml")
    return None


def _mapping(content: Mapping[str, Any], key: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    row = content[key]
    if not isinstance(row, Mapping):
        _refuse(key, row, f"write keys and values: {', '.join(known)}")
    _known(row, known, key)
    return row


def _known(row: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in known:
            _refuse(where, key, f"that is no key here: use {', '.join(known)}")


def _number(row: Mapping[Any, Any], key: Any, default: float | None = None) -> float:
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= GREATEST:
        _refuse(str(key), value, f"give a number of 0 or more, at most {GREATEST:g}")
    return float(value)


def _refuse(key: str, value: object, mend: str) -> NoReturn:
    msg = f"{key} is {shown(value)}: {mend}"
    raise InvalidRequest(msg)
