"""How long the page's questions take to answer: a thousand fleets and a million events, and fifty fleets on SQLite.

Each figure is the time of a whole request over loopback to Airflow's own API server, rights and JSON included; CPU is
what the server itself worked, which a busy machine does not change.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import numpy as np
import sqlalchemy as sa

from demo.airflow_api import AirflowApi
from demo.big_ledger import FLEETS, SPAN, fill
from demo.local_airflow import USERS, Place
from demo.local_postgres import LocalPostgres
from demo.process import Process, free_port
from forecasting import Plan, Step
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.ledger.tables import scaling_event
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS: Final = int(os.environ.get("BENCH_EVENTS", "1000000"))
SMALL: Final = 50
TIMES: Final = 100
BUDGET: Final = 300
"""Milliseconds a list and a filter may take on the server."""
FLEET: Final = """\
name: {name}
group: {name}
metric: {{namespace: Load, name: Requests, dimensions: {{Fleet: {name}}}, statistic: Sum}}
target_per_instance: 100
min: 1
max: 40
mode: auto
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How much there is, and where it is kept."""

    title: str
    place: Place
    fleets: int
    now: datetime


def measure(_traces: Path | None) -> None:
    """Print p50 and p99 of every question, for both deployments."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with LocalPostgres(home / "postgres") as server:
            place = _place(home / "large", FLEETS, server.create_database("airflow"))
            large = Deployment(title=f"PostgreSQL, {ROWS:,} events", place=place, fleets=FLEETS, now=now)
            _migrated(place)
            fill(engine_for(server.url("airflow")), rows=ROWS, now=now)
            _measured(large)
        place = _place(home / "small", SMALL, None)
        _migrated(place)
        rows = ROWS * SMALL // FLEETS
        _fill_by_hand(engine_for(f"sqlite:///{place.home}/airflow.db"), rows, now)
        _measured(Deployment(title=f"SQLite, {rows:,} events", place=place, fleets=SMALL, now=now))


def _place(home: Path, count: int, database: str | None) -> Place:
    fleets = home / "fleets"
    fleets.mkdir(parents=True)
    for number in range(count):
        name = f"fleet-{number:04}"
        (fleets / f"{name}.yaml").write_text(FLEET.format(name=name))
    (home / "passwords.json").write_text(json.dumps({name: name for name in USERS}))
    return Place(home=home, cloud_url="http://127.0.0.1:9", port=free_port(), fleets=fleets, database=database)


def _migrated(place: Place) -> None:
    for words in (("db", "migrate"), ("dags", "reserialize")):
        command = [sys.executable, "-m", "airflow", *words]
        subprocess.run(command, env=place.environment(), check=True, capture_output=True)  # noqa: S603 - our own command


def _fill_by_hand(engine: sa.Engine, rows: int, now: datetime) -> None:
    """Write events as `fill` does, where the database cannot do it alone."""
    events = [
        {
            "at": now - SPAN * (1 - number / rows),
            "fleet": f"fleet-{number // 2 % SMALL:04}",
            "kind": "failed" if number % 200 == 0 else ("intent", "applied")[number % 2],
            "actor": "ada" if number % 1000 < 2 else "airflow (asset run)",  # noqa: PLR2004 - two of a thousand
            "reason": f"schedule 3 actions: p90 of RequestCount at 09:10 / 600 per instance = {number % 20}",
            "before": {f"ps-{number}": {"min": number % 20}},
        }
        for number in range(rows)
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(scaling_event), events)


def _measured(deployment: Deployment) -> None:
    database = deployment.place.database or f"sqlite:///{deployment.place.home}/airflow.db"
    statuses = SqlStatuses(engine_for(database))
    for number in range(deployment.fleets):
        statuses.save(*_seen(f"fleet-{number:04}", deployment.now))
    print(f"\n{deployment.fleets:,} fleets, {deployment.title}\n")
    print("| question | kB | CPU ms | p50 ms | p99 ms | within budget |\n|---|---|---|---|---|---|")
    with _served(deployment.place) as (http, group):
        for path in _questions(deployment):
            print(_row(http, path, group), flush=True)


def _seen(name: str, now: datetime) -> tuple[Status, dict[str, Any]]:
    """Give the status and plan a turn leaves behind."""
    seed = random.Random(name)  # noqa: S311 - a load, not a secret
    size = seed.randint(1, 40)
    reason = f"p90 of {size * 97} at Sat 12:50 CET / 100 per instance = {size}; lowered from {size + 1}"
    plan = Plan(tuple(Step(now + number * timedelta(minutes=55), size + number % 2, reason) for number in range(54)))
    status = Status(
        fleet=name,
        at=now,
        group=name,
        mode="auto",
        unit="Requests per minute",
        stage="auto",
        min_size=1,
        max_size=40,
        desired=size,
        in_service=size,
        planned=size,
        next_at=now + timedelta(minutes=55),
        next_capacity=size,
        next_reason=reason,
        reason="written, read back and verified",
        price_per_hour=0.1,
        wape=0.07,
    )
    return status, json.loads(plan.to_json())


@contextmanager
def _served(place: Place) -> Iterator[tuple[httpx.Client, int]]:
    """Run Airflow's API server, and give a client that has logged in, and the server's process group."""
    command = [sys.executable, "-m", "airflow", "api-server"]
    with Process(command, log=place.home / "server.log", env=place.environment()) as server:
        api = AirflowApi(f"http://127.0.0.1:{place.port}")
        server.wait_until(lambda: _answers(api.url), what="airflow api-server", seconds=180)
        login = httpx.post(f"{api.url}/auth/token", json={"username": "admin", "password": "admin"}, timeout=60)
        proof = {"Authorization": f"Bearer {login.raise_for_status().json()['access_token']}"}
        with httpx.Client(base_url=f"{api.url}/scaling/api/v1/", headers=proof, timeout=60) as http:
            yield http, server.pid


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", timeout=5).is_success
    except httpx.HTTPError:
        return False


def _questions(deployment: Deployment) -> Iterator[str]:
    fleet = "fleet-0007"
    first, second, last = ((deployment.now - timedelta(days=days)).strftime("%Y-%m-%dT%H:%MZ") for days in (99, 51, 50))
    yield from ("fleets?limit=100", f"fleets?limit={deployment.fleets}", "fleets?search=0007", "fleets?sort=planned")
    yield from ("events", f"events?fleet={fleet}", "events?kind=failed", "events?kind=refused", "events?actor=ada")
    yield from (f"events?until={first}", f"events?since={second}&until={last}", f"events?fleet={fleet}&kind=failed")
    yield f"events?fleet={fleet}&kind=applied&actor=ada&since={second}&until={last}"
    yield from (f"fleets/{fleet}", f"fleets/{fleet}/plan", f"fleets/{fleet}/events", "events/777", "overrides")


def _row(http: httpx.Client, path: str, group: int) -> str:
    size = len(http.get(path).raise_for_status().content)
    times = []
    worked = _cpu(group)
    for _ in range(TIMES):
        began = time.perf_counter()
        http.get(path)
        times.append(1000 * (time.perf_counter() - began))
    own = 1000 * (_cpu(group) - worked) / TIMES
    middle, worst = np.percentile(times, [50, 99])
    within = "yes" if worst < BUDGET else "NO"
    return f"| {path} | {size / 1000:.0f} | {own:.0f} | {middle:.0f} | {worst:.0f} | {within} |"


def _cpu(group: int) -> float:
    """Give the CPU seconds of a process group."""
    seconds = 0.0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds
