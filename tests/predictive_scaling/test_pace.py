"""A budget of calls: slots are given away once, whoever asks for them, and every attempt waits for its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from botocore.config import Config
from rights import REGION, client_of, connect_with

import sandbox
from demo.local_airflow import ROOT
from predictive_scaling.aws_client import client
from predictive_scaling.errors import InvalidSetting, LedgerUnavailable
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.slots import MemorySlots, Pace, Slots, SqlSlots
from predictive_scaling.ledger.tables import metadata, scaling_pace
from predictive_scaling.pace import UNPACED, Pacer, hold
from predictive_scaling.triggers.fleet import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.local_postgres import LocalPostgres

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
FOUR, SLOW = Pace(calls_per_second=4), Pace(calls_per_second=0.125)
AT_ONCE = [0.0] * 5  # a second's worth, and the one that is due
KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
_databases = itertools.count()


def a_database(request: pytest.FixtureRequest, folder: Path, kind: str) -> str:
    if kind == "sqlite":
        url = f"sqlite:///{folder}/pace.db"
    else:
        server: LocalPostgres = request.getfixturevalue("postgres")
        url = server.create_database(f"pace_{next(_databases)}")
    metadata.create_all(engine_for(url))
    return url


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def slots(request: pytest.FixtureRequest, tmp_path: Path) -> Slots:
    if request.param == "memory":
        return MemorySlots()
    return SqlSlots(engine_for(a_database(request, tmp_path, request.param)))


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        yield running


def taken(slots: Slots, count: int, *, later: float = 0, key: str = "aws us-east-1", pace: Pace = FOUR) -> list[float]:
    now = NOW + timedelta(seconds=later)
    return [slots.take(key, pace, now=now).total_seconds() for _ in range(count)]


def test_after_a_rest_a_seconds_worth_goes_at_once_and_then_one_at_a_time(slots: Slots) -> None:
    assert taken(slots, 8) == [*AT_ONCE, 0.25, 0.5, 0.75]
    assert taken(slots, 2, later=1) == [0.0, 0.25], "the time that passed was used up"


def test_a_long_rest_saves_up_no_more_than_a_second(slots: Slots) -> None:
    taken(slots, 8)
    assert taken(slots, 6, later=3600) == [*AT_ONCE, 0.25]


def test_accounts_do_not_wait_for_each_other(slots: Slots) -> None:
    taken(slots, 20)
    assert taken(slots, 1, key="aws eu-central-1") == [0.0]


def test_neither_a_crowd_nor_a_wrong_clock_keeps_a_call_longer_than_half_a_minute(slots: Slots) -> None:
    assert taken(slots, 5, pace=SLOW) == [0.0, 7.0, 15.0, 23.0, 30.0]
    assert taken(slots, 1, later=3600, pace=SLOW) == [0.0]
    assert taken(slots, 1, pace=SLOW) == [30.0]
    assert taken(slots, 1, later=60, pace=SLOW) == [0.0], "once the clock is right, the row is"


def test_a_pace_at_which_nothing_is_called_is_refused() -> None:
    with pytest.raises(ValueError, match="calls_per_second: 0 is no pace: it must be above 0"):
        Pace(calls_per_second=0)


CALLER = """
import sys
from datetime import UTC, datetime
import boto3
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.slots import Pace, SqlSlots
from predictive_scaling.pace import Pacer, hold
ledger, cloud, region = sys.argv[1:]
keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
autoscaling = boto3.client("autoscaling", endpoint_url=cloud, region_name=region, **keys)
pacer = Pacer(
    key="aws",
    pace=Pace(calls_per_second=4),
    reach=lambda: SqlSlots(engine_for(ledger)),
    clock=lambda: datetime(2026, 3, 2, 8, tzinfo=UTC),
)
hold(autoscaling, pacer, sleep=print)
for _ in range(10):
    autoscaling.describe_auto_scaling_groups()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_processes_together_keep_to_one_budget(
    request: pytest.FixtureRequest, tmp_path: Path, cloud: sandbox.Cloud, kind: str
) -> None:
    command = [sys.executable, "-c", CALLER, a_database(request, tmp_path, kind), cloud.url, REGION]
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
    callers = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    waits = sorted(float(wait) for caller in callers for wait in caller.communicate()[0].split())
    assert waits == [*AT_ONCE, *(slot / 4 for slot in range(1, 16))], "no slot twice, and none left out"
    assert cloud.calls() == {"autoscaling.DescribeAutoScalingGroups": 20}


def test_every_attempt_waits_a_retry_too(cloud: sandbox.Cloud) -> None:
    slots, slept = MemorySlots(), list[float]()
    twice = Config(retries={"total_max_attempts": 2})
    autoscaling = client_of(cloud, "autoscaling", KEYS, twice)
    taken(slots, 5)
    pacer = Pacer(key="aws us-east-1", pace=FOUR, reach=lambda: slots, clock=lambda: NOW)
    hold(autoscaling, pacer, sleep=slept.append)
    cloud.faults.add(error="InternalFailure", status=500, count=1)
    autoscaling.describe_auto_scaling_groups()
    assert slept == [0.25, 0.5]


class Deaf:
    """A ledger that gives no slot."""

    def __init__(self) -> None:
        self.asked = 0

    def take(self, _key: str, _pace: Pace, *, now: datetime) -> timedelta:
        self.asked += 1
        msg = f"no answer at {now}"
        raise LedgerUnavailable(msg)


def test_without_the_ledger_nothing_waits_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([NOW, NOW + UNPACED / 2, NOW + UNPACED])
    deaf = Deaf()
    pacer = Pacer(key="aws us-east-1", pace=FOUR, reach=lambda: deaf, clock=lambda: next(times))
    assert [pacer.wait(), pacer.wait()] == [0.0, 0.0]
    assert deaf.asked == 1, "nobody waits for it again and again"
    assert "calls to aws us-east-1 go on unpaced" in caplog.text
    assert "no answer at 2026-03-02" in caplog.text
    pacer.wait()
    assert deaf.asked == 2


def keys_at(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Define both connections and a budget too great to wait for."""
    url = f"sqlite:///{folder}/ledger.db"
    metadata.create_all(engine_for(url))
    connect_with(KEYS, cloud, monkeypatch)
    ledger = {"conn_type": "generic", "extra": {"sqlalchemy_url": url}}
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", json.dumps(ledger))
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__CALLS_PER_SECOND", "100000")
    return engine_for(url)


def accounts(ledger: sa.Engine) -> list[str]:
    with ledger.connect() as connection:
        return list(connection.execute(sa.select(scaling_pace.c.key)).scalars())


def test_a_budget_that_is_set_paces_auto_scaling_and_no_other_service(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = keys_at(cloud, tmp_path, monkeypatch)
    made: dict[str, Any] = {
        name: client(name, connection="aws_default", region=None) for name in ("cloudwatch", "autoscaling")
    }
    made["cloudwatch"].list_metrics()
    assert accounts(ledger) == []
    made["autoscaling"].describe_auto_scaling_groups()
    assert accounts(ledger) == ["aws_default us-east-1"]
    monkeypatch.delenv("AIRFLOW__PREDICTIVE_SCALING__CALLS_PER_SECOND")
    client("autoscaling", connection="aws_default", region="eu-central-1").describe_auto_scaling_groups()
    assert accounts(ledger) == ["aws_default us-east-1"], "a budget that is taken away is gone at once"


def test_what_waits_in_the_triggerer_keeps_to_it_too(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = keys_at(cloud, tmp_path, monkeypatch)

    async def look() -> None:
        async with AsyncExitStack() as stack:
            autoscaling = await opened("autoscaling", stack, connection="aws_default", region=None)
            await autoscaling.describe_auto_scaling_groups()

    asyncio.run(look())
    assert accounts(ledger) == ["aws_default us-east-1"]


@pytest.mark.parametrize("value", ["many", "-1", "nan", "inf"])
def test_a_budget_that_is_no_number_is_refused(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    keys_at(cloud, tmp_path, monkeypatch)
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__CALLS_PER_SECOND", value)
    with pytest.raises(InvalidSetting, match=f"calls_per_second = '{value}' cannot be used: write a number above 0"):
        client("autoscaling", connection="aws_default", region=None)


def test_the_role_of_tasks_takes_slots_and_cannot_forget_any(postgres: LocalPostgres) -> None:
    owner = engine_for(postgres.create_database("pace_role"))
    metadata.create_all(owner)
    postgres.script("pace_role", ROOT / "include" / "sql" / "ledger_role.sql", password="secret")
    role = engine_for(postgres.url("pace_role", user="scaling_ledger", password="secret"))
    assert taken(SqlSlots(role), 6) == [*AT_ONCE, 0.25]
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), role.begin() as connection:
        connection.execute(sa.delete(scaling_pace))
