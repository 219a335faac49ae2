"""`replay`: what a policy would have cost, and left short, on a past demand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, past, policies, tables
from forecasting.cli.policies import Steering
from forecasting.comparison import outcomes
from forecasting.rehearsal import MODES

if TYPE_CHECKING:
    import argparse

    from forecasting.scorecard import Scorecard


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("replay", help="steer a policy through a past demand and score it")
    options.add_demand(parser)
    parser.add_argument("--policy", required=True, metavar="POLICY.yaml", help=policies.HELP)
    parser.add_argument(
        "--mode", choices=[*MODES, "all"], default="all", help="how to steer [all, one after the other]"
    )
    past.add_to(parser)
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Replay in one mode or in all, and show the scorecards."""
    steering, name = Steering.read(given.policy, given), Path(given.policy).stem
    demand = options.read_demand(given.demand, steering.foresight.timezone)
    modes = MODES if given.mode == "all" else (given.mode,)
    with options.naming(given.demand):
        rehearsal = past.rehearsal(given, demand, steering.foresight)
        found = outcomes(rehearsal, {name: steering.policy}, modes=modes, boot=given.boot)
    if given.plot:
        from forecasting.cli.picture import draw_comparison

        draw_comparison(given.plot, found, steering.foresight.timezone)
    cards = [each.card for each in found]
    if given.json:
        data = [card.as_mapping() for card in cards]
        one = data[0] if given.mode != "all" else {"scorecards": data}
        tables.write_json({**one, "from_file": steering.taken})
    else:
        _show(cards, steering.told(given.policy))


def _show(cards: list[Scorecard], taken: str) -> None:
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
    hours = f"{first.needed_hours:,.1f} hours were needed"
    tables.write(f"{first.since.isoformat()} to {first.until.isoformat()}; {hours}{taken}")
