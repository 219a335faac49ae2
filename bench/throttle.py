"""Many groups behind one bucket of calls: how near to the bucket's own limit their plans get into place.

Every Auto Scaling call of an account and region takes a token, descriptions too. The limit is what the calls that
passed would take if a token were never left lying. The cloud's clock stands still, so that the second run has nothing
to write but what the first forgot; the bucket fills in real seconds. The groups are steered as Airflow does it, by
tasks side by side, each a process with a shard of them. FLEETS says how many groups, SHARDS how many tasks, RATE how
many calls a second: a thousand groups at ten a second take a quarter of an hour. BUDGET is what the tasks keep to
among themselves, `calls_per_second`; without one they learn the limit by being refused.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sandbox
from forecasting import Forecast, Policy, forecast
from forecasting.gate import Stage, Standing
from forecasting.synthetic import synthetic_demand
from sandbox.account_limit import ACCOUNT_LIMIT

if TYPE_CHECKING:
    from predictive_scaling.fleet_spec import FleetSpec

FLEETS: Final = int(os.environ.get("FLEETS", "500"))
SHARDS: Final = int(os.environ.get("SHARDS", "4"))
"""`apply_plans` has at most so many runs at a time."""
RATE: Final = float(os.environ.get("RATE", "10"))
BURST: Final = 2 * RATE
BUDGET: Final = os.environ.get("BUDGET", "0")
SHAPES: Final = 8
"""Different loads; fleets share them."""
DAYS: Final = 14


def measure(_traces: Path | None) -> None:
    """Write every group's plan, then find every plan in place."""
    with tempfile.TemporaryDirectory() as folder, sandbox.running() as cloud:
        cloud.clock(now=datetime.now(UTC), speed=0)
        _settings(cloud, Path(folder))
        specs = _fleets(cloud)
        _forecasts(specs, cloud.now())
        cloud.configure(account_rate=RATE, account_burst=BURST)
        budget = f"a budget of {BUDGET}" if float(BUDGET) else "no budget of their own"
        print(f"{FLEETS} groups, {SHARDS} tasks with {budget}, {RATE:g} calls a second, {BURST:g} at once\n")
        print("| run | seconds | limit | times the limit | calls a fleet | refused and repeated | writes |")
        print("|---|---|---|---|---|---|---|")
        runs = ("first: groups claimed, plans written", "second: all in place")
        told = [_run(name, cloud, specs) for name in runs]
        print(*(f"\n{name}: {calls}" for name, calls in zip(runs, told, strict=True)), sep="")


def _run(name: str, cloud: sandbox.Cloud, specs: list[FleetSpec]) -> dict[str, int]:
    cloud.faults.forget_calls()
    ACCOUNT_LIMIT.forget()
    shards = [(specs[first::SHARDS], f"{name}, shard {first}", cloud.now()) for first in range(SHARDS)]
    with ProcessPoolExecutor(SHARDS, multiprocessing.get_context("spawn")) as tasks:
        list(tasks.map(_warm_up, range(SHARDS)))
        began = time.monotonic()
        list(tasks.map(_steer_all, *zip(*shards, strict=True)))
        seconds = time.monotonic() - began
    calls = cloud.calls()
    passed = sum(calls.values()) - ACCOUNT_LIMIT.refused
    writes = sum(count for call, count in calls.items() if "Describe" not in call)
    limit = max(passed - BURST, 1) / RATE
    counts = f"{passed / FLEETS:.2f} | {ACCOUNT_LIMIT.refused} | {writes}"
    print(f"| {name} | {seconds:.0f} | {limit:.0f} | {seconds / limit:.2f} | {counts} |", flush=True)
    return calls


def _warm_up(_number: int) -> None:
    """Import what a task imports; every process gets one of these."""
    import predictive_scaling.around

    assert predictive_scaling.around.around
    time.sleep(1)


def _steer_all(specs: list[FleetSpec], run: str, now: datetime) -> None:
    """Take every fleet's turn as a task of `apply_plans` does."""
    from predictive_scaling.around import around
    from predictive_scaling.ledger.records import TaskRun
    from predictive_scaling.settings import Settings
    from predictive_scaling.steer import steer

    by = TaskRun(actor="bench", dag_id="apply_plans", run_id=run, task_id="apply", map_index=-1, try_number=1)
    circumstances = around(by, Settings.from_airflow(), specs)
    for spec in specs:
        steer(spec, circumstances, now=now)


def _settings(cloud: sandbox.Cloud, folder: Path) -> None:
    from predictive_scaling.ledger.connection import engine_for
    from predictive_scaling.ledger.tables import metadata

    address = f"sqlite:///{folder}/ledger.db"
    metadata.create_all(engine_for(address))
    extra = {"endpoint_url": cloud.url, "region_name": "us-east-1", "aws_access_key_id": "x"}
    aws = {"conn_type": "aws", "extra": {**extra, "aws_secret_access_key": "y"}}
    (folder / "fleets").mkdir()
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = json.dumps(aws)
    os.environ["AIRFLOW_CONN_SCALING_LEDGER"] = json.dumps(
        {"conn_type": "generic", "extra": {"sqlalchemy_url": address}}
    )
    os.environ["AIRFLOW__PREDICTIVE_SCALING__CALLS_PER_SECOND"] = BUDGET
    os.environ["AIRFLOW__PREDICTIVE_SCALING__STORAGE"] = f"file://{folder}/storage"
    os.environ["AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER"] = str(folder / "fleets")


def _fleets(cloud: sandbox.Cloud) -> list[FleetSpec]:
    """Make the groups, each past its gate."""
    from predictive_scaling.fleet_spec import FleetSpec, Mode
    from predictive_scaling.ledger.gates import Gate, SqlGates
    from predictive_scaling.metric import Metric

    cloud.configure(max_groups=max(FLEETS, 1))
    gates, now = SqlGates.from_connection(), datetime.now(UTC)
    passed = Standing(stage=Stage.AUTO, since=now, reason="for the measurement")
    specs = []
    for name in (f"fleet-{number:04}" for number in range(1, FLEETS + 1)):
        cloud.create_fleet(name, min_size=1, max_size=40, desired=1)
        metric = Metric(namespace="Load", name="Requests", dimensions={"Fleet": name})
        spec = FleetSpec(name=name, group=name, metric=metric, policy=Policy(1, 40, 100.0), mode=Mode.AUTO)
        gates.save(Gate(fleet=name, standing=passed, actor="bench", measured_by=spec.measured_by, reviewed_at=now))
        specs.append(spec)
    return specs


def _forecasts(specs: list[FleetSpec], now: datetime) -> None:
    from predictive_scaling.settings import Settings
    from predictive_scaling.storage import Storage

    storage = Storage.at(Settings.from_airflow().storage)
    made = [_forecast(seed, now) for seed in range(SHAPES)]
    for number, spec in enumerate(specs):
        storage.save_forecast(spec, made[number % SHAPES])


def _forecast(seed: int, now: datetime) -> Forecast:
    """Forecast from a fortnight that ends with the last full hour."""
    demand = synthetic_demand(days=DAYS, daily=0.6, seed=seed)
    end = now.replace(minute=0, second=0, microsecond=0)
    return forecast(replace(demand, start=end - timedelta(days=DAYS)), engine="seasonal_naive")
