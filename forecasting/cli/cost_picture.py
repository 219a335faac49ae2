"""The picture of a cost comparison: who serves which part of the day, and what each way costs a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecasting.cli.canvas import canvas, write
from forecasting.cost_comparison import MIXED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forecasting.cost_profile import CostProfile
    from forecasting.purchase_mix import Mix, Served

_COLOURS = ("#1f77b4", "#2ca02c", "#ff7f0e", "#d62728", "#9467bd", "#8c564b")


def draw_costs(path: str, profile: CostProfile, ways: Sequence[Any]) -> None:
    """Draw the day as the cheapest mix serves it, over the cost of every way."""
    figure, (day, money) = canvas(2)
    mixed = next(way for way in ways if way.name == MIXED)
    _draw_day(day, profile, mixed.mix)
    _draw_money(money, ways)
    write(figure, path, f"{profile.name}: {mixed}")


def _draw_day(axes: Any, profile: CostProfile, mix: Mix) -> None:
    offers = mix.offers
    layers = {offers.always_on.name: [_base(each, mix) for each in mix.served]}
    if offers.on_demand:
        layers[offers.on_demand.name] = [_hourly(each, mix) for each in mix.served]
    if offers.spot:
        layers[offers.spot.name] = [each.spot_load for each in mix.served]
    if offers.serverless:
        layers[offers.serverless.name] = [each.serverless for each in mix.served]
    edges = [each.part.start.total_seconds() / 3600 for each in mix.served] + [24.0]
    below = [0.0] * len(edges)
    for colour, (name, loads) in zip(_COLOURS, layers.items(), strict=False):
        above = [low + load for low, load in zip(below, [*loads, loads[-1]], strict=True)]
        axes.fill_between(edges, below, above, step="post", color=colour, alpha=0.6, label=name)
        below = above
    kept = mix.always_on * offers.always_on.capacity
    axes.axhline(kept, color="#555555", linestyle="--", linewidth=0.8, label=f"{mix.always_on} always on")
    axes.set_title(f"{profile.name}: who serves it", fontsize=9)
    axes.set_xlabel("hour of the day")
    axes.set_ylabel(profile.unit)
    axes.set_xlim(0, 24)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8)


def _base(served: Served, mix: Mix) -> float:
    return min(served.part.load, mix.always_on * mix.offers.always_on.capacity)


def _hourly(served: Served, mix: Mix) -> float:
    return max(served.part.load - _base(served, mix) - served.spot_load - served.serverless, 0.0)


def _draw_money(axes: Any, ways: Sequence[Any]) -> None:
    names = list(dict.fromkeys(name for way in ways for name in way.mix.monthly))
    rows = [way.name for way in reversed(ways)]
    left = [0.0] * len(rows)
    for at, name in enumerate(names):
        costs = [way.mix.monthly.get(name, 0.0) for way in reversed(ways)]
        axes.barh(rows, costs, left=left, color=_COLOURS[at % len(_COLOURS)], alpha=0.6, label=name)
        left = [before + cost for before, cost in zip(left, costs, strict=True)]
    for row, way in zip(rows, reversed(ways), strict=True):
        axes.text(way.mix.cost, row, f" ${way.mix.cost:,.0f} ({way.change:+.0%})", va="center", fontsize=8)
    axes.set_title("a month, in dollars", fontsize=9)
    axes.set_xlim(0, max(left) * 1.15 or 1)
    axes.grid(alpha=0.3, axis="x")
    axes.legend(loc="lower right", fontsize=8)
