"""From demand to forecast: share the series out, prepare them, ask a model, read the answer back."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from forecasting.demand import Demand
from forecasting.errors import InvalidRequest
from forecasting.models import model
from forecasting.prepared import grouped, panel, read_back
from forecasting.request import QUANTILES, WORKERS, Request
from forecasting.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecasting.event import Event
    from forecasting.forecast import Forecast
    from forecasting.prepared import Name


def forecast(  # noqa: PLR0913  (the contract; all but the demand have defaults)
    demand: Demand,
    *,
    horizon: timedelta = timedelta(hours=48),
    quantiles: tuple[float, ...] = QUANTILES,
    engine: str = "auto",
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    country: str | None = None,
) -> Forecast:
    """Forecast the slots that follow the demand."""
    asked = Request(
        horizon=horizon,
        quantiles=quantiles,
        engine=engine,
        timezone=timezone,
        events=tuple(events),
        country=country,
    )
    return _answer({None: demand}, asked)[None]


def forecast_many(  # noqa: PLR0913  (the contract; all but the demands have defaults)
    demands: Mapping[str, Demand],
    *,
    horizon: timedelta = timedelta(hours=48),
    quantiles: tuple[float, ...] = QUANTILES,
    engine: str = "auto",
    timezone: str = "UTC",
    events: Sequence[Event] = (),
    country: str | None = None,
    workers: int | None = None,
) -> dict[str, Forecast]:
    """Forecast many series as matrices; each forecast is the one its series would get alone."""
    asked = Request(
        horizon=horizon,
        quantiles=quantiles,
        engine=engine,
        timezone=timezone,
        events=tuple(events),
        country=country,
        workers=WORKERS if workers is None else workers,
    )
    return _answer(demands, asked)


def _answer(demands: Mapping[Name, Demand], asked: Request) -> dict[Name, Forecast]:
    made = side_by_side(partial(_forecasts, asked=asked), parts(demands, asked), asked.workers)
    found = {name: each for part in made for name, each in part.items()}
    return {name: found[name] for name in demands}


def _forecasts(demands: Mapping[Name, Demand], asked: Request) -> dict[Name, Forecast]:
    chosen = model(asked.engine)
    return {
        name: each
        for names, series in grouped(demands, asked)
        for name, each in read_back(names, series, chosen.predict(panel(series, asked)), asked)
    }


def parts(demands: Mapping[Name, Demand], asked: Request) -> list[dict[Name, Demand]]:
    """Cut the series into parts for the workers, no greater than suits the engine; those of one grid stay together."""
    for each in demands.values():
        if not isinstance(each, Demand):
            msg = f"the demand is a {type(each).__name__}: make it one, with Demand(...) or Demand.from_series(series)"
            raise InvalidRequest(msg)
    names = sorted(demands, key=lambda name: (demands[name].step, demands[name].start, len(demands[name])))
    count = -(-len(names) // model(asked.engine).batch)
    if count > 1:
        count = min(-(-count // asked.workers) * asked.workers, len(names))
    cuts = [len(names) * index // max(count, 1) for index in range(count + 1)]
    return [{name: demands[name] for name in names[first:last]} for first, last in pairwise(cuts)]
