"""What the stories are told with: orders, fleets and ledgers, real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.config import Config
from rights import client_of, keys_of

from forecasting import Plan, Step
from predictive_scaling.apply import Applied, Order, apply_plan
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import Event, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.ledger.tables import metadata
from predictive_scaling.schedule import Naming
from predictive_scaling.settle import settle
from predictive_scaling.workplace import Turn

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from predictive_scaling.fleets import Fleet
    from predictive_scaling.ledger import Ledger

MONDAY = datetime(2026, 1, 5, 8, 0, 20, tzinfo=UTC)
NINE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)


def a_plan(*capacities: int, base: int = 2, first: datetime = NINE) -> Plan:
    """Draw a plan that holds `base` now, then these capacities an hour apart, then `base` again."""
    steps = [
        Step(first + timedelta(hours=hour), size, f"{size} for hour {hour}") for hour, size in enumerate(capacities)
    ]
    end = first + timedelta(hours=len(capacities))
    return Plan((Step(MONDAY, base, "the floor"), *steps, Step(end, base, "restore")))


def a_run(number: int = 1, *, attempt: int = 1) -> TaskRun:
    return TaskRun(
        actor="ada", dag_id="apply_plans", run_id=f"run-{number}", task_id="apply", map_index=-1, try_number=attempt
    )


def a_turn(run: int = 1, *, attempt: int = 1, later: timedelta = timedelta(0)) -> Turn:
    return Turn(by=a_run(run, attempt=attempt), now=MONDAY + later, patience=PATIENCE)


def an_order(plan: Plan, turn: Turn | None = None, *, write: bool = True) -> Order:
    return Order(
        fleet="web",
        plan=plan,
        forecast_id="web@20260105T0800Z",
        naming=Naming("ps", "web"),
        turn=turn or a_turn(),
        write=write,
        why_not="" if write else "this is a dry run",
    )


def a_fleet(cloud: sandbox.Cloud, *, read_timeout: float = 60) -> AutoScalingFleet:
    """Reach the sandbox's group over HTTP with the rights of a fleet that acts; no call is made again by itself."""
    options = Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout)
    return AutoScalingFleet(client_of(cloud, "autoscaling", keys_of(cloud, "auto"), options), "web")


def a_ledger(folder: Path) -> SqlLedger:
    engine = engine_for(f"sqlite:///{folder}/ledger.db")
    metadata.create_all(engine)
    return SqlLedger(engine)


def carry_out(order: Order, fleet: Fleet, ledger: Ledger) -> Applied:
    """Settle, then apply, as a task does."""
    return apply_plan(order, settle("web", fleet, ledger, order.turn), fleet, ledger)


def floors(cloud: sandbox.Cloud) -> dict[str, int]:
    """Give the scheduled floors by start, as AWS has them."""
    answer = cloud.client("autoscaling").describe_scheduled_actions(AutoScalingGroupName="web")
    return {f"{action['StartTime']:%H:%M}": action["MinSize"] for action in answer["ScheduledUpdateGroupActions"]}


def writes(cloud: sandbox.Cloud) -> int:
    """Count the calls that changed the group's schedule."""
    return sum(count for name, count in cloud.calls().items() if "Batch" in name or "Put" in name or "Update" in name)


def told(ledger: Ledger) -> list[str]:
    """Give the kinds of the events, in the order they happened."""
    return [event.kind.value for event in in_order(ledger)]


def in_order(ledger: Ledger) -> list[Event]:
    return sorted(ledger.events(fleet="web", limit=1000), key=lambda event: event.id or 0)
