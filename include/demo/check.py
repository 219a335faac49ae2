"""Verify a cycle from outside: in the cloud, in the ledger, and by letting time pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.ledger.store import SqlLedger

if TYPE_CHECKING:
    from demo.cycle import Cycle
    from demo.local_airflow import LocalAirflow
    from demo.local_cloud import LocalCloud


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and whether it is as it should be."""

    what: str
    good: bool


def check(cycle: Cycle, airflow: LocalAirflow, cloud: LocalCloud) -> list[Finding]:
    """Look at everything a cycle promises."""
    writing = [row for row in cycle.rows if row["written"]]
    return [
        Finding(f"{len(writing)} of {len(cycle.rows)} fleets were written to", bool(writing)),
        *(_scheduled(row, cloud) for row in cycle.rows),
        _paired(airflow, [row["fleet"] for row in writing]),
        _idle(cycle, cloud),
        *_fires(writing, cloud),
    ]


def _scheduled(row: dict[str, Any], cloud: LocalCloud) -> Finding:
    names = [action["ScheduledActionName"] for action in _actions(cloud, row["fleet"])]
    expected = row["written"]
    return Finding(
        f"{row['fleet']}: {len(names)} scheduled actions in the cloud, {expected} written", len(names) == expected
    )


def _paired(airflow: LocalAirflow, fleets: list[str]) -> Finding:
    database = airflow.place.database or f"sqlite:///{airflow.place.home}/airflow.db"
    events = [event for fleet in fleets for event in SqlLedger(engine_for(database)).events(fleet=fleet)]
    intents = [(event.operation_id, event.call) for event in events if event.kind is EventKind.INTENT]
    outcomes = [(event.operation_id, event.call) for event in events if event.kind is EventKind.APPLIED]
    good = bool(intents) and sorted(map(str, intents)) == sorted(map(str, outcomes))
    return Finding(f"the ledger holds {len(intents)} intents, each with its outcome", good)


def _idle(cycle: Cycle, cloud: LocalCloud) -> Finding:
    quiet = [row["fleet"] for row in cycle.rows if not row["written"]]
    touched = [fleet for fleet in quiet if _actions(cloud, fleet)]
    return Finding(f"fleets in mode observe were left alone: {', '.join(quiet) or 'none'}", not touched)


def _fires(writing: list[dict[str, Any]], cloud: LocalCloud) -> list[Finding]:
    """Let the cloud's time run to the first raise and on until its instances are up."""
    autoscaling = cloud.client("autoscaling")
    for row in writing:
        group = _group(autoscaling, row["fleet"])
        raising = [action for action in _actions(cloud, row["fleet"]) if action["MinSize"] > group["DesiredCapacity"]]
        if raising:
            first = min(raising, key=lambda action: action["StartTime"])
            return _fired(row["fleet"], first, cloud)
    return [Finding("a raise is coming for at least one fleet", good=False)]


def _fired(fleet: str, action: dict[str, Any], cloud: LocalCloud) -> list[Finding]:
    autoscaling = cloud.client("autoscaling")
    _advance_to(cloud, action["StartTime"] + timedelta(seconds=30))
    raised = _group(autoscaling, fleet)
    fired = raised["MinSize"] >= action["MinSize"]
    _advance_to(cloud, action["StartTime"] + timedelta(minutes=8))
    later = _group(autoscaling, fleet)
    up = sum(instance["LifecycleState"] == "InService" for instance in later["Instances"])
    return [
        Finding(f"{fleet}: {action['ScheduledActionName']} fired, MinSize is {raised['MinSize']}", fired),
        Finding(f"{fleet}: {up} instances InService, {action['MinSize']} wanted", up >= action["MinSize"]),
    ]


def _advance_to(cloud: LocalCloud, when: datetime) -> None:
    now = datetime.fromisoformat(cloud.control("clock", {})["now"])
    if when > now:
        cloud.control("advance", {"seconds": (when - now).total_seconds()})


def _group(autoscaling: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][
        0
    ]
    return found


def _actions(cloud: LocalCloud, group: str) -> list[dict[str, Any]]:
    pages = cloud.client("autoscaling").get_paginator("describe_scheduled_actions")
    return [row for page in pages.paginate(AutoScalingGroupName=group) for row in page["ScheduledUpdateGroupActions"]]
