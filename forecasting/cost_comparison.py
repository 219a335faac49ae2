"""Ways to buy the capacity for a day's load, side by side, down to the money a month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forecasting.purchase_mix import Mix, always_on, cheapest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forecasting.cost_profile import CostProfile

PEAK = "always on for the peak"
MIXED = "cheapest within the risk limit"
ANY_RISK = "cheapest at any risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to buy, beside keeping enough on for the peak."""

    name: str
    mix: Mix
    beside: float  # what the peak costs

    @property
    def change(self) -> float:
        """How the cost differs from the peak's, as a share of that; below 0 it is saved."""
        return round(self.mix.cost / self.beside - 1, 6) if self.beside else 0.0

    def __str__(self) -> str:
        """Show the sum: every item rounded to what it is, the total from the exact ones."""
        items = " + ".join(f"${cost:,.0f} {name}" for name, cost in self.mix.monthly.items())
        return f"{self.name}: {items or 'nothing'} = ${self.mix.cost:,.0f} a month ({self.change:+.0%})"


def compare_costs(profile: CostProfile) -> tuple[Way, ...]:
    """Price the ways: always on for the peak first, then the cheapest mix, and what it would be without the limit."""
    offers = profile.offers
    peak = always_on(profile.parts, offers)
    ways = {PEAK: peak, MIXED: cheapest(profile.parts, offers)}
    if offers.risk_limit < 1 and (offers.spot or offers.serverless):
        ways[ANY_RISK] = cheapest(profile.parts, replace(offers, risk_limit=1.0))
    return tuple(Way(name=name, mix=mix, beside=peak.cost) for name, mix in ways.items())


def as_json(profile: CostProfile, ways: tuple[Way, ...]) -> dict[str, Any]:
    """Give the comparison as JSON can hold it."""
    rows = [
        {"name": way.name, "change": round(way.change, 4), "risk": round(way.mix.risk, 4), **way.mix.as_json()}
        for way in ways
    ]
    offers = profile.offers
    return {
        "profile": profile.name,
        "unit": profile.unit,
        "days": offers.days,
        "daily_load": round(profile.daily_load, 4),
        "risk_limit": offers.risk_limit,
        "ways": rows,
    }


def lines(ways: tuple[Way, ...]) -> Iterator[str]:
    """Yield the lines a person reads in a task log."""
    for way in ways:
        yield f"{way}; at most {way.mix.risk:.0%} of the load may fail at once"
