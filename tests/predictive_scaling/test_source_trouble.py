"""A source that lies, stands still or is gone costs its own fleet an update, never another's, and never capacity."""

from __future__ import annotations

import dataclasses
import math
import re
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from measuring import FIVE, MINUTE, NOON, NOW, connect, measured_by
from services import without

from demo.local_airflow import ROOT
from demo.local_prometheus import LocalPrometheus, prometheus_program
from demo.process import free_port
from predictive_scaling.autoscaler import Autoscaler
from predictive_scaling.metric import FileMetric, Metric, PrometheusMetric
from predictive_scaling.pull import Pulled, pull
from predictive_scaling.sources import Latest, Reading, Request
from predictive_scaling.sources.memory import MemorySource
from predictive_scaling.sources.prometheus import PrometheusSource
from predictive_scaling.sources.routed import RoutedSource, shipped_sources
from predictive_scaling.sources.soundness import sound, standstill
from predictive_scaling.storage import Points, Storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from predictive_scaling.fleet_spec import FleetSpec

DAY = timedelta(days=1)
REQUESTS = Metric(namespace="Shop", name="Requests")


def a_wave(end: datetime, *, days: int = 2) -> list[tuple[datetime, float]]:
    """A load that goes up and down with the day and never stands still."""
    slots = [end - number * FIVE for number in range(1, days * 288 + 1)]
    return [(when, 300 + 200 * math.sin(2 * math.pi * when.timestamp() / 86_400) + when.minute / 10) for when in slots]


def on_prometheus(name: str, query: str, connection: str = "prometheus_default") -> FleetSpec:
    return measured_by(PrometheusMetric(name=name, query=query, connection=connection), name)


def dcgm(gpu: int, **values: float) -> list[tuple[str, datetime, float]]:
    """What NVIDIA's exporter shows of one GPU, in its own names."""
    names = {"busy": "DCGM_FI_DEV_GPU_UTIL", "used": "DCGM_FI_DEV_FB_USED", "free": "DCGM_FI_DEV_FB_FREE"}
    when = NOON - timedelta(minutes=1)
    return [(f'{names[key]}{{gpu="{gpu}",job="gpu-inference"}}', when, value) for key, value in values.items()]


def of_a_pod(pod: str, busy: float, *, honoured: bool) -> tuple[str, datetime, float]:
    """What is kept of a GPU in use by a pod; unless labels are honoured, `pod` is the exporter's own."""
    of_its_own = f'namespace="ml",pod="{pod}"'
    other = f'exported_namespace="ml",exported_pod="{pod}",namespace="gpu-operator",pod="nvidia-dcgm-exporter-x7k2p"'
    labels = of_its_own if honoured else other
    return f'DCGM_FI_DEV_GPU_UTIL{{Hostname="{pod}",{labels}}}', NOON - timedelta(minutes=1), busy


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPrometheus]:
    """Five exporters' past, up to three hours ago sound, from then on each with its own trouble."""
    if prometheus_program() is None:
        without("Prometheus", "run `make services`")
    sound_until = NOON - timedelta(hours=3)
    samples = []
    for when, value in a_wave(NOON):
        late = when >= sound_until
        troubled = {"healthy": value, "nan": math.nan, "frozen": 321.5, "negative": -value, "absent": None}
        for name, broken in troubled.items():
            shown = broken if late else value
            if shown is not None:
                samples.append((f'load{{fleet="{name}"}}', when + FIVE - timedelta(minutes=1), shown))
    samples += dcgm(0, busy=50, used=30, free=10)
    samples += dcgm(1, busy=70, used=20, free=20)
    samples += [of_a_pod("trainer-0", 30, honoured=True), of_a_pod("trainer-1", 50, honoured=True)]
    blank = 2_147_483_632  # DCGM_INT32_BLANK
    samples += [of_a_pod("decoder-0", 35, honoured=True), of_a_pod("decoder-1", blank, honoured=True)]
    samples += [of_a_pod("encoder-0", 40, honoured=False), of_a_pod("encoder-1", 80, honoured=False)]
    with LocalPrometheus(tmp_path_factory.mktemp("troubled"), samples=samples) as server:
        yield server


def test_each_trouble_is_said_and_only_the_healthy_fleet_is_stored(
    prometheus: LocalPrometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=prometheus.port)
    connect(monkeypatch, "prometheus_dead", conn_type="http", host="127.0.0.1", port=free_port())
    names = ("nan", "frozen", "negative", "absent", "healthy")
    fleets = [on_prometheus(name, f'sum(load{{fleet="{name}"}})') for name in names]
    storage, source = Storage.at(f"file://{tmp_path}"), RoutedSource(shipped_sources())
    pull(fleets, source, storage, now=NOON - timedelta(hours=3))
    dead = on_prometheus("dead", "sum(up)", "prometheus_dead")
    known = {fleet.name: last(storage, fleet) for fleet in fleets}

    told = {each.fleet: each for each in pull([dead, *fleets], source, storage, now=NOW)}

    assert told["healthy"].problem is None
    assert told["healthy"].newest == NOON - FIVE
    expected = {
        "dead": "connection 'prometheus_dead' does not answer",
        "nan": "gave 36 NaN, and nothing else new",
        "frozen": "has stood at 321.5 since 2026-01-05 09:00 UTC, for 3:00:00, and before that never longer than",
        "negative": "gave 36 negative, and nothing else new",
        "absent": "gave nothing since 2026-01-05 08:55 UTC: check that the exporter is up and scraped",
    }
    for name, what in expected.items():
        assert what in str(told[name]), name
        assert "\n" not in str(told[name])
    unchanged = [fleet for fleet in fleets if fleet.name in expected]
    assert {fleet.name: last(storage, fleet) for fleet in unchanged} == {
        fleet.name: known[fleet.name] for fleet in unchanged
    }, "what is not believed leaves the history as it was"


def last(storage: Storage, fleet: FleetSpec) -> datetime | None:
    return storage.last_measured(fleet)


@pytest.mark.parametrize("password", ["hidden", "hid@hidden"])
@pytest.mark.parametrize("answers", [False, True])
def test_what_is_said_of_a_server_leaves_out_the_name_and_password_in_its_address(
    monkeypatch: pytest.MonkeyPatch, password: str, *, answers: bool
) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port if answers else free_port()
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://uma:{password}@127.0.0.1:{port}/prom"
        connect(monkeypatch, "prometheus_default", conn_type="http", host=address)
        fleet = on_prometheus("web", "sum(up)")
        found = PrometheusSource().read([Request(fleet=fleet, since=NOON - DAY)], until=NOW).problems["web"]
        server.shutdown()
    assert f"http://127.0.0.1:{port}/prom" in found
    assert "hid" not in found


def test_a_query_of_no_series_or_of_many_is_refused(
    prometheus: LocalPrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=prometheus.port)
    fleets = [
        on_prometheus("none", "sum(nobody)"),
        on_prometheus("many", "load"),
        on_prometheus("wrong", "sum(load"),
        on_prometheus("one", "max(load)"),
    ]

    reading = PrometheusSource().read([Request(fleet=fleet, since=NOON - DAY) for fleet in fleets], until=NOW)

    assert "gave no series: check that the exporter is up" in reading.problems["none"]
    assert "put them together, as with sum" in reading.problems["many"]
    assert "Prometheus refused the query sum(load" in reading.problems["wrong"]
    assert list(reading.points) == ["one"]


def test_a_store_behind_prometheus_that_is_silent_makes_the_load_one_seen_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = [('load{fleet="web"}', when, 12.0) for when in (NOON - FIVE, NOON)]
    behind = f"remote_read: [{{url: 'http://127.0.0.1:{free_port()}/read', read_recent: true}}]\n"
    fleet = on_prometheus("web", "sum(load)")
    if prometheus_program() is None:
        without("Prometheus", "run `make services`")
    with LocalPrometheus(tmp_path, samples=samples, settings=behind) as server:
        connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=server.port)
        reading = PrometheusSource().read([Request(fleet=fleet, since=NOON - DAY)], until=NOW)
        latest = PrometheusSource().latest([fleet], now=NOON)

    assert "was answered in part: remote_read: " in reading.problems["web"]
    assert reading.points == {}
    assert latest.seen["web"].value == 12, "it has so much to do at least"
    assert "was answered in part" in latest.problems["web"], "so nothing is lowered by it"


def test_the_documents_gpu_queries_give_the_total_over_the_gpus(
    prometheus: LocalPrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=prometheus.port)
    queries = re.findall(r"^  query: (sum.*DCGM.*)$", (ROOT / "docs" / "fleets.md").read_text(), re.MULTILINE)
    fleets = [on_prometheus(f"gpu-{number}", query) for number, query in enumerate(queries)]

    latest = PrometheusSource().latest(fleets, now=NOON)

    assert {name: seen.value for name, seen in latest.seen.items()} == {"gpu-0": 120, "gpu-1": 125}


@pytest.mark.parametrize(
    ("workload", "total", "instances"), [("trainer", 80, 2), ("encoder", 120, 2), ("decoder", 35, 1)]
)
def test_an_autoscaler_finds_its_pods_by_either_pair_of_labels_and_takes_no_blank_for_a_percentage(
    prometheus: LocalPrometheus, monkeypatch: pytest.MonkeyPatch, workload: str, total: float, instances: int
) -> None:
    connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=prometheus.port)
    body = {"name": workload, "workload": {"name": workload, "namespace": "ml"}, "group": workload}
    sizes = {"min_replicas": 1, "max_replicas": 8, "target_gpu_percent": 70}

    seen = PrometheusSource().latest([Autoscaler.model_validate({**body, **sizes}).spec()], now=NOON).seen[workload]

    assert (seen.value, seen.instances) == (total, instances)


def test_a_long_history_takes_as_many_answers_as_prometheus_allows(
    prometheus: LocalPrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=prometheus.port)
    metric = PrometheusMetric(name="one", query="vector(1)", period=timedelta(minutes=1))
    request = Request(fleet=measured_by(metric, "one"), since=NOON - 28 * DAY)

    points = PrometheusSource().read([request], until=NOON).points["one"]

    assert len(points) == 28 * 1440
    assert points.times[0] == (NOON - 28 * DAY).timestamp()


def test_values_no_load_can_have_are_left_out_and_counted(tmp_path: Path) -> None:
    values = [1.0, math.nan, 3.0, math.inf, -1.0, -math.inf, 1e300, 7.0]
    points = Points.of((NOON - (len(values) - at) * FIVE, value) for at, value in enumerate(values))
    storage, fleet = Storage.at(f"file://{tmp_path}"), measured_by(REQUESTS)

    (told,) = pull([fleet], MemorySource(points={"web": points}), storage, now=NOW)

    assert str(told) == (
        "web: 3 new points, newest 2026-01-05 11:55 UTC, 7 min old; left out 1 NaN, 2 infinite, 1 negative, "
        "1 above 1e+15"
    )
    assert sound(points)[0].values.tolist() == [1, 3, 7]


@pytest.mark.parametrize(
    ("newest", "suspected"),
    [([300.0] * 11, False), ([300.0] * 13, True), ([0.0] * 40, False), ([300.0] * 39 + [301.0], False)],
    ids=["under an hour", "over an hour", "idle", "moving again"],
)
def test_a_load_that_used_to_move_is_suspected_when_it_stands_still(newest: list[float], *, suspected: bool) -> None:
    wave = a_wave(NOON)
    points = Points.of([*wave, *((NOON + at * FIVE, value) for at, value in enumerate(newest))])

    assert bool(standstill(points, REQUESTS)) is suspected


def test_what_the_fleet_file_says_of_standing_still_is_believed() -> None:
    points = Points.of([*a_wave(NOON), *((NOON + at * FIVE, 300.0) for at in range(40))])

    assert standstill(points, dataclasses.replace(REQUESTS, may_stand_still=DAY)) is None
    assert standstill(points, dataclasses.replace(REQUESTS, may_stand_still=FIVE))


def test_a_gap_is_no_standstill() -> None:
    points = Points.of([*a_wave(NOON), (NOON, 300.0), (NOON + timedelta(hours=9), 300.0)])

    assert standstill(points, REQUESTS) is None


def test_a_load_that_always_stood_still_for_hours_is_not_suspected() -> None:
    steps = [(NOON + at * FIVE, float(1 + at // 48)) for at in range(288 * 2)]
    points = Points.of([*steps, *((NOON + 2 * DAY + at * FIVE, 99.0) for at in range(60))])

    assert standstill(points, REQUESTS) is None


def test_a_metric_that_has_stopped_is_said_and_keeps_its_history(tmp_path: Path) -> None:
    source = MemorySource(points={"web": Points.of(a_wave(NOON, days=1))})
    storage, fleet = Storage.at(f"file://{tmp_path}"), measured_by(REQUESTS)
    pull([fleet], source, storage, now=NOW)

    (told,) = pull([fleet], source, storage, now=NOW + timedelta(hours=5))

    assert told.problem is None
    assert "0 new points, newest 2026-01-05 11:55 UTC, 307 min old; Shop Requests" in str(told)
    assert "gave nothing since 2026-01-05 11:55 UTC: check that namespace" in str(told)
    assert len(storage.demand(fleet, since=NOON - DAY)) == 288


class Broken:
    """A source with a mistake in it."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        del until
        raise ZeroDivisionError(len(requests))

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        del now
        raise ZeroDivisionError(len(fleets))


def test_a_source_that_fails_as_a_whole_costs_only_its_own_fleets(tmp_path: Path) -> None:
    good = MemorySource(points={"web": Points.of(a_wave(NOON, days=1))})
    source = RoutedSource({"cloudwatch": good, "file": Broken()})
    fleets = [measured_by(REQUESTS), measured_by(FileMetric(name="x", path="file:///x.csv"), "filed")]

    web, filed = pull(fleets, source, Storage.at(f"file://{tmp_path}"), now=NOW)
    latest = source.latest(fleets, now=NOW)

    assert web.added == 288
    assert filed == Pulled(
        fleet="filed", problem="source file failed: ZeroDivisionError: 1; the traceback is above in this log"
    )
    assert (list(latest.seen), list(latest.problems)) == (["web"], ["filed"])


class Asked:
    """Remembers which fleets it was asked for together."""

    def __init__(self) -> None:
        self.together: list[set[str]] = []

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        del until
        self.together.append({request.fleet.name for request in requests})
        return Reading()

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        return MemorySource().latest(fleets, now=now)


def test_a_source_is_asked_once_for_all_fleets_of_a_connection() -> None:
    fleets = [measured_by(REQUESTS, f"web-{number}") for number in range(3)]
    fleets.append(measured_by(REQUESTS, "elsewhere", connection="aws_shop"))
    fleets += [on_prometheus("x", "sum(x)", "prometheus_x"), on_prometheus("y", "sum(y)", "prometheus_x")]
    source = Asked()

    RoutedSource({"cloudwatch": source, "prometheus": source}).read(
        [Request(fleet=fleet, since=NOON) for fleet in fleets], until=NOW
    )

    assert sorted(map(sorted, source.together)) == [["elsewhere"], ["web-0", "web-1", "web-2"], ["x", "y"]]


@pytest.mark.parametrize(("value", "told"), [(math.nan, "NaN"), (1e300, "above 1e+15")])
def test_a_newest_value_no_load_can_have_is_a_problem_and_no_value(value: float, told: str) -> None:
    points = Points.of([(NOON - FIVE, value)])
    source = RoutedSource({"cloudwatch": MemorySource(points={"web": points})})

    latest = source.latest([measured_by(REQUESTS)], now=NOW)

    assert latest.seen == {}
    assert told in latest.problems["web"]


@pytest.mark.parametrize("minutes", [1, 5])
def test_what_comes_late_within_an_hour_is_read_with_the_next_pull(tmp_path: Path, minutes: int) -> None:
    period = timedelta(minutes=minutes)
    fleet = measured_by(dataclasses.replace(REQUESTS, period=period))
    whole = {NOON - number * period: 100.0 + number for number in range(1, 60)}
    late = {when for when in whole if NOON - 45 * MINUTE <= when < NOON - 30 * MINUTE}
    first = Points.of((when, value) for when, value in whole.items() if when not in late)
    then = Points.of([*whole.items(), (NOON, 100.0)])
    storage = Storage.at(f"file://{tmp_path}")

    pull([fleet], MemorySource(points={"web": first}), storage, now=NOW)
    pull([fleet], MemorySource(points={"web": then}), storage, now=NOW + period)

    demand = storage.demand(fleet, since=NOON - 60 * period)
    assert not [when for when, value in zip(demand.times(), demand.values, strict=True) if math.isnan(value)]


def test_a_history_that_cannot_be_read_costs_its_own_fleet_alone(tmp_path: Path) -> None:
    points = Points.of(a_wave(NOON, days=1))
    source = MemorySource(points={"web": points, "torn": points})
    storage, fleets = Storage.at(f"file://{tmp_path}"), [measured_by(REQUESTS, name) for name in ("torn", "web")]
    pull(fleets, source, storage, now=NOW)
    for file in (tmp_path / "history" / "torn").rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:100])

    torn, web = pull(fleets, source, storage, now=NOW)

    assert re.fullmatch(
        r"stored file history/torn/\w+/2026-01\.parquet of fleet torn cannot be used \(ArrowInvalid: .*\): "
        r"put it back from a backup, or remove it",
        str(torn.problem),
    )
    assert web.problem is None


@pytest.mark.parametrize("unit", [1, 1000])
def test_a_file_may_count_seconds_or_milliseconds_since_1970(tmp_path: Path, unit: int) -> None:
    lines = (f"{int((NOON - number * FIVE).timestamp()) * unit},{number}" for number in range(9, 0, -1))
    (tmp_path / "load.csv").write_text("\n".join(["timestamp,value", *lines]))
    fleet = measured_by(FileMetric(name="load", path=f"file://{tmp_path}/load.csv"))

    (told,) = pull([fleet], RoutedSource(shipped_sources()), Storage.at(f"file://{tmp_path}"), now=NOW)

    assert (told.problem, told.newest) == (None, NOON - FIVE)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("time,load\n", "has the columns time, load: name two of them timestamp and value"),
        ("timestamp,value\nyesterday,1\n", "time 'yesterday' is none"),
        ("timestamp,value\n2026-01-05T11:00Z,many\n", "value 'many' is no number"),
        ("", "has the columns none"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "load.csv").write_text(content)
    fleet = measured_by(FileMetric(name="load", path=f"file://{tmp_path}/load.csv"))

    (told,) = pull([fleet], RoutedSource(shipped_sources()), Storage.at(f"file://{tmp_path}"), now=NOW)

    assert complaint in str(told.problem)
