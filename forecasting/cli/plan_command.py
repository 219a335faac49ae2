"""`plan`: the capacity steps that a policy draws from a forecast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, tables
from forecasting.errors import ForecastingError
from forecasting.forecaster import QUANTILES, forecast
from forecasting.instant import zone
from forecasting.planner import draw_plan
from forecasting.policy import Policy
from forecasting.policy_file import read_mapping, timezone_of

if TYPE_CHECKING:
    import argparse

    from forecasting.forecast import Forecast
    from forecasting.plan import Plan


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("plan", help="draw the capacity steps for a file of demand and a policy")
    options.add_demand(parser)
    parser.add_argument("--policy", required=True, metavar="POLICY.yaml", help="a policy file, or a fleet file")
    parser.add_argument("--now", type=options.instant, metavar="2026-01-05T00:00Z", help="[the end of the demand]")
    parser.add_argument("--current", type=int, metavar="N", help="the capacity the fleet has now")
    options.add_forecast(parser)
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Forecast from what was known at now, draw the plan and show it."""
    policy = Policy.from_yaml(given.policy)
    timezone = given.timezone or timezone_of(read_mapping(given.policy))
    demand = options.read_demand(given.demand, timezone)
    now = given.now or demand.end
    try:
        known = demand.before(now) if now < demand.end else demand
        made = forecast(
            known,
            horizon=given.horizon,
            quantiles=tuple(sorted({*QUANTILES, policy.quantile})),
            engine=given.engine,
            timezone=timezone,
        )
        plan = draw_plan(made, policy, now=now, current=given.current, timezone=timezone)
    except ForecastingError as error:
        raise options.naming(given.demand, error) from error
    if given.plot:
        from forecasting.cli.picture import draw_plan_picture

        draw_plan_picture(given.plot, made, plan, policy, timezone)
    if given.json:
        tables.write(json.dumps(as_json(plan, made)))
    else:
        _show(plan, made, timezone)


def as_json(plan: Plan, made: Forecast) -> dict[str, Any]:
    """Give the plan's own JSON as an object, with the forecast it rests on in words."""
    return {**json.loads(plan.to_json()), "engine": made.engine, "forecast_reason": made.reason}


def _show(plan: Plan, made: Forecast, timezone: str) -> None:
    local = zone(timezone)
    rows = [
        [step.at.astimezone(local).strftime("%a %d %b %H:%M %Z"), str(step.capacity), step.reason]
        for step in plan.steps
    ]
    tables.show(["from", "capacity", "why"], rows, words=3)
    tables.write(f"plan {plan.plan_id}, {len(plan.steps)} steps; {made.engine}: {made.reason}")
