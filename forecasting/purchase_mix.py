"""Purchase mix: which capacity to keep always on, and which to buy by the hour, on spot or by the request.

The day is cut into parts of one load each. For every number of units always on, each part's rest is served as cheaply
as can be by on-demand and spot units and by serverless requests; the cheapest number wins. Spot and serverless may
fail all at once, so together they serve at most a share of any part's load: the risk limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from forecasting.errors import InvalidRequest

HOUR = timedelta(hours=1)
MOST_UNITS = 2000  # of one kind: beyond it, count in larger units


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a day with the load it brings."""

    start: timedelta  # since midnight
    hours: float
    load: float  # in the profile's unit, a rate such as requests a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Capacity that is bought in whole units by the hour."""

    name: str
    capacity: float  # the load one unit serves
    per_hour: float

    def __post_init__(self) -> None:
        """Refuse capacity that serves nothing, or has no price."""
        if not (0 < self.capacity < math.inf and 0 <= self.per_hour < math.inf):
            msg = f"{self.name} serves {self.capacity} at {self.per_hour} an hour: give a capacity above 0 and a price"
            raise InvalidRequest(msg)

    def count(self, load: float) -> int:
        """Count the units that serve a load."""
        return max(math.ceil(round(load / self.capacity, 9)), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Capacity that is bought by the request; for a load of 1 a minute, sixty an hour."""

    name: str
    per_request: float
    monthly_fees: tuple[tuple[str, float], ...] = ()  # what comes with its use, such as a gateway

    def per_hour(self, load: float) -> float:
        """Price an hour of a load."""
        return load * 60 * self.per_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What can be bought."""

    always_on: Units
    on_demand: Units | None = None
    spot: Units | None = None
    serverless: Requests | None = None
    risk_limit: float = 0.0  # the share of a load that spot and serverless may serve
    days: float = 30.0  # of a month

    def __post_init__(self) -> None:
        """Refuse a risk that is no share, and names that stand for two things."""
        if not (0 <= self.risk_limit <= 1 and self.days > 0):
            msg = f"risk_limit is {self.risk_limit}, days {self.days}: give a share of 0 to 1 and the days of a month"
            raise InvalidRequest(msg)
        names = [each.name for each in (self.always_on, self.on_demand, self.spot, self.serverless) if each]
        names += [name for name, _ in self.serverless.monthly_fees] if self.serverless else []
        for name in names:
            if names.count(name) > 1:
                msg = f"{name!r} names more than one of what is bought: costs are told by name, give each its own"
                raise InvalidRequest(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What serves one part of the day beyond the units that are always on, and what an hour of it costs."""

    part: Part
    on_demand: int = 0
    spot: int = 0
    serverless: float = 0.0  # the load it takes
    spot_load: float = 0.0
    per_hour: float = 0.0

    @property
    def risk(self) -> float:
        """The share of the load that may fail at once."""
        return (self.serverless + self.spot_load) / self.part.load if self.part.load else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """One way to serve the whole day, down to the money a month."""

    always_on: int
    served: tuple[Served, ...]
    offers: Offers

    @property
    def monthly(self) -> dict[str, float]:
        """What a month costs, by what is bought; what is not used is left out."""
        offers, hours = self.offers, self._hours
        costs = {offers.always_on.name: self.always_on * offers.always_on.per_hour * 24 * offers.days}
        for offer, units in ((offers.on_demand, "on_demand"), (offers.spot, "spot")):
            if offer:
                costs[offer.name] = offer.per_hour * hours(units)
        if offers.serverless and (load_hours := hours("serverless")):
            costs[offers.serverless.name] = offers.serverless.per_hour(load_hours)
            costs |= dict(offers.serverless.monthly_fees)
        return {name: cost for name, cost in costs.items() if cost}

    @property
    def cost(self) -> float:
        """What a month costs."""
        return sum(self.monthly.values())

    @property
    def risk(self) -> float:
        """The greatest share of any part's load that may fail at once."""
        return max(each.risk for each in self.served)

    def _hours(self, what: str) -> float:
        return self.offers.days * float(sum(getattr(each, what) * each.part.hours for each in self.served))

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        parts = [
            {
                "start_hour": each.part.start / HOUR,
                "load": each.part.load,
                "always_on": self.always_on,
                "on_demand": each.on_demand,
                "spot": each.spot,
                "serverless_load": round(each.serverless, 6),
                "risk": round(each.risk, 6),
            }
            for each in self.served
        ]
        monthly = {name: round(cost, 4) for name, cost in self.monthly.items()}
        return {"always_on": self.always_on, "monthly": monthly, "cost": round(self.cost, 4), "parts": parts}


def always_on(parts: tuple[Part, ...], offers: Offers) -> Mix:
    """Keep enough on, day and night, for the greatest load."""
    count = offers.always_on.count(max(part.load for part in parts))
    return Mix(always_on=count, served=tuple(Served(part=part) for part in parts), offers=offers)


def cheapest(parts: tuple[Part, ...], offers: Offers) -> Mix:
    """Find the mix that costs least within the risk limit; of equal ones, that with the most always on."""
    most = offers.always_on.count(max(part.load for part in parts))
    if most > MOST_UNITS:
        msg = f"{offers.always_on.name}: {most} units serve the peak, over {MOST_UNITS}: count in larger units"
        raise InvalidRequest(msg)
    # Requests come with monthly fees: to save them, none may be bought, though some part would be cheaper so.
    offered = [offers, *([replace(offers, serverless=None)] if offers.serverless else [])]
    mixes = (_mix(count, parts, each) for count in range(most, -1, -1) for each in offered)
    return min((mix for mix in mixes if mix), key=lambda mix: round(mix.cost, 6))


def _mix(count: int, parts: tuple[Part, ...], offers: Offers) -> Mix | None:
    base = count * offers.always_on.capacity
    served = [_served(part, max(part.load - base, 0.0), offers) for part in parts]
    found = [each for each in served if each]
    return Mix(always_on=count, served=tuple(found), offers=offers) if len(found) == len(parts) else None


def _served(part: Part, rest: float, offers: Offers) -> Served | None:
    """Serve what is left of one part's load as cheaply as can be; None where the risk limit forbids every way."""
    most = offers.spot.count(min(rest, offers.risk_limit * part.load)) if offers.spot else 0
    ways = (_way(part, rest, spots, offers) for spots in range(most + 1))
    found = [way for several in ways for way in several if way.risk <= offers.risk_limit + 1e-9]
    return min(found, key=lambda way: (round(way.per_hour, 9), way.risk), default=None)


def _way(part: Part, rest: float, spots: int, offers: Offers) -> list[Served]:
    """With so many on spot, on-demand units are worth it for all of the rest, for its whole units, or not at all."""
    spot_load = min(spots * offers.spot.capacity, rest, offers.risk_limit * part.load) if offers.spot else 0.0
    left = rest - spot_load
    whole = offers.on_demand.count(left) if offers.on_demand else 0
    allowed = max(offers.risk_limit * part.load - spot_load, 0.0)
    needed = offers.on_demand.count(left - allowed) if offers.on_demand else 0
    ways = []
    for count in {0, max(whole - 1, 0), needed, whole}:
        beyond = max(left - count * (offers.on_demand.capacity if offers.on_demand else 0.0), 0.0)
        if beyond > 1e-9 and offers.serverless is None:
            continue
        price = spots * (offers.spot.per_hour if offers.spot else 0.0)
        price += count * (offers.on_demand.per_hour if offers.on_demand else 0.0)
        price += offers.serverless.per_hour(beyond) if offers.serverless else 0.0
        ways.append(
            Served(part=part, on_demand=count, spot=spots, serverless=beyond, spot_load=spot_load, per_hour=price)
        )
    return ways
