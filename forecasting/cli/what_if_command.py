"""`what-if`: several policies and ways of scaling on one past demand, in one table and one picture."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, tables
from forecasting.comparison import MODES, STATIC, Outcome, compare
from forecasting.errors import ForecastingError, InvalidRequest
from forecasting.policy import Policy
from forecasting.policy_file import read_mapping, timezone_of
from forecasting.rehearsal import MODES as STEERED

if TYPE_CHECKING:
    import argparse

_LAST = timedelta(days=2)


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("what-if", help="compare policies and ways of scaling on a past demand")
    options.add_demand(parser)
    parser.add_argument("--policy", required=True, nargs="+", metavar="POLICY.yaml", help="policy or fleet files")
    known = ", ".join((STATIC, *STEERED))
    parser.add_argument("--mode", nargs="+", default=MODES, choices=(STATIC, *STEERED), metavar="MODE", help=known)
    parser.add_argument("--engine", default="auto", help="the model, see forecasting.ENGINES [auto]")
    parser.add_argument("--since", type=options.instant, metavar="INSTANT", help="[two days before the end]")
    parser.add_argument("--until", type=options.instant, metavar="INSTANT", help="[the end of the demand]")
    parser.add_argument("--boot", type=options.duration, default="5m", metavar="5m", help="until an order serves [5m]")
    parser.add_argument("--refresh", type=options.duration, default="1h", metavar="1h", help="between forecasts [1h]")
    parser.add_argument("--price", type=float, metavar="0.1", help="of an instance-hour [that of each policy]")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Compare and show."""
    policies = _policies(given.policy, given.price)
    timezone = given.timezone or timezone_of(read_mapping(given.policy[0]))
    demand = options.read_demand(given.demand, timezone)
    try:
        found = compare(
            demand,
            policies,
            since=given.since or max(demand.end - _LAST, demand.start + demand.step),
            until=given.until,
            modes=given.mode,
            engine=given.engine,
            boot=given.boot,
            refresh=given.refresh,
            timezone=timezone,
            watch=partial(tables.progress, doing="what if"),
        )
    except ForecastingError as error:
        raise options.naming(given.demand, error) from error
    if given.plot:
        from forecasting.cli.picture import draw_comparison

        draw_comparison(given.plot, found, policies, timezone)
    if given.json:
        tables.write(json.dumps({"outcomes": [outcome.as_mapping() for outcome in found]}))
    else:
        _show(found)


def _policies(paths: list[str], price: float | None) -> dict[str, Policy]:
    """Read the policies, named by their files; two files of one name keep their whole paths."""
    stems = [Path(path).stem for path in paths]
    found: dict[str, Policy] = {}
    for path, stem in zip(paths, stems, strict=True):
        policy = Policy.from_yaml(path)
        name = stem if stems.count(stem) == 1 else path
        found[name] = policy if price is None else replace(policy, price_per_hour=price)
    if len(found) < len(paths):
        msg = f"--policy names {', '.join(sorted(set(paths)))} more than once: give every file once"
        raise InvalidRequest(msg)
    return found


def _show(found: tuple[Outcome, ...]) -> None:
    figures = ["time short", "worst", "idle hours paid", "actions a day", "hours a month", "cost a month"]
    rows = [
        [
            each.policy,
            each.card.mode,
            f"{each.card.under_time_share:.1%}",
            str(each.card.worst_shortage),
            f"{each.card.over_hours_share:.1%}",
            f"{each.card.actions_per_day:.1f}",
            f"{each.monthly_hours:,.0f}",
            f"{each.monthly_cost:,.2f}",
        ]
        for each in found
    ]
    tables.show(["policy", "mode", *figures], rows, words=2)
    card = found[0].card
    tables.write(f"{card.since.isoformat()} to {card.until.isoformat()}; a month is 30 days as these were")
