"""What the measurements are taken on: real traces of a folder, and synthetic demand that needs nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from forecasting import Demand, ForecastingError
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from pathlib import Path

GRID: Final = timedelta(minutes=5)
LEAST: Final = timedelta(days=9)
"""A week to learn from and two days to be judged by."""


def invented(count: int = 12, *, days: float = 40) -> dict[str, Demand]:
    """Give demand with habits and accidents of many kinds."""
    return {
        f"synthetic-{seed:02}": synthetic_demand(
            days=days,
            weekend=(0.35, 0.7, 1.0)[seed % 3],
            daily=(0.3, 0.6, 0.8, 0.5)[seed % 4],
            growth=(0.0, 0.06, -0.03)[seed % 3],
            noise=(0.03, 0.08, 0.2)[seed // 2 % 3],
            spike=(None, 4.0)[seed % 2],
            cron=(None, None, None, 1.8)[seed % 4],
            gap=(None, timedelta(hours=9))[seed // 3 % 2],
            seed=seed,
        )
        for seed in range(count)
    }


def traces(folder: Path) -> dict[str, Demand]:
    """Read every CSV of a folder that is long enough; finer ones are averaged to five minutes."""
    found: dict[str, Demand] = {}
    for path in sorted(folder.rglob("*.csv")):
        try:
            demand = Demand.from_csv(path)
        except ForecastingError as error:
            print(f"left out: {path.name}: {error}")
            continue
        if demand.step < GRID and not GRID % demand.step:
            demand = demand.every(GRID)
        if len(demand) * demand.step >= LEAST and demand.step >= timedelta(minutes=1):
            found[path.stem] = demand.tail(timedelta(days=70))
    return found
