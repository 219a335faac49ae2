"""`plan`: the capacity steps that a policy draws from a forecast."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forecasting.cli import options, policies, tables
from forecasting.cli.policies import Steering
from forecasting.errors import InvalidRequest
from forecasting.forecaster import forecast
from forecasting.instant import zone
from forecasting.planner import draw_plan
from forecasting.request import QUANTILES

if TYPE_CHECKING:
    import argparse

    from forecasting.demand import Demand
    from forecasting.forecast import Forecast
    from forecasting.plan import Plan


def add_to(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("plan", help="draw the capacity steps for a file of demand and a policy")
    options.add_demand(parser)
    parser.add_argument("--policy", required=True, metavar="POLICY.yaml", help=policies.HELP)
    parser.add_argument("--now", type=options.instant, metavar="2026-01-05T00:00Z", help="[the end of the demand]")
    parser.add_argument("--current", type=options.size, metavar="N", help="the capacity the fleet has now")
    options.add_horizon(parser)
    options.add_foresight(parser, "the policy file's, else ")
    options.add_plot(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Forecast from what was known at now, draw the plan and show it."""
    steering = Steering.read(given.policy, given)
    timezone = steering.foresight.timezone
    demand = options.read_demand(given.demand, timezone)
    with options.naming(given.demand):
        made, plan = _drawn(given, steering, demand)
    if given.plot:
        from forecasting.cli.picture import draw_plan_picture

        draw_plan_picture(given.plot, made, plan, steering.policy, timezone)
    if given.json:
        tables.write_json({**as_json(plan, made), "from_file": steering.taken})
    else:
        _show(plan, made, timezone, steering.told(given.policy))


def as_json(plan: Plan, made: Forecast) -> dict[str, Any]:
    """Give the plan's own JSON as an object, with the forecast it rests on in words."""
    return {**json.loads(plan.to_json()), "engine": made.engine, "forecast_reason": made.reason}


def _drawn(given: argparse.Namespace, steering: Steering, demand: Demand) -> tuple[Forecast, Plan]:
    now = given.now or demand.end
    if not demand.start < now < demand.end + given.horizon:
        msg = f"--now {now.isoformat()} must lie between {demand.start.isoformat()}, where the demand begins, and "
        raise InvalidRequest(msg + f"{(demand.end + given.horizon).isoformat()}, a horizon after its end")
    known = demand.before(now) if now < demand.end else demand
    quantiles = tuple(sorted({*QUANTILES, steering.policy.quantile}))
    made = forecast(known, horizon=given.horizon, quantiles=quantiles, **steering.foresight.as_options())
    timezone = steering.foresight.timezone
    return made, draw_plan(made, steering.policy, now=now, current=given.current, timezone=timezone)


def _show(plan: Plan, made: Forecast, timezone: str, taken: str) -> None:
    local = zone(timezone)
    rows = [
        [step.at.astimezone(local).strftime("%a %d %b %H:%M %Z"), str(step.capacity), step.reason]
        for step in plan.steps
    ]
    tables.show(["from", "capacity", "why"], rows, words=3)
    tables.write(f"plan {plan.plan_id}, {len(plan.steps)} steps; {made.engine}: {made.reason}{taken}")
