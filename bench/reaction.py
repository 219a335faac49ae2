"""From a load that can be seen to the call that changes the size, in a real Airflow: by an alarm, and by looking."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import sqlalchemy as sa

from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.local_postgres import LocalPostgres
from demo.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable

FLEETS: Final = int(os.environ.get("BENCH_WATCHED", "100"))
INTERVAL: Final = 10.0
FAR_APART: Final = 3600.0
PATIENCE: Final = 240.0
TRIPS: Final = 20
"""So many fleets are loaded one after the other, and then all the others at once: twice, for the first time each group
is claimed, which takes five calls where later ones take one."""
CLOSED: Final = timedelta(minutes=3)
DATA: Final = 1000
"""What one PutMetricData takes."""
FLEET: Final = """\
name: {name}
group: {name}
metric: {{namespace: Load, name: Requests, dimensions: {{Fleet: {name}}}, statistic: Average, period: 1m}}
target_per_instance: 100
min: 1
max: 40
mode: auto
reaction: {{}}
"""


def measure(_traces: Path | None) -> None:
    """Print seconds from metric to call, for one fleet and for all, and what the triggerer takes; on PostgreSQL."""
    print("| way | rise at once | p50 s | p99 s | all answered | triggerer CPU s | triggerer MB |")
    print("|---|---|---|---|---|---|---|")
    for way, every in (("push: an alarm rings", FAR_APART), (f"pull: a look every {INTERVAL:g} s", INTERVAL)):
        with tempfile.TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres")) as server:
            _deployed(Path(folder), server.create_database("airflow"), way, every)


def _deployed(folder: Path, database: str, way: str, every: float) -> None:
    names = [f"fleet-{number:04}" for number in range(1, FLEETS + 1)]
    fleets = folder / "fleets"
    fleets.mkdir()
    for name in names:
        (fleets / f"{name}.yaml").write_text(FLEET.format(name=name))
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud("--seed-fleets", str(FLEETS), log=folder / "sandbox.log", env=env) as cloud:
        queue = cloud.client("sqs").create_queue(QueueName="alarms")["QueueUrl"]
        _load(cloud, names, 0.0, age=2 * CLOSED)
        home = folder / "airflow"
        place = Place(home=home, cloud_url=cloud.url, port=free_port(), database=database, fleets=fleets)
        section = "AIRFLOW__PREDICTIVE_SCALING__"
        waking = {f"{section}CHECK_INTERVAL": f"{every:g}", f"{section}ALARM_QUEUES": queue}
        with LocalAirflow(place, **waking) as airflow:
            airflow.wait_for_dags("react_to_load")
            for dag_id in ("pull_metrics", "forecast_demand", "apply_plans", "review_fleets"):
                airflow.call("PATCH", f"dags/{dag_id}", {"is_paused": True})
            time.sleep(20)  # the first look, which reads the files, is no part of the measurement
            ring = queue if every == FAR_APART else None
            _print_row(f"{way}, {FLEETS} watched", [[name] for name in names[:TRIPS]], cloud, airflow, ring=ring)
            if names[TRIPS:]:
                _print_row(f"{way}, {FLEETS} watched", [names[TRIPS:]], cloud, airflow, ring=ring)
                _print_row(f"{way}, {FLEETS} watched, all held", [names[TRIPS:]], cloud, airflow, ring=ring)


def _print_row(way: str, trips: list[list[str]], cloud: LocalCloud, airflow: LocalAirflow, *, ring: str | None) -> None:
    """Let the loads of some fleets rise at once, and of the next some when those were answered."""
    before, taken = _triggerer(airflow), [_trip(names, cloud, airflow, ring=ring) for names in trips]
    after = _triggerer(airflow)
    seconds = [second for some in taken for second in some]
    middle, worst = np.percentile(seconds or [np.nan], [50, 99])
    whole = f"{len(seconds)} of {sum(map(len, trips))}"
    used = f"{after[0] - before[0]:.1f} | {after[1]:.0f}"
    print(f"| {way} | {len(trips[0])} | {middle:.1f} | {worst:.1f} | {whole} | {used} |", flush=True)


def _trip(names: list[str], cloud: LocalCloud, airflow: LocalAirflow, *, ring: str | None) -> list[float]:
    """Let the loads of these fleets rise at once; give how long each of them took to be answered."""
    desired = _desired(cloud, names)
    _load(cloud, names, 100.0 * (max(desired.values()) + 4))
    seen, began = datetime.now(UTC), time.monotonic()
    if ring:
        cloud.client("sqs").send_message(QueueUrl=ring, MessageBody="{}")
    sent: dict[str, float] = {}
    while len(sent) < len(names) and time.monotonic() - began < PATIENCE:
        time.sleep(1)
        sent = _sent(airflow, names, since=seen)
    time.sleep(1)
    now = _desired(cloud, names)
    return [sent[name] for name in names if name in sent and now[name] > desired[name]]


def _sent(airflow: LocalAirflow, names: list[str], *, since: datetime) -> dict[str, float]:
    """Give after how many seconds each was asked for, by the ledger, which has each call an instant before it is sent.

    To look at the groups instead would keep the cloud so busy that it answers nobody else.
    """
    from predictive_scaling.ledger.connection import engine_for
    from predictive_scaling.ledger.tables import scaling_event

    row = scaling_event.c
    asked = sa.select(row.fleet, row.at).where(row.kind == "intent", row.at >= since, row.fleet.in_(names))
    with engine_for(str(airflow.place.database)).connect() as connection:
        return {fleet: (at - since).total_seconds() for fleet, at in connection.execute(asked)}


def _load(cloud: LocalCloud, names: Iterable[str], value: float, *, age: timedelta = CLOSED) -> None:
    """Publish a load, of all at once, in a period that has closed, for CloudWatch shows no other."""
    when = datetime.now(UTC) - age
    data: list[Any] = [
        {"MetricName": "Requests", "Dimensions": [{"Name": "Fleet", "Value": name}], "Timestamp": when, "Value": value}
        for name in names
    ]
    for first in range(0, len(data), DATA):
        cloud.client("cloudwatch").put_metric_data(Namespace="Load", MetricData=data[first : first + DATA])


def _desired(cloud: LocalCloud, names: list[str]) -> dict[str, int]:
    few = {"AutoScalingGroupNames": names} if len(names) <= TRIPS else {}
    pages = cloud.client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate(**few)
    found = {row["AutoScalingGroupName"]: row["DesiredCapacity"] for page in pages for row in page["AutoScalingGroups"]}
    return {name: found[name] for name in names}


def _triggerer(airflow: LocalAirflow) -> tuple[float, float]:
    """Give the CPU seconds and resident megabytes of the triggerer's processes."""
    seconds = megabytes = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            environment = (process / "environ").read_bytes()
            if b"triggerer" not in b" ".join(words) or str(airflow.place.home).encode() not in environment:
                continue
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            megabytes += int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        except OSError:
            continue
    return seconds, megabytes
