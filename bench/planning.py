"""How long it takes to draw the plans of a thousand fleets, 48 hours ahead."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from forecasting import Policy, draw_plan, forecast_many
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from pathlib import Path

FLEETS = 1000
KINDS = 20


def measure(_traces: Path | None) -> None:
    """Print seconds, and what the plans are like."""
    some = {str(seed): synthetic_demand(days=28, seed=seed) for seed in range(KINDS)}
    forecasts = forecast_many(some, horizon=timedelta(hours=48), engine="ensemble_quick")
    kinds = list(forecasts.values())
    print("| what | seconds | steps a plan |")
    print("|---|---|---|")
    for name, least in (
        ("fleets of up to ten", 10),
        ("fleets of up to fifty", 50),
        ("fleets of up to a thousand", 1000),
    ):
        policies = [Policy(1, 2 * least, float(kind.at(0.9).max()) / least) for kind in kinds]
        began = time.perf_counter()
        plans = [
            draw_plan(kinds[fleet % KINDS], policies[fleet % KINDS], now=kinds[fleet % KINDS].start)
            for fleet in range(FLEETS)
        ]
        took = time.perf_counter() - began
        steps = sum(len(plan.steps) for plan in plans) / FLEETS
        print(f"| 48 h for {FLEETS:,} {name} | {took:.2f} | {steps:.0f} |", flush=True)
