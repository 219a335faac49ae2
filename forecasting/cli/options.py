"""What several commands ask for in the same words."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, TypeVar

from forecasting.demand import Demand
from forecasting.duration import parse_duration
from forecasting.errors import ForecastingError, InvalidDemand
from forecasting.instant import parse_instant

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from datetime import datetime, timedelta


Read = TypeVar("Read")


def add_demand(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """Ask for one file of demand, or for many, and how to read them."""
    columns = "columns timestamp,value; an empty value is missing"
    parser.add_argument("demand", metavar="DEMAND.csv", nargs="+" if many else None, help=columns)
    add_timezone(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")


def add_timezone(parser: argparse.ArgumentParser) -> None:
    """Ask for the time zone people live in."""
    parser.add_argument(
        "--timezone", metavar="ZONE", help="zone of naive timestamps and of people's days, e.g. Europe/Berlin [UTC]"
    )


def add_forecast(parser: argparse.ArgumentParser, *, horizon: str = "48h") -> None:
    """Ask how far to forecast and with what."""
    parser.add_argument("--horizon", type=duration, default=horizon, metavar="48h", help=f"how far to look [{horizon}]")
    parser.add_argument("--engine", default="auto", help="the model, see forecasting.ENGINES [auto]")


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Ask for a picture."""
    parser.add_argument("--plot", metavar="FILE.png|.html", help="also draw a picture")


def read_demand(path: str, timezone: str) -> Demand:
    """Read a file of demand, named in every error."""
    return Demand.from_csv(path, timezone=timezone)


def naming(path: str, error: ForecastingError) -> ForecastingError:
    """Name the file in an error that was raised beyond the reading of it."""
    kind = type(error) if isinstance(error, ForecastingError) else InvalidDemand
    return error if str(error).startswith(f"{path}: ") else kind(f"{path}: {error}")


def duration(text: str) -> timedelta:
    """Read a duration option."""
    return _option(text, parse_duration)


def instant(text: str) -> datetime:
    """Read an instant option."""
    return _option(text, lambda value: parse_instant(value, "instant"))


def quantiles(text: str) -> tuple[float, ...]:
    """Read quantiles separated by commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        msg = f"{text!r} is not a list of quantiles: write for example 0.5,0.9,0.95"
        raise ArgumentTypeError(msg) from error


def _option(text: str, read: Callable[[str], Read]) -> Read:
    try:
        return read(text)
    except ForecastingError as error:
        raise ArgumentTypeError(str(error)) from error
