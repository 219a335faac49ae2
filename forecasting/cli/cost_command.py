"""`costs`: what a daily load would cost in several ways of buying, computed from the prices in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecasting.cli import options, tables
from forecasting.cost_comparison import Way, as_json, compare_costs
from forecasting.cost_profile import CostProfile
from forecasting.price_book import PriceBook

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("costs", help="compare ways of buying the capacity for a daily load")
    parser.add_argument("profile", metavar="PROFILE.yaml", help="a day's load, capacities and unit prices")
    parser.add_argument("--prices", nargs="+", default=[], metavar="PRICES.yaml", help="price files for each `rate`")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Compare and show."""
    profile = CostProfile.from_yaml(given.profile, PriceBook.read(given.prices))
    with options.naming(given.profile):
        ways = compare_costs(profile)
    if given.plot:
        from forecasting.cli.cost_picture import draw_costs

        draw_costs(given.plot, profile, ways)
    if given.json:
        tables.write_json(as_json(profile, ways))
    else:
        _show(profile, ways)


def _show(profile: CostProfile, ways: tuple[Way, ...]) -> None:
    names = list(dict.fromkeys(name for way in ways for name in way.mix.monthly))
    header = ["way", *names, "a month", "beside the peak", "may fail at once"]
    rows = [
        [
            way.name,
            *(f"{way.mix.monthly.get(name, 0.0):,.2f}" for name in names),
            f"{way.mix.cost:,.2f}",
            f"{way.change:+.1%}",
            f"{way.mix.risk:.0%}",
        ]
        for way in ways
    ]
    tables.show(header, rows)
    tables.write(f"{profile.name}, in {profile.unit}; a month is {profile.offers.days:g} such days")
