"""Demand, forecast, plan and accuracy of one fleet, as a chart and a table want them."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, Field

from forecasting import Plan
from forecasting.plan_changes import changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forecasting import Demand, Forecast, Step
    from forecasting.accuracy import Accuracy
    from predictive_scaling.size_seen import SizeSeen

DIGITS: Final = 5
"""No forecast is surer than this, and the answers are half the size."""
_STAMP: Final = "%Y%m%dT%H%MZ"


class HistoryView(BaseModel):
    """What was measured: a value a slot, null where nothing was."""

    start: datetime
    step_seconds: float
    unit: str
    values: list[float | None]


class ForecastView(BaseModel):
    """The newest forecast: quantiles over the slots to come."""

    forecast_id: str
    start: datetime
    step_seconds: float
    unit: str
    engine: str
    reason: str
    quantiles: dict[str, list[float]] = Field(description="by name: p50, p90, …")


class StepView(BaseModel):
    """From `at` on the floor is `capacity`, and why."""

    at: datetime
    capacity: int
    reason: str
    demand: float | None = None
    quantile: float | None = None
    unbounded: int | None = Field(None, description="the capacity before any bound")
    bound: str = Field("", description="the field of the policy that changed it, if one did")
    price_per_hour: float | None = Field(None, description="of the whole capacity")
    rejected: str = Field("", description="what else could have been done, and why it was not")


class ChangeView(BaseModel):
    """A stretch of time in which the plan differs from the one before it."""

    start: datetime
    end: datetime | None
    before: int
    after: int
    reason: str


class PlanView(BaseModel):
    """The plan that holds, and what is new in it."""

    plan_id: str
    steps: list[StepView]
    previous_plan_id: str | None
    changes: list[ChangeView]


class SizeView(BaseModel):
    """What one turn saw: instances desired and in service, and the floor of the plan that held."""

    at: datetime
    desired: int
    in_service: int
    planned: int


class CapacityView(BaseModel):
    """How large a fleet was at its turns, oldest first."""

    items: list[SizeView]


class ScoreView(BaseModel):
    """What came of one forecast."""

    forecast: str
    at: datetime | None = Field(description="when it was made")
    slots: int
    wape: float
    bias: float
    pinball: float
    coverage: float


class AccuracyView(BaseModel):
    """What came of the last forecasts, oldest first, and their means."""

    items: list[ScoreView]
    wape: float | None
    bias: float | None
    coverage: float | None


def history_view(demand: Demand, unit: str, *, until: datetime | None = None) -> HistoryView:
    """Show what was measured before an instant."""
    values = (
        demand.values if until is None else demand.values[: max(0, math.ceil((until - demand.start) / demand.step))]
    )
    numbers = [None if math.isnan(value) else _short(value) for value in values]
    return HistoryView(start=demand.start, step_seconds=demand.step.total_seconds(), unit=unit, values=numbers)


def forecast_view(forecast_id: str, forecast: Forecast, unit: str) -> ForecastView:
    """Show a forecast."""
    rows = zip(forecast.quantiles, forecast.values, strict=True)
    return ForecastView(
        forecast_id=forecast_id,
        start=forecast.start,
        step_seconds=forecast.step.total_seconds(),
        unit=unit,
        engine=forecast.engine,
        reason=forecast.reason,
        quantiles={f"p{level * 100:g}": [_short(value) for value in row] for level, row in rows},
    )


def plan_view(holds: Mapping[str, Any], before: Mapping[str, Any] | None) -> PlanView:
    """Show the plan that holds, and how it differs from the one before."""
    new = Plan.from_json(json.dumps(holds))
    old = Plan.from_json(json.dumps(before)) if before else None
    differences = changes(old, new) if old else ()
    return PlanView(
        plan_id=new.plan_id,
        steps=[step_view(step) for step in new.steps],
        previous_plan_id=old.plan_id if old else None,
        changes=[ChangeView.model_validate(each, from_attributes=True) for each in differences],
    )


def step_view(step: Step) -> StepView:
    """Show one step."""
    return StepView.model_validate(step, from_attributes=True)


def capacity_view(seen: Iterable[SizeSeen], *, since: datetime) -> CapacityView:
    """Show how large a fleet was from an instant on, and just before it."""
    known = list(seen)
    before = [each for each in known if each.at < since][-1:]
    shown = [*before, *(each for each in known if each.at >= since)]
    return CapacityView(items=[SizeView.model_validate(each, from_attributes=True) for each in shown])


def accuracy_view(scores: Mapping[str, Accuracy]) -> AccuracyView:
    """Show what came of the forecasts."""
    items = [ScoreView(forecast=name, at=_made_at(name), **score.as_mapping()) for name, score in scores.items()]  # type: ignore[arg-type]
    means = {name: _mean(getattr(item, name) for item in items[-24:]) for name in ("wape", "bias", "coverage")}
    return AccuracyView(items=items, **means)


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _made_at(name: str) -> datetime | None:
    try:
        return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
