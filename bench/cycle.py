"""Many fleets through whole cycles of a real Airflow: tasks, minutes, and calls of AWS a fleet."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Final

from demo.cycle import DAGS, Cycle, await_cycle
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port

FLEETS: Final = int(os.environ.get("BENCH_FLEETS", "200"))
FLEETS_PER_SHARD: Final = 100
FLEET: Final = """\
name: {name}
group: {name}
metric: {{namespace: Load, name: Requests, dimensions: {{Fleet: {name}}}}}
target_per_instance: 100
min: 1
max: 40
mode: auto
"""


def measure(_traces: Path | None) -> None:
    """Run a first cycle, which pulls 28 days and writes every plan, and a second, which finds them in place."""
    with tempfile.TemporaryDirectory() as folder:
        fleets = Path(folder) / "fleets"
        fleets.mkdir()
        for name in (f"fleet-{number:04}" for number in range(1, FLEETS + 1)):
            (fleets / f"{name}.yaml").write_text(FLEET.format(name=name))
        env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
        with LocalCloud("--seed-fleets", str(FLEETS), log=Path(folder) / "sandbox.log", env=env) as cloud:
            place = Place(home=Path(folder) / "airflow", cloud_url=cloud.url, port=free_port(), fleets=fleets)
            shards = {"AIRFLOW__PREDICTIVE_SCALING__FLEETS_PER_SHARD": str(FLEETS_PER_SHARD)}
            with LocalAirflow(place, **shards) as airflow:
                _two_cycles(airflow, cloud)


def _two_cycles(airflow: LocalAirflow, cloud: LocalCloud) -> None:
    airflow.wait_for_dags(*DAGS)
    shards = -(-FLEETS // FLEETS_PER_SHARD)
    print("| cycle | fleets | shards | tasks | minutes | actions written | AWS calls a fleet |")
    print("|---|---|---|---|---|---|---|")
    began = time.monotonic()
    cycle = await_cycle(airflow, shards=shards, seconds=1800)
    _print_row("first, 28 days", cycle, cloud, time.monotonic() - began)
    cloud.calls(reset=True)
    began = time.monotonic()
    airflow.trigger(DAGS[0])
    again = await_cycle(airflow, number=2, shards=shards, seconds=1800)
    _print_row("next", again, cloud, time.monotonic() - began)
    cloud.calls(reset=True)
    began = time.monotonic()
    airflow.wait_for_run(DAGS[2], airflow.trigger(DAGS[2]), seconds=900)
    print(f"\nThe same plans again: {cloud.writes() or 'no'} writes, {(time.monotonic() - began) / 60:.2f} minutes.")


def _print_row(name: str, cycle: Cycle, cloud: LocalCloud, seconds: float) -> None:
    written = sum(row["written"] for row in cycle.rows)
    calls = sum(cloud.calls().values()) / FLEETS
    shards = sum(task["task_id"] == "apply" for task in cycle.tasks)
    counts = f"{len(cycle.rows)} | {shards} | {len(cycle.tasks)} | {seconds / 60:.2f} | {written} | {calls:.1f}"
    print(f"| {name} | {counts} |", flush=True)
    if cycle.failed:
        print(f"\nfailed: {', '.join(cycle.failed)}")
