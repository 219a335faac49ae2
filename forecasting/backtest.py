"""Backtest: what the engines would have said, at several moments of the past, of what then came."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from forecasting.duration import format_duration
from forecasting.errors import ForecastingError, InvalidRequest, NotEnoughHistory
from forecasting.forecaster import forecast_many
from forecasting.loss import coverage, geometric_mean, pinball, wape
from forecasting.prepared import MEMORY
from forecasting.request import QUANTILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forecasting.demand import Demand
    from forecasting.event import Event
    from forecasting.forecast import Forecast
    from forecasting.values import Values

BASELINE = "seasonal_naive"
HIGH = 0.9
MOST_ORIGINS = 1_000
# The first origin leaves this share of the series, and at least this time, to learn from.
LEARNT = 0.6
LEAST_LEARNT = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one engine did on one series, over all origins."""

    series: str
    engine: str
    origins: int
    wape: float
    relative: float  # WAPE over the seasonal naive's: below 1 is better than repeating last week
    pinball: float  # of p90
    coverage: float  # of p90


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How one engine did over all series."""

    engine: str
    series: int
    wape: float
    relative: float
    pinball: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to try: engines, how far ahead, from how many origins."""

    engines: tuple[str, ...] = ("auto",)
    horizon: timedelta = timedelta(hours=48)
    origins: int = 5
    timezone: str = "UTC"
    events: Sequence[Event] = ()
    country: str | None = None

    def __post_init__(self) -> None:
        """Refuse a trial of nothing."""
        if not 1 <= self.origins <= MOST_ORIGINS:
            msg = f"origins is {self.origins}: forecast from 1 to {MOST_ORIGINS:,} moments"
            raise InvalidRequest(msg)
        if not self.engines:
            msg = "no engine is named: try at least one"
            raise InvalidRequest(msg)


def backtest(demands: Mapping[str, Demand], asked: Asked | None = None) -> tuple[Score, ...]:
    """Forecast every series from rolling origins with every engine and score what came."""
    return tuple(score for series in trials(demands, asked or Asked()) for score in series)


def trials(demands: Mapping[str, Demand], asked: Asked) -> Iterator[tuple[Score, ...]]:
    """Backtest one series after the other, for those who wait and watch."""
    for name, demand in demands.items():
        try:
            scores = _scores(name, demand, asked)
        except ForecastingError as error:
            raise error.about(name) from error
        yield scores


def told_then(demand: Demand, asked: Asked) -> tuple[Forecast, ...]:
    """Give what the first engine asked for would have said from every origin."""
    histories = _histories(demand, origins(demand, asked), asked)
    return tuple(_made(histories, asked.engines[0], asked).values())


def summaries(scores: Iterable[Score]) -> tuple[Summary, ...]:
    """Average over series: ratios geometrically, all else plainly."""
    by_engine: dict[str, list[Score]] = {}
    for score in scores:
        by_engine.setdefault(score.engine, []).append(score)
    return tuple(
        Summary(
            engine=engine,
            series=len(group),
            wape=_mean([score.wape for score in group]),
            relative=geometric_mean([score.relative for score in group]),
            pinball=_mean([score.pinball for score in group]),
            coverage=_mean([score.coverage for score in group]),
        )
        for engine, group in by_engine.items()
    )


def unscored(scores: Iterable[Score]) -> list[str]:
    """Say of every series why some of its figures could not be computed."""
    return [f"{score.series}: {why}" for score in scores if score.engine == BASELINE and (why := _why_unscored(score))]


def _why_unscored(score: Score) -> str:
    if math.isnan(score.coverage):
        return "nothing was measured after the moments forecast from, so there is nothing to compare with"
    if math.isnan(score.wape):
        return "all that came after the moments forecast from is 0, and no error can be a share of that"
    return "repeating last week makes no error, so no ratio to it exists" if math.isnan(score.relative) else ""


def _scores(name: str, demand: Demand, asked: Asked) -> tuple[Score, ...]:
    ends = origins(demand, asked)
    histories = _histories(demand, ends, asked)
    engines = dict.fromkeys([*asked.engines, BASELINE])
    found = {engine: _tried(histories, ends, demand, engine, asked) for engine in engines}
    base = wape(*found[BASELINE][:2])
    return tuple(
        Score(
            series=name,
            engine=engine,
            origins=len(ends),
            wape=wape(truth, middle),
            relative=wape(truth, middle) / base if base else float("nan"),
            pinball=pinball(truth, high, HIGH),
            coverage=coverage(truth, high),
        )
        for engine, (truth, middle, high) in found.items()
    )


def _histories(demand: Demand, ends: list[int], asked: Asked) -> dict[str, Demand]:
    """Give what was known at each origin: one by one the same, but together the engines can share matrices."""
    known = {_then(demand, end): demand.before(demand.start + end * demand.step) for end in ends}
    # Only what an event or a holiday did may lie farther back than an engine looks.
    return known if asked.events or asked.country else {then: each.tail(MEMORY) for then, each in known.items()}


def _then(demand: Demand, end: int) -> str:
    return f"as of {(demand.start + end * demand.step).isoformat()}"


def _made(histories: dict[str, Demand], engine: str, asked: Asked) -> dict[str, Forecast]:
    return forecast_many(
        histories,
        horizon=asked.horizon,
        engine=engine,
        timezone=asked.timezone,
        events=asked.events,
        country=asked.country,
        quantiles=QUANTILES,
    )


def _tried(
    histories: dict[str, Demand], ends: list[int], demand: Demand, engine: str, asked: Asked
) -> tuple[Values, Values, Values]:
    """Give the truth, p50 and p90 of all origins, one after the other."""
    made = _made(histories, engine, asked)
    told = [made[_then(demand, end)] for end in ends]
    truth = [demand.values[end : end + len(each)] for end, each in zip(ends, told, strict=True)]
    middle, high = [each.at(0.5) for each in told], [each.at(HIGH) for each in told]
    return np.concatenate(truth), np.concatenate(middle), np.concatenate(high)


def origins(demand: Demand, asked: Asked) -> list[int]:
    """Spread the origins over the last part of the series, a whole horizon before its end at the latest."""
    last = len(demand) - -(-asked.horizon // demand.step)
    first = max(int(LEARNT * len(demand)), LEAST_LEARNT // demand.step)
    if last < LEAST_LEARNT // demand.step:
        need = LEAST_LEARNT + asked.horizon
        length = format_duration(len(demand) * demand.step)
        msg = f"{length} of demand cannot be tried: {format_duration(need)} are needed, or a shorter horizon"
        raise NotEnoughHistory(msg)
    return sorted({int(end) for end in np.linspace(min(first, last), last, asked.origins)})


def _mean(values: list[float]) -> float:
    known = [value for value in values if value == value]  # noqa: PLR0124  (leave out NaN)
    return float(np.mean(known)) if known else float("nan")
