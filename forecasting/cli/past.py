"""The stretch of the past that `replay` and `what-if` steer through, asked for in the same words."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from forecasting.cli import options, tables
from forecasting.rehearsal import Rehearsal

if TYPE_CHECKING:
    import argparse

    from forecasting.demand import Demand
    from forecasting.foresight import Foresight

_LAST = timedelta(days=2)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Ask from when until when, and how fast capacity and forecasts come."""
    options.add_foresight(parser, "the policy file's, else ")
    parser.add_argument("--since", type=options.instant, metavar="INSTANT", help="[two days before the end]")
    parser.add_argument("--until", type=options.instant, metavar="INSTANT", help="[the end of the demand]")
    parser.add_argument("--boot", type=options.duration, default="5m", metavar="5m", help="until an order serves [5m]")
    parser.add_argument("--refresh", type=options.duration, default="1h", metavar="1h", help="between forecasts [1h]")


def rehearsal(given: argparse.Namespace, demand: Demand, foresight: Foresight) -> Rehearsal:
    """Cut the stretch out; of a short demand all that has anything before it."""
    return Rehearsal(
        demand,
        since=given.since or max(demand.end - _LAST, demand.start + demand.step),
        until=given.until,
        refresh=given.refresh,
        foresight=foresight,
        watch=partial(tables.progress, doing=given.command),
    )
