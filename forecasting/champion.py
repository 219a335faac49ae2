"""Champion: the engine that serves a series until another has beaten it clearly and often enough.

Backtests of one series are few and noisy; without hysteresis the engine, and with it the plan, would change by luck.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forecasting.backtest import Score

FIRST: Final = "ensemble"
CLEARLY: Final = 0.03
OFTEN: Final = 3
KEPT: Final = 10


def champion(history_of_scores: Sequence[Mapping[str, float]], current: str = FIRST) -> tuple[str, str]:
    """Give the engine to serve from now on and why, by the errors (engine: WAPE) of backtests, oldest first.

    A challenger takes over when it was better by more than 3 % in each of the last three backtests.
    """
    latest = history_of_scores[-OFTEN:]
    if len(latest) < OFTEN:
        return current, f"{current} stays: {len(latest)} of the {OFTEN} backtests that could change it were made"
    gains = {engine: _least_gain(latest, engine, current) for engine in latest[-1] if engine != current}
    best = max(gains, key=lambda engine: (gains[engine], engine), default=current)
    if gains.get(best, -math.inf) > CLEARLY:
        return (
            best,
            f"{best} takes over from {current}: better by at least {gains[best]:.0%} in {OFTEN} backtests running",
        )
    return current, f"{current} stays: no other engine was better by more than {CLEARLY:.0%} {OFTEN} times running"


def scores_of(series: str, scores: Iterable[Score]) -> dict[str, float]:
    """Give one entry for the history of a series from a backtest: plain numbers, ready for JSON."""
    found = {score.engine: score.wape for score in scores if score.series == series}
    return {engine: error for engine, error in found.items() if math.isfinite(error)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The engine that serves a fleet, why, and the errors of each engine in the backtests so far, oldest first."""

    engine: str = FIRST
    reason: str = "no backtest has been made yet"
    scores: tuple[Mapping[str, float], ...] = ()

    def after(self, scores: Mapping[str, float]) -> Self:
        """Count one more backtest; who takes over begins with a clean sheet."""
        history = (*self.scores, scores)[-KEPT:]
        engine, reason = champion(history, self.engine)
        return replace(self, engine=engine, reason=reason, scores=history if engine == self.engine else ())

    def as_mapping(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return {"engine": self.engine, "reason": self.reason, "scores": [dict(each) for each in self.scores]}

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_mapping` gave."""
        return cls(engine=row["engine"], reason=row["reason"], scores=tuple(row["scores"]))


def _least_gain(latest: Sequence[Mapping[str, float]], engine: str, current: str) -> float:
    """Tell by how much an engine beat the current one at the least; one that was not tried beat nobody."""
    pairs = [(scores.get(engine, math.inf), scores.get(current, math.inf)) for scores in latest]
    return min((1 - error / other if 0 < other < math.inf else -math.inf) for error, other in pairs)
