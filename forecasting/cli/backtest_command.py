"""`backtest`: how the engines would have done on files of demand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from forecasting.backtest import BASELINE, Asked, Score, Summary, summaries, told_then, trials
from forecasting.cli import options, tables
from forecasting.models import model

if TYPE_CHECKING:
    import argparse


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("backtest", help="score engines on the past of one or more files of demand")
    options.add_demand(parser, many=True)
    parser.add_argument("--horizon", type=options.duration, default="48h", metavar="48h", help="how far to look [48h]")
    parser.add_argument("--engine", default="auto", metavar="auto,prophet", help=f"engines to try, besides {BASELINE}")
    parser.add_argument("--origins", type=int, default=5, metavar="5", help="moments to forecast from [5]")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Try the engines on every file and show the scores."""
    engines = tuple(name.strip() for name in given.engine.split(",") if name.strip())
    for engine in engines:
        model(engine)
    timezone = given.timezone or "UTC"
    asked = Asked(engines=engines, horizon=given.horizon, origins=given.origins, timezone=timezone)
    demands = {path: options.read_demand(path, timezone) for path in given.demand}
    watched = tables.progress(trials(demands, asked), total=len(demands), doing="backtest")
    scores = [score for series in watched for score in series]
    found = summaries(scores)
    if given.plot:
        from forecasting.cli.picture import draw_backtest

        told = {name: told_then(name, demand, asked) for name, demand in demands.items()}
        draw_backtest(given.plot, demands, told, timezone)
    if given.json:
        tables.write(json.dumps(as_json(scores, found)))
    else:
        _show(scores, found)


def as_json(scores: list[Score], found: tuple[Summary, ...]) -> dict[str, Any]:
    """Give scores and summaries as an object; what could not be computed is null."""
    data = {"scores": [asdict(score) for score in scores], "summary": [asdict(each) for each in found]}
    return {part: [{key: _plain(value) for key, value in row.items()} for row in rows] for part, rows in data.items()}


def _plain(value: object) -> object:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124  (JSON has no NaN)


def _show(scores: list[Score], found: tuple[Summary, ...]) -> None:
    header = ["series", "engine", "WAPE", "to last week's", "pinball p90", "coverage p90"]
    rows = [[score.series, score.engine, *_numbers(score)] for score in scores]
    rows += [[f"all {each.series}", each.engine, *_numbers(each)] for each in found]
    tables.show(header, rows, words=2)


def _numbers(score: Score | Summary) -> list[str]:
    return [f"{score.wape:.3f}", f"{score.relative:.2f}", f"{score.pinball:.4f}", f"{score.coverage:.1%}"]
