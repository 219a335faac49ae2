"""What came of the forecasts already made: scored once their time has come, kept, and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from forecasting.accuracy import Accuracy, accuracy, adapted_quantile
from predictive_scaling.fleet_spec import HORIZON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecasting import Demand
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.storage import Storage

WORTH_SAYING: Final = 0.005


def score(fleet: FleetSpec, demand: Demand, storage: Storage) -> dict[str, Accuracy]:
    """Score every stored forecast whose time has come since the last look; give all scores, oldest first."""
    known = storage.accuracies(fleet)
    due = [name for name in storage.forecasts_before(fleet, demand.end - HORIZON) if name not in known]
    judged = {name: accuracy(storage.forecast(fleet, name), demand) for name in due}
    fresh = {name: found for name, found in judged.items() if found is not None}
    if fresh:
        storage.save_accuracies(fleet, known | fresh)
    return known | fresh


def track_record(scores: Mapping[str, Accuracy]) -> str:
    """Say in half a sentence how the last forecasts did; nothing when none has been scored."""
    if not scores:
        return ""
    last = list(scores.values())[-24:]
    off, held, bias = (float(np.mean([getattr(each, name) for each in last])) for name in ("wape", "coverage", "bias"))
    side = "too high" if bias > 0 else "too low"
    return (
        f"; its last {len(last)} scored forecasts were off by {off:.0%}, {abs(bias):.0%} {side} on balance, "
        f"and p90 held {held:.0%} of the time"
    )


def quantile_to_ask(target: float, scores: Mapping[str, Accuracy]) -> tuple[float, tuple[str, ...]]:
    """Give the quantile that makes `target` hold, by this fleet's record, with the reason when it differs."""
    level = round(adapted_quantile(target, [each.coverage for each in scores.values()]), 3)
    if abs(level - target) < WORTH_SAYING:
        return target, ()
    held = float(np.mean([each.coverage for each in scores.values()]))
    held_so_far = f"over {len(scores)} scored forecasts p90 held {held:.0%} of the time"
    note = f"asks p{level * 100:g} for p{target * 100:g}: {held_so_far}"
    return level, (note,)
