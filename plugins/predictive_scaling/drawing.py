"""A fleet's plan: drawn from the forecast, held to its budgets and to what was agreed, and under a person's word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from forecasting import draw_plan
from forecasting.approval import Matter, granted
from forecasting.envelope import Case
from forecasting.override import overridden, ruling
from forecasting.plan_changes import combined
from predictive_scaling.approving import Agreed, agreed, agreement, standing
from predictive_scaling.cost_gate import Claim
from predictive_scaling.overriding import bounding, usual_max
from predictive_scaling.permission import May

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from forecasting import Forecast, Plan, Policy
    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.cost_gate import Gated
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.permission import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a plan is drawn from: the fleet as it is, what it may, and what is expected."""

    spec: FleetSpec
    policy: Policy
    observed: Observed
    overrides: tuple[Override, ...]
    may: Permission
    forecasts: tuple[Forecast, ...]  # of each load


def planned_for(view: View, slots: int, around: Circumstances, now: datetime) -> Agreed:
    """Draw the plan; nobody is asked about one that would not be written."""
    spec, policy, observed, overrides = view.spec, view.policy, view.observed, view.overrides
    draw = partial(draw_plan, now=now, current=observed.min_size, slots=slots, timezone=spec.timezone)
    whole = combined(_plans(view, draw), slots)
    asking = around.hearing if view.may.may is May.PLAN else None
    questions = standing(spec, asking, now=now) if asking else around.approvals.standing(spec.name, now)
    let = granted(questions, now).get(Matter.SPEND, 0)
    claim = Claim(spec=spec, policy=policy, plan=whole, observed=observed, forecast=view.forecasts[0], granted=let)
    gated = around.cost_gate.capped(claim, by=around.by, now=now)
    found = agreed(gated.plan, spec, _case(view, gated, whole, around, now), questions, asking)
    plan = overridden(found.plan, bounding(overrides), usual_max=usual_max(overrides, policy))
    return replace(found, plan=plan, notes=(*gated.notes, *found.notes), verdicts=gated.verdicts)


def _case(view: View, gated: Gated, whole: Plan, around: Circumstances, now: datetime) -> Case:
    spec, policy = view.spec, view.policy
    return Case(
        now=now,
        least=policy.min_size,
        most=policy.ceiling,
        floor=None if ruling(bounding(view.overrides), now) else view.observed.min_size,
        first=agreement(spec).first and not around.approvals.ever_approved(spec.name),
        units=policy.units,
        price=policy.price_per_hour,
        over_budget=tuple(each.reason for each in gated.asks),
        whole=whole if gated.asks else None,
    )


def _plans(view: View, draw: Callable[[Forecast, Policy], Plan]) -> dict[str, Plan]:
    """Draw a plan for each load of the fleet, under the load's name."""
    plans: dict[str, Plan] = {}
    for load, forecast in zip(view.spec.loads, view.forecasts, strict=True):
        own = replace(view.policy, target_per_instance=load.policy.target_per_instance)
        name = load.metric.unit if load.metric.unit not in plans else f"{load.metric.unit} ({load.name})"
        plans[name] = draw(forecast, own)
    return plans
