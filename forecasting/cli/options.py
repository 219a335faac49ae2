"""What several commands ask for in the same words; what is refused here names the option."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections import Counter
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from forecasting.backtest import MOST_ORIGINS
from forecasting.demand import Demand
from forecasting.duration import parse_duration
from forecasting.errors import ForecastingError, InvalidRequest, shown
from forecasting.forecast import checked_quantiles
from forecasting.instant import parse_instant, zone
from forecasting.models import check_engine
from forecasting.occasions import check_country
from forecasting.request import check_horizon
from forecasting.values import MOST_INSTANCES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

Read = TypeVar("Read")


def add_demand(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """Ask for one file of demand, or for many, and how to read them."""
    columns = "columns timestamp,value; an empty value is missing"
    parser.add_argument("demand", metavar="DEMAND.csv", nargs="+" if many else None, help=columns)
    zones = "zone of naive timestamps and of people's days, e.g. Europe/Berlin [UTC]"
    parser.add_argument("--timezone", type=timezone, metavar="ZONE", help=zones)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")


def add_horizon(parser: argparse.ArgumentParser) -> None:
    """Ask how far to forecast."""
    parser.add_argument("--horizon", type=horizon, default="48h", metavar="48h", help="how far to look [48h]")


def add_foresight(parser: argparse.ArgumentParser, otherwise: str = "") -> None:
    """Ask for the engine and the holidays, which may also be said elsewhere."""
    engines = f"the model, see forecasting.ENGINES [{otherwise}auto]"
    parser.add_argument("--engine", type=engine, metavar="ENGINE", help=engines)
    add_country(parser, otherwise)


def add_country(parser: argparse.ArgumentParser, otherwise: str = "") -> None:
    """Ask for the holidays."""
    parser.add_argument(
        "--country", type=country, metavar="DE|US-CA", help=f"whose public holidays to know of [{otherwise}none]"
    )


def add_plot(parser: argparse.ArgumentParser) -> None:
    """Ask for a picture."""
    parser.add_argument("--plot", type=picture, metavar="FILE.png|.html", help="also draw a picture")


def read_demand(path: str, local: str) -> Demand:
    """Read a file of demand, named in every error."""
    return Demand.from_csv(path, timezone=local)


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Name the file in what is refused after it was read."""
    try:
        yield
    except ForecastingError as error:
        raise error.about(path) from error


def once(paths: Sequence[str], what: str) -> None:
    """Refuse a file that is given twice."""
    again = [path for path, count in Counter(paths).items() if count > 1]
    if again:
        msg = f"{what} names {', '.join(again)} more than once: give every file once"
        raise InvalidRequest(msg)


def _option(read: Callable[[str], Read]) -> Callable[[str], Read]:
    """Let argparse name the option in whatever is refused."""

    def reading(text: str) -> Read:
        try:
            return read(text)
        except ForecastingError as error:
            raise ArgumentTypeError(str(error)) from error

    return reading


def _quantiles(text: str) -> tuple[float, ...]:
    try:
        given = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        msg = f"{shown(text)} is not a list of quantiles: write for example 0.5,0.9,0.95"
        raise InvalidRequest(msg) from error
    return checked_quantiles(given, InvalidRequest)


def _engine(name: str) -> str:
    check_engine(name)
    return name


def _timezone(name: str) -> str:
    return zone(name).key


def _country(name: str) -> str:
    if name:  # An empty one says that no country's holidays count, whatever a file says.
        check_country(name)
    return name


def _whole(text: str, least: int, most: int) -> int:
    if not (re.fullmatch(r"\d{1,18}", text) and least <= int(text) <= most):
        msg = f"{shown(text)} is not a whole number of {least:,} to {most:,}"
        raise InvalidRequest(msg)
    return int(text)


def _picture(path: str) -> str:
    ending, folder = Path(path).suffix.lower(), Path(path).parent
    if ending not in {".png", ".html"}:
        msg = f"{shown(path)} ends in {ending!r}: name a .png or .html file"
        raise InvalidRequest(msg)
    if not folder.is_dir():
        msg = f"{shown(path)} cannot be written (no folder {str(folder)!r}): name a file in a folder that exists"
        raise InvalidRequest(msg)
    if find_spec("matplotlib") is None:
        msg = "a picture needs matplotlib: pip install 'airflow-predictive-scaling[plot]'"
        raise InvalidRequest(msg)
    return path


duration = _option(parse_duration)
horizon = _option(lambda text: check_horizon(parse_duration(text)))
instant = _option(lambda text: parse_instant(text, "instant"))
quantiles = _option(_quantiles)
engine = _option(_engine)
engines = _option(lambda text: tuple(_engine(name.strip()) for name in text.split(",")))
timezone = _option(_timezone)
country = _option(_country)
size = _option(lambda text: _whole(text, 0, MOST_INSTANCES))
origins = _option(lambda text: _whole(text, 1, MOST_ORIGINS))
picture = _option(_picture)
