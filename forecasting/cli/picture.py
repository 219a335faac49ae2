"""Pictures of forecasts, plans and their trials."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from forecasting.cli.canvas import canvas, write
from forecasting.instant import zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forecasting.comparison import Outcome
    from forecasting.demand import Demand
    from forecasting.forecast import Forecast
    from forecasting.plan import Plan
    from forecasting.policy import Policy

_PAST = timedelta(days=7)
_BEFORE = timedelta(days=2)
_BLUE = "#1f77b4"


def draw_forecast(path: str, demand: Demand, found: Forecast, timezone: str) -> None:
    """Draw the last week of demand and the forecast that follows it."""
    figure, axes = canvas()
    recent = demand.tail(_PAST)
    axes.plot(_local(recent.times(), timezone), recent.values, color="#555555", linewidth=0.8, label="demand")
    _bands(axes, found, timezone)
    axes.set_ylabel("demand")
    _save(figure, axes, path, f"{found.engine}: {found.reason}", timezone)


def draw_backtest(
    path: str, demands: Mapping[str, Demand], told: Mapping[str, Sequence[Forecast]], timezone: str
) -> None:
    """Draw, for every series, what was told at each origin over what then came."""
    figure, _ = canvas(len(demands))
    for axes, (name, demand) in zip(figure.axes, demands.items(), strict=True):
        shown = demand.tail(demand.end - told[name][0].start + _BEFORE)
        axes.plot(_local(shown.times(), timezone), shown.values, color="#555555", linewidth=0.8, label="demand")
        for index, found in enumerate(told[name]):
            _fan(axes, found, timezone, labelled=index == 0)
        axes.set_ylabel("demand")
        _dress(axes, f"{name}: {told[name][0].engine}, from {len(told[name])} origins", timezone)
    write(figure, path, f"backtest of {', '.join(demands)}")


def draw_plan_picture(path: str, found: Forecast, plan: Plan, policy: Policy, timezone: str) -> None:
    """Draw the capacity of a plan over the instances that the forecast asks for."""
    figure, axes = canvas()
    needed = found.at(policy.quantile) / policy.target_per_instance
    axes.fill_between(
        _local(found.times(), timezone),
        0,
        needed,
        alpha=0.3,
        color="#1f77b4",
        label=f"p{policy.quantile * 100:g} of demand in instances",
    )
    times = [*(step.at for step in plan.steps), max(found.end, plan.steps[-1].at)]
    capacity = [step.capacity for step in plan.steps]
    axes.step(_local(times, timezone), [*capacity, capacity[-1]], where="post", color="#d62728", label="plan")
    axes.set_ylabel("instances")
    _save(figure, axes, path, f"plan {plan.plan_id}: {len(plan.steps)} steps", timezone)


def draw_comparison(path: str, found: Sequence[Outcome], timezone: str) -> None:
    """Draw what the demand needed, what each way of scaling had serving, and shade where that fell short."""
    figure, axes = canvas()
    first = found[0].course
    times = _local([first.since + tick * first.tick for tick in range(len(first.ordered))], timezone)
    needed = first.needed.astype(float)
    needed[needed < 0] = float("nan")
    axes.fill_between(times, 0, needed, step="post", alpha=0.25, color="#555555", label="needed")
    for each in found:
        serving, own = each.course.serving, each.course.needed
        name = f"{each.policy} {each.card.mode}: short {each.card.under_time_share:.1%} of the time"
        (line,) = axes.step(times, serving, where="post", linewidth=1.0, label=name)
        axes.fill_between(times, serving, own, where=own > serving, step="post", alpha=0.6, color=line.get_color())
    axes.set_ylabel("instances")
    _save(figure, axes, path, f"{len(found)} ways to have scaled; shaded: instances that were missing", timezone)


def _bands(axes: Any, found: Forecast, timezone: str) -> None:
    times = _local(found.times(), timezone)
    for quantile, values in zip(found.quantiles, found.values, strict=True):
        axes.plot(times, values, linewidth=1.2, label=f"p{quantile * 100:g}")


def _fan(axes: Any, found: Forecast, timezone: str, *, labelled: bool) -> None:
    """Draw the median, and from it up to each higher quantile a band, the paler the rarer."""
    times, middle = _local(found.times(), timezone), found.at(0.5)
    for quantile in found.quantiles[1:]:
        label = f"p50 to p{quantile * 100:g}" if labelled else None
        axes.fill_between(times, middle, found.at(quantile), alpha=0.2, color=_BLUE, linewidth=0, label=label)
    axes.plot(times, middle, linewidth=1.2, color=_BLUE, label="p50" if labelled else None)


def _local(times: Any, timezone: str) -> list[Any]:
    local = zone(timezone)
    return [when.astimezone(local).replace(tzinfo=None) for when in times]


def _save(figure: Any, axes: Any, path: str, title: str, timezone: str) -> None:
    _dress(axes, title, timezone)
    write(figure, path, title)


def _dress(axes: Any, title: str, timezone: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(f"time in {timezone}")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8)
