"""What the gate lets through, and what it costs a fleet whose load has no rhythm to be under it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.series import invented, traces
from forecasting import Demand, ForecastingError, Policy
from forecasting.evidence import DAY, Load, Past, forecast_past, gather
from forecasting.gate import Verdict, judge
from forecasting.synthetic import MONDAY

if TYPE_CHECKING:
    from pathlib import Path

    from forecasting.evidence import Evidence

BOOT: Final = timedelta(minutes=10)
FLEET: Final = 20
MAX_EXTRA_COST: Final = 0.25
SLOT: Final = timedelta(minutes=5)
DAYS: Final = 35


def measure(folder: Path | None) -> None:
    """Print, for each series, the verdict and what the gated fleet paid and lacked beside a reactive one."""
    groups = {"without rhythm": _without_rhythm(), "synthetic": dict(list(invented().items())[:6])}
    if folder:
        groups["real traces"] = traces(folder)
    for name, series in groups.items():
        print(f"### {name}\n\n| series | passes | cost beside reacting | short | reacting | because |")
        print("|---|---|---|---|---|---|")
        for label, demand in series.items():
            print(f"| {label} | {_row(demand)} |", flush=True)
        print()


def _row(demand: Demand) -> str:
    try:
        evidence = _evidence(demand)
    except ForecastingError as error:
        return f"no | +0 % | | | {error}"
    verdict = judge(evidence, max_extra_cost=MAX_EXTRA_COST)
    return f"{_cells(evidence, verdict)} | {verdict.reason}"


def _cells(evidence: Evidence, verdict: Verdict) -> str:
    alone = evidence.reactive.under_time_share
    if not verdict.passed:
        return f"no | +0 % | {alone:.1%} | {alone:.1%}"
    return f"yes | {evidence.extra_cost:+.0%} | {evidence.floor.under_time_share:.1%} | {alone:.1%}"


def _evidence(demand: Demand) -> Evidence:
    past: Past | ForecastingError = forecast_past({"it": demand})["it"]
    if isinstance(past, ForecastingError):
        raise past
    target = float(np.nanmean(demand.values)) / FLEET
    load = Load(name="it", demand=demand, target_per_instance=target, past=past)
    return gather([load], Policy(1, 10_000, target, BOOT), BOOT)


def _without_rhythm() -> dict[str, Demand]:
    """Give loads that no clock explains."""
    random, length = np.random.default_rng(7), DAYS * DAY // SLOT
    wander, fade = np.cumsum(random.normal(0, 0.02, length)), np.zeros(length)
    for slot in range(1, length):
        fade[slot] = 0.995 * fade[slot - 1] + random.normal(0, 0.05)
    bursts = np.ones(length)
    for opens in random.integers(0, length, 60):
        bursts[opens : opens + random.integers(6, 60)] *= random.uniform(2, 5)
    shapes = {
        "random walk": np.exp(wander - wander.mean()),
        "walk that returns": np.exp(fade),
        "noise": np.exp(random.normal(0, 0.3, length)),
        "bursts at any time": bursts,
        "never moves": np.ones(length),
    }
    return {name: Demand(MONDAY, SLOT, 1000 * shape) for name, shape in shapes.items()}
