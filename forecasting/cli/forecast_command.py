"""`forecast`: the demand to come, as a table, JSON or picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, tables
from forecasting.forecaster import forecast
from forecasting.instant import clock_time, zone
from forecasting.request import QUANTILES

if TYPE_CHECKING:
    import argparse

    from forecasting.forecast import Forecast

_ROWS = 48


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("forecast", help="forecast the slots that follow a file of demand")
    options.add_demand(parser)
    options.add_horizon(parser)
    options.add_foresight(parser)
    parser.add_argument("--quantiles", type=options.quantiles, default=QUANTILES, metavar="0.5,0.9,0.95")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Forecast and show."""
    timezone = given.timezone or "UTC"
    demand = options.read_demand(given.demand, timezone)
    with options.naming(given.demand):
        found = forecast(
            demand,
            horizon=given.horizon,
            quantiles=given.quantiles,
            engine=given.engine or "auto",
            timezone=timezone,
            country=given.country,
        )
    if given.plot:
        from forecasting.cli.picture import draw_forecast

        draw_forecast(given.plot, demand, found, timezone)
    if given.json:
        tables.write_json(as_json(found))
    else:
        _show(found, timezone)


def as_json(found: Forecast) -> dict[str, Any]:
    """Give the forecast's own JSON as an object, with its end."""
    return {**json.loads(found.to_json()), "end": found.end.isoformat()}


def _show(found: Forecast, timezone: str) -> None:
    every = max(1, -(-len(found) // _ROWS))
    local = zone(timezone)
    rows = [
        [clock_time(found.start + slot * found.step, local), *(f"{value:,.4g}" for value in found.values[:, slot])]
        for slot in range(0, len(found), every)
    ]
    tables.show(["time", *(f"p{each * 100:g}" for each in found.quantiles)], rows)
    more = f"; one slot in {every} of {len(found)} is shown" if every > 1 else ""
    tables.write(f"{found.engine}: {found.reason}{more}")
