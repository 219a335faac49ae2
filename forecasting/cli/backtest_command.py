"""`backtest`: how the engines would have done on files of demand."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from forecasting.backtest import BASELINE, Asked, Score, Summary, summaries, told_then, trials, unscored
from forecasting.cli import options, tables

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("backtest", help="score engines on the past of one or more files of demand")
    options.add_demand(parser, many=True)
    options.add_horizon(parser)
    tried = f"engines to try, besides {BASELINE} [auto]"
    parser.add_argument("--engine", type=options.engines, default=("auto",), metavar="auto,prophet", help=tried)
    options.add_country(parser)
    parser.add_argument("--origins", type=options.origins, default=5, metavar="5", help="moments to forecast from [5]")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Try the engines on every file and show the scores."""
    options.once(given.demand, "DEMAND.csv")
    timezone = given.timezone or "UTC"
    asked = Asked(
        engines=given.engine,
        horizon=given.horizon,
        origins=given.origins,
        timezone=timezone,
        country=given.country,
    )
    demands = {path: options.read_demand(path, timezone) for path in given.demand}
    watched = tables.progress(trials(demands, asked), total=len(demands), doing="backtest")
    scores = [score for series in watched for score in series]
    if given.plot:
        from forecasting.cli.picture import draw_backtest

        told = {name: told_then(demand, asked) for name, demand in demands.items()}
        draw_backtest(given.plot, demands, told, timezone)
    if given.json:
        tables.write_json(as_json(scores))
    else:
        _show(scores)


def as_json(scores: list[Score]) -> dict[str, Any]:
    """Give scores, summaries and what could not be scored as an object."""
    return {
        "scores": [asdict(score) for score in scores],
        "summary": [asdict(each) for each in summaries(scores)],
        "notes": unscored(scores),
    }


def _show(scores: list[Score]) -> None:
    header = ["series", "engine", "WAPE", "to last week's", "pinball p90", "coverage p90"]
    rows = [[score.series, score.engine, *_numbers(score)] for score in scores]
    rows += [[f"all {each.series}", each.engine, *_numbers(each)] for each in summaries(scores)]
    tables.show(header, rows, words=2)
    for note in unscored(scores):
        tables.write(note)


def _numbers(score: Score | Summary) -> list[str]:
    figures = ((score.wape, ".3f"), (score.relative, ".2f"), (score.pinball, ".4f"), (score.coverage, ".1%"))
    return [tables.figure(value, how) for value, how in figures]
