"""A database tells what it was asked for: in UTC, row by row, within a time, and nothing of how it is reached."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from measuring import FIVE, NOON, NOW, connect, measured_by

from predictive_scaling.metric import SqlMetric
from predictive_scaling.sources import Reading, Request
from predictive_scaling.sources.sql import SqlSource

if TYPE_CHECKING:
    from demo.local_postgres import LocalPostgres

HOUR = timedelta(hours=1)
MEGABYTES = 2**20
ITS_TIMEOUT = (
    "SELECT CAST(:since AS timestamptz), setting FROM pg_settings "
    "WHERE name = 'statement_timeout' AND CAST(:until AS timestamptz) IS NOT NULL"
)


def read(query: str, connection: str = "shop", statistic: str = "Average") -> Reading:
    metric = SqlMetric(name="orders", query=query, connection=connection, statistic=statistic)
    return SqlSource().read([Request(fleet=measured_by(metric), since=NOON - HOUR)], until=NOW)


def values(reading: Reading) -> list[float]:
    assert reading.problems == {}
    return list(reading.points["web"].values)


def on(server: LocalPostgres, patch: pytest.MonkeyPatch, **where: Any) -> None:
    known = {"conn_type": "postgres", "host": "127.0.0.1", "port": server.port, "login": "airflow"}
    connect(patch, "shop", **known, **{"schema": "postgres", **where})


def test_times_without_a_zone_are_utc_whatever_the_zone_of_the_database(
    postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(postgres.create_database("zoned"))
    with engine.begin() as connected:
        connected.execute(sa.text("ALTER DATABASE zoned SET timezone = 'America/New_York'"))
        connected.execute(sa.text("CREATE TABLE orders (at timestamp, size float)"))
        rows = [{"at": (NOON - number * FIVE).replace(tzinfo=None), "size": number} for number in range(100)]
        connected.execute(sa.text("INSERT INTO orders VALUES (:at, :size)"), rows)
    engine.dispose()
    on(postgres, monkeypatch, schema="zoned")

    found = read("SELECT at, size FROM orders WHERE at >= :since AND at < :until")

    assert values(found) == list(range(12, 0, -1))


def test_of_a_great_many_rows_a_few_are_held_at_a_time(
    postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(postgres, monkeypatch)
    tracemalloc.start()
    found = read(
        "SELECT CAST(:since AS timestamptz) + n * interval '18 ms', 1 FROM generate_series(0, 199999) n "
        "WHERE CAST(:until AS timestamptz) IS NOT NULL",
        statistic="Sum",
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(values(found)) * (FIVE / timedelta(minutes=1)) == pytest.approx(200_000)
    assert most < 20 * MEGABYTES


def test_a_query_without_an_end_is_given_two_minutes(postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    on(postgres, monkeypatch)
    assert values(read(ITS_TIMEOUT)) == [120_000]


def test_who_gave_the_database_a_time_of_its_own_keeps_it(
    postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(postgres.create_database("patient"))
    with engine.begin() as connected:
        connected.execute(sa.text("ALTER DATABASE patient SET statement_timeout = '10min'"))
    engine.dispose()
    on(postgres, monkeypatch, schema="patient")
    assert values(read(ITS_TIMEOUT)) == [600_000]


def test_columns_other_than_a_time_and_a_value_are_named(
    postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(postgres, monkeypatch)
    found = read("SELECT 1 AS shop, :since AS at, :until AS size")
    assert found.problems["web"].endswith("gave 3 columns (shop, at, size): give a time and a value")


@pytest.mark.parametrize("password", ["hid@hidden", "hid@hid:den", "hid/hid@hid/den"])
def test_what_is_said_of_a_database_leaves_out_a_password_with_an_at(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    connect(
        monkeypatch,
        "shop",
        conn_type="generic",
        extra={"sqlalchemy_url": f"postgresql+psycopg2://uma:{password}@127.0.0.1:9/shop"},
    )
    told = read("SELECT at, size FROM orders").problems["web"]
    assert "write %40 for each of a name or password" in told
    assert "hid" not in told
    assert "den" not in told
