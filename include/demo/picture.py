"""`python -m demo.picture FILE.png`: draw what the demo planned for one fleet, from the files it left behind.

The picture in the README is made this way, after `make demo-check`.
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from demo.local_airflow import ROOT
from forecasting import Plan, draw_plan
from predictive_scaling.fleet_file import read_fleet
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    from datetime import datetime

    from forecasting import Demand, Forecast
    from predictive_scaling.fleet_spec import FleetSpec

PAST: Final = timedelta(hours=30)
INK, GREY, BLUE, RED = "#1f2937", "#6b7280", "#2563eb", "#dc2626"


def main() -> int:
    """Draw one fleet of the demo."""
    parser = argparse.ArgumentParser(prog="demo.picture", description=__doc__)
    parser.add_argument("file", type=Path, help="PNG to write")
    parser.add_argument("--home", type=Path, default=ROOT / ".demo", help="the demo's folder")
    parser.add_argument("--fleet", default="web-shop")
    options = parser.parse_args()
    spec = read_fleet(ROOT / "include" / "fleets" / f"{options.fleet}.yaml")
    storage = Storage.at(f"file://{options.home.resolve()}/airflow/storage")
    _, forecast = storage.newest_forecast(spec)
    demand = storage.demand(spec, since=forecast.start - PAST)
    plan = draw_plan(forecast, spec.policy, now=forecast.start, timezone=spec.timezone)
    figure = draw(spec, demand, forecast, plan)
    figure.savefig(options.file, dpi=110)
    return 0


def draw(spec: FleetSpec, demand: Demand, forecast: Forecast, plan: Plan) -> Any:
    """Show the load, its forecast and the planned floor on one scale: what the floor can serve."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    axes: Any = figure.add_subplot()
    times = _local(forecast.times(), spec)
    for low, high, alpha in ((0.5, 0.75, 0.30), (0.75, 0.9, 0.18)):
        label = "forecast, p50 to p90" if low == 0.5 else None  # noqa: PLR2004 - the first band carries the name
        axes.fill_between(times, forecast.at(low), forecast.at(high), color=BLUE, alpha=alpha, lw=0, label=label)
    axes.plot(times, forecast.at(0.9), color=BLUE, lw=1.2, label="p90, which the plan serves")
    axes.plot(_local(demand.times(), spec), demand.values, color=GREY, lw=1.0, label="measured load")
    _draw_floor(axes, spec, forecast, plan)
    _dress(axes, spec, forecast)
    return figure


def _draw_floor(axes: Any, spec: FleetSpec, forecast: Forecast, plan: Plan) -> None:
    until = forecast.start + len(forecast) * forecast.step
    steps = [step for step in plan.steps if step.at < until]
    served = [step.capacity * spec.policy.target_per_instance for step in steps]
    starts = _local([*(step.at for step in steps), until], spec)
    axes.step(starts, [*served, served[-1]], where="post", color=RED, lw=1.8, label="planned floor (MinSize)")
    top = max(steps, key=lambda step: step.capacity)
    axes.annotate(
        f"{top.at.astimezone(_zone(spec)):%a %H:%M}  floor {top.capacity}\n" + "\n".join(top.reason.split("; ")[:2]),
        xy=(_local([top.at], spec)[0], top.capacity * spec.policy.target_per_instance),
        xytext=(-10, 16),
        textcoords="offset points",
        ha="center",
        va="bottom",
        arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.8},
        fontsize=8,
        color=INK,
        bbox={"boxstyle": "round,pad=0.4", "fc": "white", "ec": "#e5e7eb"},
    )


def _dress(axes: Any, spec: FleetSpec, forecast: Forecast) -> None:
    dates: Any = import_module("matplotlib.dates")
    target = spec.policy.target_per_instance
    (now,) = _local([forecast.start], spec)
    axes.axvline(now, color=INK, lw=0.8, ls=(0, (4, 3)))
    axes.text(now, 0.985, " now", transform=axes.get_xaxis_transform(), va="top", fontsize=9, color=INK)
    axes.set_title(f"{spec.name}: capacity in place before the load", loc="left", fontsize=11, color=INK)
    axes.set_ylabel(spec.metric.unit, color=GREY)
    axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * 1.1)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.margins(x=0)
    instances = axes.secondary_yaxis("right", functions=(lambda load: load / target, lambda count: count * target))
    instances.set_ylabel(f"instances, {target:g} each", color=GREY)
    instances.yaxis.set_major_locator(import_module("matplotlib.ticker").MultipleLocator(2))
    axes.xaxis.set_major_locator(dates.HourLocator(byhour=(0, 12)))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%a %H:%M"))
    axes.set_xlabel(f"time in {spec.timezone}", color=GREY)
    axes.grid(color="#e5e7eb", lw=0.7)
    axes.set_axisbelow(True)
    for side in (axes, instances):
        side.tick_params(colors=GREY, length=0, labelsize=9)
        for spine in side.spines.values():
            spine.set_visible(False)
    axes.figure.legend(loc="outside lower center", fontsize=9, frameon=False, ncols=4, labelcolor=INK)


def _zone(spec: FleetSpec) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(spec.timezone)


def _local(times: Any, spec: FleetSpec) -> list[datetime]:
    """Matplotlib shows naive times as they are."""
    return [when.astimezone(_zone(spec)).replace(tzinfo=None) for when in times]


if __name__ == "__main__":
    sys.exit(main())
