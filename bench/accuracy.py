"""How far off the engines are, against repeating last week and against Prophet as it comes out of the box."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.series import invented, traces
from forecasting import Demand, forecast
from forecasting.backtest import Asked, Score, origins, trials
from forecasting.forecaster import forecast_many
from forecasting.gaps import fill
from forecasting.loss import coverage, geometric_mean, wape
from forecasting.prepared import MEMORY
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from pathlib import Path

    from forecasting.values import Values

ENGINES: Final = ("ensemble", "ensemble_quick", "prophet_batched", "prophet", "seasonal_naive")
DEFAULT: Final = "Prophet default"
ORIGINS: Final = 12
ORIGINS_OF_HARM: Final = 15
HARMLESS: Final = 1.1
CLOSE: Final = 0.15
HORIZONS: Final = (timedelta(hours=24), timedelta(hours=48))


def measure(folder: Path | None) -> None:
    """Print a table for synthetic demand, one for the real traces, if there are any, and one of level steps."""
    groups = {"synthetic": invented()}
    if folder:
        groups["real traces"] = traces(folder)
    for title, demands in groups.items():
        for horizon in HORIZONS:
            _table(f"{title}, {len(demands)} series, {horizon / timedelta(hours=1):.0f} h ahead", demands, horizon)
    _level_step()


def _level_step() -> None:
    """Print p50 after demand rose fourfold and fell to two fifths three hours ago, as a share of what came."""
    print("\n| level step 3 h old | p50 to the truth 1 h ahead | 24 h | 48 h | within 15 % |")
    print("|---|---|---|---|---|")
    hour, days = 12, (26.3, 26.8, 27.6, 28.4)
    for factor in (4.0, 0.4):
        ratios = []
        for seed in range(12):
            changed = synthetic_demand(days=days[seed % 4], shift=(timedelta(hours=3), factor), seed=seed)
            truth = synthetic_demand(days=31, noise=0.0, seed=seed).values[len(changed) :] * factor
            middle = forecast(changed).at(0.5)
            ends = [hour * hours for hours in (1, 24, 48)]
            ratios.append([middle[end - hour : end].sum() / truth[end - hour : end].sum() for end in ends])
        found = np.array(ratios)
        at_hours = " | ".join(f"{ratio:.2f}" for ratio in found.mean(axis=0))
        print(f"| x {factor:g}, {len(found)} series | {at_hours} | {(abs(found - 1) < CLOSE).mean():.0%} |", flush=True)


def _table(title: str, demands: dict[str, Demand], horizon: timedelta) -> None:
    with ProcessPoolExecutor(2, initializer=_one_thread) as pool:
        scored = dict(zip(demands, pool.map(_score, demands.items(), [horizon] * len(demands)), strict=True))
        elsewhere = geometric_mean(list(pool.map(_a_day_earlier, demands.items(), [horizon] * len(demands))))
    print(f"\n{title}\n")
    print("| engine | WAPE | ratio to last week | ratio to Prophet default | series won against it | p90 coverage |")
    print("|---|---|---|---|---|---|")
    for engine in (*ENGINES, DEFAULT):
        rows = [scores[engine] for scores in scored.values()]
        default = [scores[DEFAULT] for scores in scored.values()]
        ratios = [row.wape / other.wape for row, other in zip(rows, default, strict=True)]
        numbers = (
            f"{np.mean([row.wape for row in rows]):.3f}",
            f"{geometric_mean([row.relative for row in rows]):.3f}",
            f"{geometric_mean(ratios):.3f}",
            f"{np.mean([ratio < 1 for ratio in ratios]):.0%}",
            f"{np.mean([row.coverage for row in rows]):.3f}",
        )
        print(f"| {engine} | {' | '.join(numbers)} |")
    lowest = min(scored, key=lambda name: scored[name]["ensemble"].coverage)
    harm = {name: _harm(demand, horizon) for name, demand in demands.items()}
    worst = max(harm, key=lambda name: harm[name])
    print(f"\nensemble from {ORIGINS_OF_HARM} origins, worst against the better of yesterday and last week: ", end="")
    print(f"{worst} {harm[worst]:.2f}, {sum(each > HARMLESS for each in harm.values())} above 1.10; ", end="")
    print(f"lowest p90 coverage: {lowest} {scored[lowest]['ensemble'].coverage:.2f}; ", end="")
    print(f"ratio to last week where every weekend is a day earlier: {elsewhere:.3f}", flush=True)


def _score(item: tuple[str, Demand], horizon: timedelta) -> dict[str, Score]:
    name, demand = item
    asked = Asked(engines=ENGINES, horizon=horizon, origins=ORIGINS)
    (scores,) = list(trials({name: demand}, asked))
    found = {score.engine: score for score in scores}
    base = found["seasonal_naive"].wape
    truth, middle, high = _prophet_default(demand, horizon)
    error = wape(truth, middle)
    found[DEFAULT] = Score(
        series=name,
        engine=DEFAULT,
        origins=ORIGINS,
        wape=error,
        relative=error / base,
        pinball=float("nan"),
        coverage=coverage(truth, high),
    )
    return found


def _a_day_earlier(item: tuple[str, Demand], horizon: timedelta) -> float:
    """Give the ensemble's error to last week's on the same numbers of a fleet that rests on Friday and Saturday."""
    name, demand = item
    moved = Demand(demand.start - timedelta(days=1), demand.step, demand.values)
    asked = Asked(engines=("ensemble", "seasonal_naive"), horizon=horizon, origins=ORIGINS)
    (scores,) = list(trials({name: moved}, asked))
    return next(score.relative for score in scores if score.engine == "ensemble")


def _harm(demand: Demand, horizon: timedelta) -> float:
    """Give the ensemble's error over that of the better naive repetition; more origins, for this one is soon luck."""
    ends = origins(demand, Asked(horizon=horizon, origins=ORIGINS_OF_HARM))
    histories = {str(end): demand.between(demand.start, demand.start + end * demand.step).tail(MEMORY) for end in ends}
    made = forecast_many(histories, horizon=horizon, engine="ensemble")
    day, ahead = timedelta(days=1) // demand.step, np.arange(horizon // demand.step)
    truth = np.concatenate([demand.values[end + ahead] for end in ends])
    naive: list[float] = []
    for season in (day, 7 * day):
        known = [fill(each.values[None], day)[0] for each in histories.values()]
        usable = [season if len(each) >= season else day for each in known]
        guess = [each[len(each) - back + ahead % back] for each, back in zip(known, usable, strict=True)]
        naive.append(wape(truth, np.concatenate(guess)))
    return wape(truth, np.concatenate([each.at(0.5)[: len(ahead)] for each in made.values()])) / min(naive)


def _prophet_default(demand: Demand, horizon: timedelta) -> tuple[Values, Values, Values]:
    """Prophet with no argument but the interval, on the same histories from the same origins."""
    import logging

    import pandas as pd
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True
    logging.getLogger("prophet").setLevel(logging.ERROR)
    ends = origins(demand, Asked(horizon=horizon, origins=ORIGINS))
    ahead = horizon // demand.step
    truth, middle, high = [], [], []
    for end in ends:
        history = demand.between(demand.start, demand.start + end * demand.step).tail(MEMORY)
        times = pd.to_datetime([when.replace(tzinfo=None) for when in history.times()])
        model = Prophet(interval_width=0.8).fit(pd.DataFrame({"ds": times, "y": history.values}))
        future = pd.date_range(times[-1] + demand.step, periods=ahead, freq=demand.step)
        made = model.predict(pd.DataFrame({"ds": future}))
        truth.append(demand.values[end : end + ahead])
        middle.append(made["yhat"].to_numpy().clip(min=0))
        high.append(made["yhat_upper"].to_numpy().clip(min=0))
    return np.concatenate(truth), np.concatenate(middle), np.concatenate(high)


def _one_thread() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
