"""How many instances stand idle, at equal shortage, under every way of scaling: the forecast's worth in capacity.

Every way gets one safety factor for all series of a group, tuned until the mean share of time with too few instances is
2 %; then the idle instance-hours are compared. One instance serves a twentieth of the mean demand; the lag is that
from a change of the demand to the instances that serve it: the metric's slot and the boot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from bench.series import GRID, invented, traces
from forecasting import Policy, Scorecard
from forecasting.rehearsal import MODES, Mode, Rehearsal
from forecasting.scorecard import bare_need, scored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forecasting import Demand

LAGS: Final = (timedelta(minutes=10), timedelta(minutes=30))
SHORT: Final = 0.02
FLEET: Final = 20
JUDGED: Final = timedelta(days=5)
LEARNT: Final = timedelta(days=7)
REFRESH: Final = timedelta(hours=6)
TRIALS: Final = 12
BASELINE: Final = "reactive"
LEAN: Final = "steered, p75"
OURS: Final = ("hybrid", "steered", LEAN)
SHOWN: Final = (*(mode for mode in MODES if mode != "predictive"), LEAN)
"""Every mode, and ours once more with a plan that is less sure than what is foreseen of the next minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A series made ready: the rehearsal, and what one of twenty instances serves."""

    rehearsal: Rehearsal
    target: float

    def score(self, way: str, lag: timedelta, safety: float) -> Scorecard:
        """Steer as if one instance served less by the safety factor, and judge by what it does serve."""
        boot = lag - GRID
        policy = Policy(1, 10_000, self.target, boot)
        careful = replace(policy, target_per_instance=self.target / safety)
        if way == LEAN:
            way, careful = "steered", replace(careful, quantile=0.75, near_quantile=0.9)
        course = self.rehearsal.steered(careful, cast("Mode", way), boot)
        return scored(replace(course, needed=bare_need(self.rehearsal.values, policy)), policy)


def measure(folder: Path | None) -> None:
    """Print, for each group of series and each lag, a table of all modes and one of all series."""
    made = invented()
    # Every fourth has a job by the clock that no reaction can be in time for: counted apart, or it would flatter.
    regular = {name: demand for number, (name, demand) in enumerate(made.items()) if number % 4 != 3}  # noqa: PLR2004
    groups = {"smooth (synthetic)": regular, "synthetic with hourly jobs": {n: made[n] for n in made.keys() - regular}}
    if folder:
        real = traces(folder)
        groups["real"] = {name: demand for name, demand in real.items() if demand.step == GRID}
        groups["real, hourly slots"] = {name: demand for name, demand in real.items() if demand.step > GRID}
    for title, demands in groups.items():
        stages = {name: _stage(demand) for name, demand in demands.items()}
        for lag in LAGS:
            _tables(f"{title}, {len(stages)} series, lag {lag // timedelta(minutes=1)} min", stages, lag)


def _stage(demand: Demand) -> Stage:
    length = len(demand) * demand.step
    judged = max(min(JUDGED, length - LEARNT), timedelta(days=2))
    rehearsal = Rehearsal(demand, since=demand.end - judged, refresh=REFRESH)
    return Stage(rehearsal=rehearsal, target=float(np.nanmean(demand.values)) / FLEET)


def _tables(title: str, stages: Mapping[str, Stage], lag: timedelta) -> None:
    found = {way: _tuned(stages, way, lag) for way in SHOWN}
    base = _idle(found[BASELINE][1])
    print(f"\n{title}\n")
    print("| way | safety | idle, % of the hours needed | to reactive | time short | theta U % | actions a day |")
    print("|---|---|---|---|---|---|---|")
    for way, (safety, cards) in found.items():
        rows = list(cards.values())
        theta, actions = np.mean([(card.theta_u, card.actions_per_day) for card in rows], axis=0)
        idle = f"{_idle(cards):.1%} | {_idle(cards) / base:.2f}"
        print(f"| {way} | {safety:.2f} | {idle} | {_short(cards):.1%} | {theta:.2f} | {actions:.0f} |")
    print("\n| series | " + " | ".join(SHOWN) + " |")
    print("|---" * (1 + len(SHOWN)) + "|")
    for name in stages:
        cells = (found[way][1][name] for way in SHOWN)
        print(f"| {name} | " + " | ".join(f"{c.over_hours_share:.0%} ({c.under_time_share:.1%})" for c in cells) + " |")
    best = min((way for way in SHOWN if way not in OURS), key=lambda way: _idle(found[way][1]))
    for way in OURS:
        ratio = _idle(found[way][1]) / _idle(found[best][1])
        print(f"\n{way} beside the best of the others, {best}: {ratio:.2f}", flush=True)


def _tuned(stages: Mapping[str, Stage], way: str, lag: timedelta) -> tuple[float, dict[str, Scorecard]]:
    """Halve the interval, on a scale of ratios, until the mean time short is just within the goal."""
    low, high = 0.4, 8.0
    best = {name: stage.score(way, lag, high) for name, stage in stages.items()}
    for _ in range(TRIALS):
        middle = (low * high) ** 0.5
        cards = {name: stage.score(way, lag, middle) for name, stage in stages.items()}
        if _short(cards) > SHORT:
            low = middle
        else:
            high, best = middle, cards
    return high, best


def _idle(cards: Mapping[str, Scorecard]) -> float:
    return float(np.mean([card.over_hours_share for card in cards.values()]))


def _short(cards: Mapping[str, Scorecard]) -> float:
    return float(np.mean([card.under_time_share for card in cards.values()]))
