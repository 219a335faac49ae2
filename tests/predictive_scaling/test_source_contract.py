"""What every source promises, whatever it is: each test runs against all of them, and against the fake."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from measuring import (
    FIVE,
    GAPPY,
    NOON,
    NOW,
    WEB,
    World,
    connect_to,
    in_database,
    in_files,
    in_memory,
    on_arrivals,
    on_cloudwatch,
    on_prometheus,
    on_sqs,
    prometheus_past,
)
from services import without

import sandbox
from demo.local_prometheus import LocalPrometheus, prometheus_program
from predictive_scaling.sources import Request
from predictive_scaling.sources.routed import RoutedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from demo.local_postgres import LocalPostgres
    from predictive_scaling.storage import Points

AN_HOUR_AGO = NOON - timedelta(hours=1)


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def cloud(patch: pytest.MonkeyPatch) -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        running.clock(now=NOW, speed=0)
        connect_to(running, patch)
        yield running


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPrometheus]:
    if prometheus_program() is None:
        without("Prometheus", "run `make services`")
    with LocalPrometheus(tmp_path_factory.mktemp("prometheus"), samples=prometheus_past()) as server:
        yield server


def on_sqlite(request: pytest.FixtureRequest, folder: Path) -> World:
    address = f"sqlite:///{folder}/shop.db"
    patch = request.getfixturevalue("patch")
    return in_database(address, patch, conn_type="generic", extra={"sqlalchemy_url": address})


def on_postgres(request: pytest.FixtureRequest, _folder: Path) -> World:
    server: LocalPostgres = request.getfixturevalue("postgres")
    where: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "login": "airflow", "schema": "shop"}
    address = server.create_database("shop")
    return in_database(address, request.getfixturevalue("patch"), conn_type="postgres", **where)


def routed(_request: pytest.FixtureRequest, _folder: Path) -> World:
    inner = in_memory()
    return dataclasses.replace(inner, source=RoutedSource({"cloudwatch": inner.source}))


WORLDS: dict[str, Callable[[pytest.FixtureRequest, Path], World]] = {
    "memory": lambda _request, _folder: in_memory(),
    "routed": routed,
    "cloudwatch": lambda request, _folder: on_cloudwatch(request.getfixturevalue("cloud")),
    "sqs": lambda request, _folder: on_sqs(request.getfixturevalue("cloud")),
    "arrivals": lambda request, _folder: on_arrivals(request.getfixturevalue("cloud")),
    "prometheus": lambda request, _folder: on_prometheus(
        request.getfixturevalue("prometheus"), request.getfixturevalue("patch")
    ),
    "sqlite": on_sqlite,
    "postgres": on_postgres,
    "csv": lambda _request, folder: in_files(folder, "csv"),
    "parquet": lambda _request, folder: in_files(folder, "parquet"),
}


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return WORLDS[request.param](request, tmp_path_factory.mktemp("world"))


def the(points: Points) -> dict[float, float]:
    return dict(zip(points.times.tolist(), points.values.tolist(), strict=True))


def closed(past: dict[Any, float]) -> dict[float, float]:
    return {when.timestamp(): value for when, value in past.items() if when < NOON}


def test_a_closed_period_gives_its_value_at_its_start_and_an_open_one_gives_none(world: World) -> None:
    reading = world.source.read([Request(fleet=world.fleet("web"), since=AN_HOUR_AGO)], until=NOW)

    assert reading.problems == {}
    assert the(reading.points["web"]) == pytest.approx(closed(WEB))


def test_missing_stays_missing(world: World) -> None:
    reading = world.source.read([Request(fleet=world.fleet("gappy"), since=AN_HOUR_AGO)], until=NOW)

    assert the(reading.points["gappy"]) == pytest.approx(closed(GAPPY))


def test_only_what_is_wanted_is_given(world: World) -> None:
    since = NOON - 3 * FIVE + timedelta(seconds=1)

    reading = world.source.read([Request(fleet=world.fleet("web"), since=since)], until=NOW)

    assert reading.points["web"].values.tolist() == pytest.approx([10, 11, 12])


def test_many_fleets_are_read_at_once_and_one_without_data_costs_the_others_nothing(world: World) -> None:
    asked = [Request(fleet=world.fleet(name), since=AN_HOUR_AGO) for name in ("gappy", "dark", "web")]

    reading = world.source.read(asked, until=NOW)

    assert "dark" in reading.problems or not len(reading.points.get("dark", ()))
    assert the(reading.points["web"]) == pytest.approx(closed(WEB))
    assert the(reading.points["gappy"]) == pytest.approx(closed(GAPPY))


def test_the_newest_value_comes_with_its_age(world: World) -> None:
    latest = world.source.latest([world.fleet("dark"), world.fleet("web")], now=NOW)

    assert "dark" not in latest.seen
    assert latest.seen["web"].value == pytest.approx(12)
    assert timedelta(0) <= latest.seen["web"].age(NOW) <= FIVE


def test_a_fleet_whose_metric_is_nowhere_costs_only_itself(world: World) -> None:
    asked = [Request(fleet=each, since=AN_HOUR_AGO) for each in (world.lost, world.fleet("web"))]

    reading = world.source.read(asked, until=NOW)

    assert "nowhere" in reading.problems["lost"]
    assert the(reading.points["web"]) == pytest.approx(closed(WEB))
