"""Price book: what capacity costs, each price with its date and where it comes from.

A file names its date and source once for all its rates; a rate may name its own. Of several files the later ones win,
so that a contract's rates stand over list prices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from forecasting.errors import InvalidRequest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Purchase(StrEnum):
    """How capacity is bought."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED = "reserved"  # an hour of a reservation or savings plan, paid whether used or not
    HOST = "host"  # an hour of a machine rented outside the cloud, such as a GPU host
    SERVERLESS = "serverless"  # a million requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One price."""

    name: str  # an instance type, or a name of the user's own
    purchase: Purchase
    price: float
    as_of: date
    source: str
    region: str = ""  # empty holds everywhere

    def __post_init__(self) -> None:
        """Refuse what is no price."""
        number = isinstance(self.price, int | float) and not isinstance(self.price, bool)
        if not (number and 0 <= self.price < math.inf):
            msg = f"{self.purchase} of {self.name} costs {self.price!r}: give an amount of 0 or more"
            raise InvalidRequest(msg)

    def __str__(self) -> str:
        return f"${self.price:g} for {self.name} {self.purchase} as of {self.as_of} ({self.source})"


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Rates; of two for the same thing the later one holds."""

    rates: tuple[Rate, ...] = ()

    def rate(self, name: str, purchase: Purchase, region: str = "") -> Rate | None:
        """Find a price; one for the region goes before one for everywhere."""
        found = [each for each in self.rates if (each.name, each.purchase) == (name, purchase)]
        local = [each for each in found if each.region == region]
        anywhere = [each for each in found if not each.region]
        return next(reversed(local or anywhere), None)

    @classmethod
    def read(cls, paths: Sequence[str | Path]) -> Self:
        """Read price files, the later over the earlier; each error names its file."""
        return cls(tuple(rate for path in paths for rate in _read(path)))


def _read(path: str | Path) -> list[Rate]:
    from forecasting.yaml_file import read_mapping

    content = read_mapping(path, InvalidRequest, "rates: [{name: m6i.large, on_demand: 0.096}]")
    rows = content.get("rates")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) and "name" in row for row in rows):
        msg = f"{path}: rates is {shown(rows)}: write a list of entries such as {{name: m6i.large, on_demand: 0.096}}"
        raise InvalidRequest(msg)
    try:
        return [rate for row in rows for rate in _rates({**content, **row})]
    except InvalidRequest as error:
        raise error.about(str(path)) from error


def _rates(row: Mapping[str, Any]) -> Iterator[Rate]:
    unknown = [key for key in row if key not in {*Purchase, "name", "as_of", "source", "region", "rates"}]
    prices = {each: row[each] for each in Purchase if each in row}
    if unknown or not prices:
        msg = f"{row['name']} has {unknown or 'no price'}: write one or more of {', '.join(Purchase)}"
        raise InvalidRequest(msg)
    if not isinstance(row.get("as_of"), date) or not row.get("source"):
        msg = f"{row['name']} has no as_of date or no source: say of which day the price is, and where it is from"
        raise InvalidRequest(msg)
    where = {"as_of": row["as_of"], "source": str(row["source"]), "region": str(row.get("region") or "")}
    for purchase, price in prices.items():
        yield Rate(name=str(row["name"]), purchase=purchase, price=price, **where)
