"""What an instance costs an hour: by the fleet file, by AWS where the connection may ask, or by the price files.

Each answer says which. AWS is asked at most once a day for a type; the answers are kept in the storage.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from forecasting import ForecastingError
from forecasting.price_book import PriceBook, Purchase, Rate
from predictive_scaling.aws_client import reading
from predictive_scaling.cost_store import failed, is_failed, refuse_if_failed
from predictive_scaling.errors import CloudUnavailable, InvalidSetting
from predictive_scaling.region import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from predictive_scaling.cost_store import CostStore
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed

PRICING_REGION: Final = "us-east-1"
"""The Pricing API has few endpoints; this one knows the prices of every region."""
KEPT: Final = timedelta(days=1)
SPOT_HISTORY: Final = timedelta(days=90)
"""How far back AWS keeps spot prices: an older one is none."""
_MATCHING: Final = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A kind of instance, and how it is bought."""

    instance_type: str
    region: str
    purchase: Purchase = Purchase.ON_DEMAND

    def __str__(self) -> str:
        return f"{self.instance_type} {self.purchase} in {self.region or 'no named region'}"


class Prices(Protocol):
    """Knows prices."""

    def rate(self, bought: Bought, *, now: datetime) -> Rate | None:
        """Give the price of an hour with its date and source; None when it is not known here."""


class BookPrices:
    """Prices from every price file of a folder in the order of their names; no folder is an empty book."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is read when a price is looked up."""
        self._folder = folder

    @cached_property
    def _book(self) -> PriceBook:
        try:
            return PriceBook.read(sorted(self._folder.glob("*.yaml")))
        except ForecastingError as error:
            raise InvalidSetting(str(error)) from error

    def rate(self, bought: Bought, *, now: datetime) -> Rate | None:  # noqa: ARG002 - a book has its own dates
        """Look it up; raises InvalidSetting where a file cannot be used."""
        return self._book.rate(bought.instance_type, bought.purchase, bought.region)


class AwsPrices:
    """Prices from the Pricing API and the spot price history."""

    def __init__(self, reach: Callable[[str, str], Any], store: CostStore) -> None:
        """Take how to reach a service in a region, and where answers are kept."""
        self._reach = reach
        self._store = store

    def rate(self, bought: Bought, *, now: datetime) -> Rate | None:
        """Ask, unless the answer of today is at hand; where AWS does not answer, its last answer serves on.

        Raises CloudUnavailable where there was none.
        """
        name, key = f"prices/{bought.region}", f"{bought.instance_type}/{bought.purchase}"
        known = self._store.read(name)
        row = known.get(key, {})
        if "asked_at" in row and now - datetime.fromisoformat(row["asked_at"]) < KEPT:
            return _from_row(row["rate"])
        if not is_failed(row, now):
            row = self._answered(bought, row, now)
            self._store.write(name, {**known, key: row})
        if row.get("rate") is None:
            refuse_if_failed(row, now)
        return _from_row(row["rate"])

    def _answered(self, bought: Bought, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Give what is kept of a question: its answer, or beside the answer before why there was none."""
        try:
            return {"asked_at": now.isoformat(), "rate": _as_row(self._asked(bought, now))}
        except CloudUnavailable as error:
            return {**row, **failed(error, now)}

    def _asked(self, bought: Bought, now: datetime) -> Rate | None:
        match bought.purchase:
            case Purchase.ON_DEMAND:
                return self._listed(bought)
            case Purchase.SPOT:
                return self._spot(bought, now)
        return None

    def _listed(self, bought: Bought) -> Rate | None:
        wanted = {**_MATCHING, "instanceType": bought.instance_type, "regionCode": bought.region}
        filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
        with reading(f"asking the price of {bought}"):
            pricing = self._reach("pricing", PRICING_REGION)
            answer = pricing.get_products(ServiceCode="AmazonEC2", Filters=filters, MaxResults=10)
        rates = [rate for text in answer["PriceList"] for rate in on_demand_rates(json.loads(text), bought)]
        return rates[0] if rates else None

    def _spot(self, bought: Bought, now: datetime) -> Rate | None:
        with reading(f"asking the price of {bought}"):
            ec2 = self._reach("ec2", bought.region)
            answer = ec2.describe_spot_price_history(
                InstanceTypes=[bought.instance_type],
                ProductDescriptions=["Linux/UNIX", "Linux/UNIX (Amazon VPC)"],
                StartTime=now,
                MaxResults=100,
            )
        return spot_rate(answer["SpotPriceHistory"], bought, now)


def on_demand_rates(product: Mapping[str, Any], bought: Bought) -> list[Rate]:
    """Read the hourly prices of a product of the Pricing API."""
    found = []
    for term in product["terms"].get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            price = float(dimension["pricePerUnit"].get("USD", 0))
            if dimension["unit"] == "Hrs" and price > 0:
                found.append(_rate(bought, price, _day(term["effectiveDate"]), "AWS Pricing API"))
    return found


def spot_rate(rows: Sequence[Mapping[str, Any]], bought: Bought, now: datetime) -> Rate | None:
    """Give the mean over the zones of their newest spot prices; a price older than the history is none."""
    newest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: row["Timestamp"]):
        if now - row["Timestamp"] <= SPOT_HISTORY:
            newest[row["AvailabilityZone"]] = row
    if not newest:
        return None
    mean = sum(float(row["SpotPrice"]) for row in newest.values()) / len(newest)
    as_of = max(row["Timestamp"] for row in newest.values()).astimezone(UTC).date()
    return _rate(bought, mean, as_of, f"AWS spot price history, mean of {len(newest)} zones")


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What a unit of a fleet's capacity costs an hour, and who says so; no price where nobody knows one."""

    price: float | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Asks AWS first, then the price files."""

    aws: Callable[[FleetSpec], Prices] | None
    book: Prices

    def priced(self, spec: FleetSpec, observed: Observed, *, now: datetime) -> Priced:
        """Price a unit of a fleet: what its file says goes before all; of several types, their mix is priced."""
        if spec.policy.price_per_hour:
            price = spec.policy.price_per_hour / spec.policy.units
            return Priced(price=price, source=f"price_per_hour of the fleet file, ${spec.policy.price_per_hour:g}")
        running = [each for each in observed.instances if each.type]
        kinds = Counter(each.type for each in running) or Counter(observed.types[:1])
        if not kinds:
            return Priced(price=None, source="the group shows no instance type: write price_per_hour in the fleet file")
        region = spec.region or _region_of(observed)
        found = [(self._rate(spec, Bought(instance_type=kind, region=region), now), n) for kind, n in kinds.items()]
        unknown = [why for (rate, why), _ in found if rate is None]
        if unknown:
            return Priced(price=None, source="; ".join(unknown))
        total = sum(rate.price * count for (rate, _), count in found if rate)
        told = "; ".join(f"{rate}{why}" for (rate, why), _ in found)
        return Priced(price=total / (sum(each.weight for each in running) or spec.policy.units), source=told)

    def _rate(self, spec: FleetSpec, bought: Bought, now: datetime) -> tuple[Rate | None, str]:
        """Give the price, or why there is none; where AWS did not answer, say so beside the file's."""
        why = ""
        try:
            rate = self.aws(spec).rate(bought, now=now) if self.aws else None
        except CloudUnavailable as error:
            rate, why = None, f", for {error}"
        if rate is None:
            rate = self.book.rate(bought, now=now)
        return (rate, why) if rate else (None, f"no price of {bought} is known: write price_per_hour, or a rate{why}")


def _region_of(observed: Observed) -> str:
    """A zone begins with its region; that of a Local Zone or of Wavelength has a place after it."""
    found = re.match(REGION, observed.zones[0]) if observed.zones else None
    return found[0] if found else ""


def _rate(bought: Bought, price: float, as_of: date, source: str) -> Rate:
    return Rate(
        name=bought.instance_type,
        purchase=bought.purchase,
        price=price,
        as_of=as_of,
        source=source,
        region=bought.region,
    )


def _day(text: str) -> date:
    return datetime.fromisoformat(text).date()


def _as_row(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    names = ("name", "purchase", "price", "source", "region")
    return {**{name: getattr(rate, name) for name in names}, "as_of": rate.as_of.isoformat()}


def _from_row(row: dict[str, Any] | None) -> Rate | None:
    if row is None:
        return None
    return Rate(**{**row, "purchase": Purchase(row["purchase"]), "as_of": date.fromisoformat(row["as_of"])})
