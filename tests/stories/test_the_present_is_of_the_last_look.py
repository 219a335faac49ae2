"""The promise: what is told of a fleet is of the last look at it, and puts no load beside instances of another time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from by_hand import FLEET_FILE, a_desk, the_fleet
from services import without

from demo.local_prometheus import LocalPrometheus, prometheus_program
from predictive_scaling.fleet_spec import Shard
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.look import LoadSeen, Look, is_news
from predictive_scaling.lookout import Lookout
from predictive_scaling.sources.memory import MemorySource
from predictive_scaling.storage import Points
from predictive_scaling.triggers.load import LoadTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 1, 5, 8, 1, tzinfo=UTC)
BY_HOST = "avg by (Hostname) (busy)"
ON_GPUS = f"{{source: prometheus, name: GPU, query: 'sum({BY_HOST})', instances: 'count({BY_HOST})', period: 1m}}"


def a_lookout(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch, *loads: float) -> Lookout:
    """Arrange the watch of one group of two, whose load of each five minutes is told a minute after them."""
    a_desk(cloud, folder, monkeypatch)
    (folder / "fleets" / "web.yaml").write_text(f"{FLEET_FILE}reaction: {{}}\n")
    points = [(NOW - 6 * MINUTE + 5 * number * MINUTE, load) for number, load in enumerate(loads)]
    return Lookout(folder=folder / "fleets", shard=Shard(1, 1), source=MemorySource(points={"web": Points.of(points)}))


def looked(lookout: Lookout, now: datetime) -> list[Look]:
    """Look, and give what is worth keeping."""
    lookout.look(now)
    news = lookout.book.news(lookout.watched.values(), now)
    lookout.book.keep(news)
    return news


def resized(cloud: sandbox.Cloud, size: int, *, by: timedelta) -> None:
    """Let the group have so many in service."""
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=size)
    cloud.clock(now=(NOW + by).isoformat(), speed=0)
    assert the_fleet(cloud).observe().in_service == size


def test_before_the_first_turn_of_a_fleet_the_watch_tells_of_its_size(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    now = datetime.now(UTC)
    lookout.source = MemorySource(points={"web": Points.of([(now - 6 * MINUTE, 300.0)])})
    trigger = LoadTrigger()
    assert [answer.written for answer in trigger._turn(lookout)] == [True]  # noqa: SLF001 - what it does between waits

    statuses = SqlStatuses.from_connection()
    look = statuses.look("web")
    assert look is not None
    assert (look.desired, look.at >= now) == (3, True), "as it was seen after the change, not before"
    assert statuses.all() == (), "a status is a turn's to keep: its size would pass for the plan"

    trigger._turn(lookout)  # noqa: SLF001
    again = statuses.look("web")
    assert again is not None
    assert (again.desired, again.at > look.at) == (3, True)
    assert [load.value for load in again.loads] == [300.0]


def test_a_load_measured_before_instances_came_is_told_of_those_that_were_there(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch, 150.0, 200.0)
    resized(cloud, 2, by=timedelta(hours=1))
    (first,) = looked(lookout, NOW)
    assert [load.of_each for load in first.loads] == [None], "nobody knows how many there were before"

    resized(cloud, 3, by=timedelta(hours=2))
    (after,) = looked(lookout, NOW + 5 * MINUTE)
    assert after.in_service == 3
    assert [(load.value, load.instances, load.of_each) for load in after.loads] == [(200.0, 2, 100.0)]


def test_a_look_is_kept_when_something_changed_and_not_oftener_than_it_matters() -> None:
    load = LoadSeen(metric="m", value=1.0, at=NOW, instances=2)
    before = Look(fleet="web", at=NOW, min_size=1, max_size=8, desired=2, in_service=2, loads=(load,))
    larger, busier = replace(before, desired=3), replace(before, loads=(replace(load, value=2.0),))

    def after(seconds: int, look: Look) -> bool:
        return is_news(replace(look, at=NOW + timedelta(seconds=seconds)), before)

    assert is_news(before, None)
    assert after(1, larger)
    assert [after(seconds, busier) for seconds in (1, 29, 30)] == [False, False, True]
    assert [after(seconds, before) for seconds in (30, 299, 300)] == [False, False, True]


def test_a_ledger_that_is_away_costs_what_is_shown_and_no_look(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookout = a_lookout(cloud, tmp_path, monkeypatch)
    address = f'{{"conn_type": "generic", "extra": {{"sqlalchemy_url": "sqlite:///{tmp_path}/empty.db"}}}}'
    with monkeypatch.context() as away:
        away.setenv("AIRFLOW_CONN_SCALING_LEDGER", address)
        assert LoadTrigger()._turn(lookout) == []  # noqa: SLF001
    LoadTrigger()._turn(lookout)  # noqa: SLF001
    assert SqlStatuses.from_connection().look("web") is not None, "what could not be kept is kept at the next look"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPrometheus]:
    """Three hosts, two GPUs each, that all have little to do; from the tenth minute on one is silent."""
    if prometheus_program() is None:
        without("Prometheus", "run `make services`")
    samples = [
        (f'busy{{Hostname="{host}",gpu="{gpu}"}}', NOW + minute * MINUTE, 20.0 + minute / 10)
        for host in "abc"
        for gpu in range(2)
        for minute in range(30 if host != "c" else 10)
    ]
    with LocalPrometheus(tmp_path_factory.mktemp("gpus"), samples=samples) as server:
        yield server


@pytest.mark.parametrize(("begin", "lowered"), [(0, [2]), (18, [])], ids=["all are heard", "one is silent"])
def test_a_silent_exporter_does_not_pass_for_an_idle_host(
    cloud: sandbox.Cloud,
    prometheus: LocalPrometheus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begin: int,
    lowered: list[int],
) -> None:
    a_desk(cloud, tmp_path, monkeypatch)
    resized(cloud, 3, by=timedelta(hours=1))
    monkeypatch.setenv("AIRFLOW_CONN_PROMETHEUS_DEFAULT", f"http://127.0.0.1:{prometheus.port}")
    text = FLEET_FILE.replace("{namespace: A, name: B}", ON_GPUS)
    (tmp_path / "fleets" / "web.yaml").write_text(f"{text}reaction: {{}}\ncooldown_down: 5m\n")
    lookout = Lookout(folder=tmp_path / "fleets", shard=Shard(1, 1))

    looks = [lookout.look(NOW + minute * MINUTE)[0] for minute in range(begin, begin + 8)]
    asked = sorted({each.capacity for reactions in looks for each in reactions if not each.kept})

    (look,) = lookout.book.news(lookout.watched.values(), NOW + (begin + 7) * MINUTE)
    assert asked == lowered
    assert [load.instances for load in look.loads] == [2 if begin else 3]
    assert ("was seen on 2 of 3 instances: check that the exporter is up" in (look.problem or "")) == bool(begin)
