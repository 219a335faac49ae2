"""The pictures of docs/forecasting.md: `python -m bench.pictures docs/images` draws them anew."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from forecasting import Demand, calibrate, forecast, refresh, tick
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from forecasting import Forecast

STEP: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
TWO_DAYS: Final = timedelta(days=2)
BLUE, GREY, RED = "#1f77b4", "#555555", "#d62728"


def main() -> None:
    """Draw all pictures into a folder."""
    folder = Path(sys.argv[1])
    for name, draw in (("fan", _fan), ("little-history", _little_history), ("tick", _tick)):
        figure = draw()
        figure.savefig(folder / f"forecasting-{name}.png", dpi=72)


def _figure(rows: int) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 1.2 + 2.1 * rows), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    return figure, list(axes)


def _drawn(axes: Any, truth: Demand, found: Forecast, title: str) -> None:
    past = truth.before(found.start).tail(timedelta(days=7))
    axes.plot(past.times(), past.values, color=GREY, linewidth=0.8, label="known")
    came = truth.between(found.start, found.end)
    axes.plot(came.times(), came.values, color=RED, linewidth=0.8, label="what came")
    axes.fill_between(found.times(), found.at(0.5), found.at(0.95), color=BLUE, alpha=0.25, label="p50 to p95")
    axes.plot(found.times(), found.at(0.5), color=BLUE, linewidth=1.2)
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=7)


def _fan() -> Any:
    """Two weekdays ahead, after four weeks."""
    truth = synthetic_demand(days=31, step=STEP, noise=0.08)
    found = forecast(truth.before(truth.end - TWO_DAYS))
    figure, (axes,) = _figure(1)
    _drawn(axes, truth, found, f"{found.engine}: {found.reason}")
    axes.legend(fontsize=7, loc="lower left")
    return figure


def _little_history() -> Any:
    """The same Friday midnight, the weekend ahead, after more and more history."""
    whole = synthetic_demand(days=35, step=HOUR, noise=0.05, weekend=0.5)
    now = whole.start + timedelta(days=33)
    figure, rows = _figure(4)
    for axes, days in zip(rows, (1.5, 5.0, 9.0, 28.0), strict=True):
        found = forecast(whole.between(now - timedelta(days=days), now))
        _drawn(
            axes, whole.between(now - timedelta(days=days), whole.end), found, f"{days:g} days: {found.reason}"[:130]
        )
        axes.set_xlim(now - timedelta(days=7), now + TWO_DAYS)
    return figure


def _tick() -> Any:
    """Demand rises by half at the time of the forecast; an hour later the fresh points are in."""
    whole = synthetic_demand(days=23, step=STEP)
    known = whole.before(whole.end - TWO_DAYS)
    values = whole.values.copy()
    values[len(known) :] *= 1.5
    truth = Demand(whole.start, STEP, values)
    made = calibrate({"fleet": known})
    stale = refresh({"fleet": known}, made)
    fresh = truth.between(known.end, known.end + HOUR)
    moved = tick(stale, {"fleet": fresh}, made)["fleet"]
    figure, rows = _figure(2)
    _drawn(rows[0], truth, stale["fleet"], "the stale forecast")
    _drawn(rows[1], truth, moved, "after a tick with four fresh points")
    for axes in rows:
        axes.set_xlim(known.end - TWO_DAYS / 2, known.end + 8 * HOUR)
        axes.set_ylim(0, 1.2 * float(np.nanmax(values[len(known) : len(known) + 32])))
    return figure


if __name__ == "__main__":
    main()
