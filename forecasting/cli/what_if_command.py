"""`what-if`: several policies and ways of scaling on one past demand, in one table and one picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, past, policies, tables
from forecasting.cli.policies import Steering
from forecasting.comparison import MODES, Outcome, outcomes
from forecasting.errors import InvalidRequest
from forecasting.rehearsal import MODES as STEERED
from forecasting.rehearsal import STATIC
from forecasting.variation import varied

if TYPE_CHECKING:
    import argparse

    from forecasting.demand import Demand


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("what-if", help="compare policies and ways of scaling on a past demand")
    options.add_demand(parser)
    parser.add_argument("--policy", required=True, nargs="+", metavar="POLICY.yaml", help=policies.HELP)
    known = ", ".join((STATIC, *STEERED))
    parser.add_argument("--mode", nargs="+", default=MODES, choices=(STATIC, *STEERED), metavar="MODE", help=known)
    past.add_to(parser)
    parser.add_argument("--price", type=float, metavar="0.1", help="of an instance-hour [that of each policy]")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Compare and show."""
    steerings = _steerings(given)
    timezone = _timezone(steerings)
    demand = options.read_demand(given.demand, timezone)
    with options.naming(given.demand):
        found = _compared(given, steerings, demand)
    if given.plot:
        from forecasting.cli.picture import draw_comparison

        draw_comparison(given.plot, found, timezone)
    if given.json:
        taken = {name: each.taken for name, each in steerings.items()}
        tables.write_json({"outcomes": [outcome.as_mapping() for outcome in found], "from_files": taken})
    else:
        _show(found, "".join(each.told(name) for name, each in steerings.items()))


def _steerings(given: argparse.Namespace) -> dict[str, Steering]:
    """Read the policies, named by their files; two files of one name keep their whole paths."""
    options.once(given.policy, "--policy")
    stems = [Path(path).stem for path in given.policy]
    return {
        stem if stems.count(stem) == 1 else path: _priced(Steering.read(path, given), path, given.price)
        for path, stem in zip(given.policy, stems, strict=True)
    }


def _priced(steering: Steering, path: str, price: float | None) -> Steering:
    if price is None:
        return steering
    with options.naming(f"{path} at --price {price:g}"):
        return replace(steering, policy=varied(steering.policy, {"price_per_hour": price}))


def _timezone(steerings: dict[str, Steering]) -> str:
    """Give the one time zone in which the demand is read."""
    zones = {each.foresight.timezone: name for name, each in steerings.items()}
    if len(zones) > 1:
        told = ", ".join(f"{name} {zone}" for zone, name in zones.items())
        msg = f"--policy names files of different time zones ({told}): choose one with --timezone"
        raise InvalidRequest(msg)
    return next(iter(zones))


def _compared(given: argparse.Namespace, steerings: dict[str, Steering], demand: Demand) -> tuple[Outcome, ...]:
    """Steer; files that agree on how to look ahead share their forecasts."""
    ways = dict.fromkeys(each.foresight for each in steerings.values())
    rehearsals = {foresight: past.rehearsal(given, demand, foresight) for foresight in ways}
    return tuple(
        outcome
        for name, each in steerings.items()
        for outcome in outcomes(rehearsals[each.foresight], {name: each.policy}, modes=given.mode, boot=given.boot)
    )


def _show(found: tuple[Outcome, ...], taken: str) -> None:
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
    tables.write(f"{card.since.isoformat()} to {card.until.isoformat()}; a month is 30 days as these were{taken}")
