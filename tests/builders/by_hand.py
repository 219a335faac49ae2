"""What the stories of scaling by hand are told with: a fleet, its ledger, and a task that is really deferred."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rights import client_of, connect, keys_of
from telling import a_ledger

from forecasting import Policy
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.records import TaskRun
from predictive_scaling.metric import Metric
from predictive_scaling.workplace import Turn, Workplace

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    import sandbox
    from predictive_scaling.fleets import Fleet, Observed
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.store import SqlLedger

FLEET_FILE = """
name: web
group: web
metric: {namespace: A, name: B}
target_per_instance: 100
min: 2
max: 12
mode: auto
"""
WEB = FleetSpec(name="web", group="web", metric=Metric(namespace="A", name="B"), policy=Policy(2, 12, 100.0))


def a_run(run: int = 1, *, attempt: int = 1) -> TaskRun:
    return TaskRun(
        actor="ada", dag_id="scale_manually", run_id=f"run-{run}", task_id="add", map_index=-1, try_number=attempt
    )


def at_work(fleet: Fleet, ledger: Ledger, run: int = 1, *, attempt: int = 1) -> Workplace:
    """Stand before the fleet `web`, whose turn it is really now."""
    turn = Turn(by=a_run(run, attempt=attempt), now=datetime.now(UTC), patience=timedelta(minutes=15))
    return Workplace(name="web", fleet=fleet, ledger=ledger, turn=turn)


def the_fleet(cloud: sandbox.Cloud) -> AutoScalingFleet:
    """Reach the group `web` with the rights of those who scale by hand."""
    reach = partial(client_of, cloud, keys=keys_of(cloud, "scale"))
    return AutoScalingFleet(reach("autoscaling"), "web", reach)


def seen(cloud: sandbox.Cloud) -> Observed:
    return the_fleet(cloud).examine().observed


def sizes(cloud: sandbox.Cloud) -> tuple[int, int, int]:
    observed = the_fleet(cloud).observe()
    return observed.min_size, observed.desired, observed.max_size


@dataclass(frozen=True, slots=True)
class Desk:
    """A deployment as a task sees it, without the Airflow around it."""

    cloud: sandbox.Cloud
    ledger: SqlLedger

    def carry_out(self, operator: Any, run: int = 1, *, attempt: int = 1, asked_at: datetime | None = None) -> Any:
        """Execute an operator as Airflow does; when it defers, its trigger goes through JSON into a loop of its own."""
        from airflow.sdk._shared.module_loading import import_string
        from airflow.sdk.exceptions import TaskDeferred

        context = {**_context(operator.task_id, run, attempt), "params": operator.params.dump()}
        context["dag_run"].run_after = asked_at
        try:
            return operator.execute(context)
        except TaskDeferred as deferred:
            waiting = deferred
        while True:
            path, kwargs = waiting.trigger.serialize()
            trigger = import_string(path)(**json.loads(json.dumps(kwargs)))
            event = asyncio.run(_first_event(trigger))
            resumed = type(operator)(**_arguments(operator))
            try:
                return getattr(resumed, waiting.method_name)(context, event=event, **(waiting.kwargs or {}))
            except TaskDeferred as deferred:
                waiting = deferred


def a_desk(
    cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch, *, rights: tuple[str, ...] = ("scale",)
) -> Desk:
    """Set the fleet file, and connections with these rights; a second of ours is five minutes of the cloud."""
    (folder / "fleets").mkdir()
    (folder / "fleets" / "web.yaml").write_text(FLEET_FILE)
    ledger = {"conn_type": "generic", "extra": {"sqlalchemy_url": f"sqlite:///{folder}/ledger.db"}}
    connect(cloud, monkeypatch, *rights)
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", json.dumps(ledger))
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER", str(folder / "fleets"))
    cloud.clock(speed=300)
    return Desk(cloud, a_ledger(folder))


def told(ledger: SqlLedger) -> list[str]:
    """Give the kinds of the events with the first words of their calls, in the order they happened."""
    events = sorted(ledger.events(fleet="web", limit=1000), key=lambda event: event.id or 0)
    return [f"{event.kind.value} {' '.join((event.call or '-').split()[:2])}" for event in events]


async def _first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return event.payload
    return None


def _arguments(operator: Any) -> dict[str, Any]:
    """What an operator is made again from when its task resumes in another process."""
    names = ("task_id", "fleet", "reason", "amount", "on_failure", "timeout", "every")
    return {name: getattr(operator, name) for name in names if hasattr(operator, name)}


def _context(task_id: str, run: int, attempt: int) -> Any:
    ti = SimpleNamespace(
        dag_id="scale_manually", run_id=f"run-{run}", task_id=task_id, map_index=-1, try_number=attempt
    )
    return {"ti": ti, "dag_run": SimpleNamespace(triggering_user_name="ada", run_type="manual")}
