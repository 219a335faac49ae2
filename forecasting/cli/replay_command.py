"""`replay`: what a policy would have cost, and left short, on a past demand."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, tables
from forecasting.errors import ForecastingError
from forecasting.policy import Policy
from forecasting.policy_file import read_mapping, timezone_of
from forecasting.rehearsal import MODES, Rehearsal
from forecasting.scorecard import Scorecard, scored

if TYPE_CHECKING:
    import argparse

_LAST = timedelta(days=2)


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("replay", help="steer a policy through a past demand and score it")
    options.add_demand(parser)
    parser.add_argument("--policy", required=True, metavar="POLICY.yaml", help="a policy file, or a fleet file")
    parser.add_argument(
        "--mode", choices=[*MODES, "all"], default="all", help="how to steer [all, one after the other]"
    )
    parser.add_argument("--engine", default="auto", help="the model, see forecasting.ENGINES [auto]")
    parser.add_argument("--since", type=options.instant, metavar="INSTANT", help="[two days before the end]")
    parser.add_argument("--until", type=options.instant, metavar="INSTANT", help="[the end of the demand]")
    parser.add_argument("--boot", type=options.duration, default="5m", metavar="5m", help="until an order serves [5m]")
    parser.add_argument("--refresh", type=options.duration, default="1h", metavar="1h", help="between forecasts [1h]")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Replay in one mode or in all, and show the scorecards."""
    policy = Policy.from_yaml(given.policy)
    timezone = given.timezone or timezone_of(read_mapping(given.policy))
    demand = options.read_demand(given.demand, timezone)
    try:
        rehearsal = Rehearsal(
            demand,
            since=given.since or demand.end - _LAST,
            until=given.until,
            engine=given.engine,
            refresh=given.refresh,
            timezone=timezone,
            watch=partial(tables.progress, doing="replay"),
        )
        modes = MODES if given.mode == "all" else (given.mode,)
        cards = [scored(rehearsal.steered(policy, mode, given.boot), policy) for mode in modes]
    except ForecastingError as error:
        raise options.naming(given.demand, error) from error
    if given.json:
        data = [_as_json(card) for card in cards]
        tables.write(json.dumps(data[0] if given.mode != "all" else {"scorecards": data}))
    else:
        _show(cards)


def _as_json(card: Scorecard) -> dict[str, Any]:
    return {**asdict(card), "since": card.since.isoformat(), "until": card.until.isoformat()}


def _show(cards: list[Scorecard]) -> None:
    header = [
        "mode",
        "time short",
        "worst",
        "theta U %",
        "theta O %",
        "idle hours paid",
        "instance-hours",
        "actions a day",
        "instability %",
        "cost",
    ]
    rows = [
        [
            card.mode,
            f"{card.under_time_share:.1%}",
            str(card.worst_shortage),
            f"{card.theta_u:.2f}",
            f"{card.theta_o:.1f}",
            f"{card.over_hours_share:.1%}",
            f"{card.instance_hours:,.1f}",
            f"{card.actions_per_day:.1f}",
            f"{card.instability:.0f}",
            f"{card.cost:,.2f}",
        ]
        for card in cards
    ]
    tables.show(header, rows)
    first = cards[0]
    tables.write(f"{first.since.isoformat()} to {first.until.isoformat()}; {first.needed_hours:,.1f} hours were needed")
