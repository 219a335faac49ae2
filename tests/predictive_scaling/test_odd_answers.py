"""What a server may answer besides what it should: it costs the fleet that asked, and keeps no other waiting."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config
from measuring import FIVE, NOON, NOW, connect, measured_by

from predictive_scaling import aws_client
from predictive_scaling.metric import AirflowMetric, FileMetric, Metric, PrometheusMetric, QueueMetric
from predictive_scaling.sources import Request
from predictive_scaling.sources.airflow_runs import Appointment, appointments
from predictive_scaling.sources.airflow_tasks import TaskInstances
from predictive_scaling.sources.cloudwatch import CloudWatchSource
from predictive_scaling.sources.memory import MemorySource
from predictive_scaling.sources.object_file import FileSource
from predictive_scaling.sources.prometheus import PrometheusSource
from predictive_scaling.sources.routed import RoutedSource
from predictive_scaling.sources.sqs import SqsSource
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from predictive_scaling.fleet_spec import FleetSpec

AT = NOW.timestamp()
Answer = tuple[int, Any]


@contextmanager
def serving(answer: Callable[[str, bytes], Answer]) -> Iterator[int]:
    """Answer every request on a port of its own by what `answer` makes of its path and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = answer(self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - as the server calls it

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def on_prometheus(name: str) -> FleetSpec:
    return measured_by(PrometheusMetric(name=name, query=name), name)


def connect_aws(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y", "region_name": "us-east-1"}
    extra = {"endpoint_url": f"http://127.0.0.1:{port}", **keys}
    monkeypatch.setattr(aws_client, "CONFIG", Config(retries={"total_max_attempts": 1}))
    connect(monkeypatch, "aws_default", conn_type="aws", extra=extra)


def answered(kind: str, result: Any) -> Any:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


ODD = {
    "histogram": answered("vector", [{"metric": {}, "histogram": [AT, {"count": "1"}]}]),
    "range": answered("matrix", [{"metric": {}, "values": [[AT - 60, "1"], [AT, "2"]]}]),
    "text": answered("string", [AT, "abc"]),
    "word": answered("vector", [{"metric": {}, "value": [AT, "many"]}]),
    "list": [],
    "late": answered("vector", [{"metric": {}, "value": ["Infinity", "1"]}]),
}


def test_an_answer_of_another_kind_costs_its_own_fleet_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        **ODD,
        "locked": {"message": "Unauthorized"},
        "web": answered("vector", [{"metric": {}, "value": [AT, "12"]}]),
    }

    def answer(path: str, _body: bytes) -> Answer:
        query = parse_qs(urlsplit(path).query)["query"][0]
        return (401 if query == "locked" else 200), answers[query]

    with serving(answer) as port:
        connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=port)
        latest = PrometheusSource().latest([on_prometheus(name) for name in answers], now=NOW)

    assert {name: seen.value for name, seen in latest.seen.items()} == {"web": 12}
    assert set(latest.problems) == {*ODD, "locked"}
    assert "it answered 401: {'message': 'Unauthorized'}" in latest.problems["locked"]


def test_what_prometheus_has_forgotten_keeps_nobody_from_what_it_still_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_since = (NOW - timedelta(days=15)).timestamp()  # as it does unless told otherwise

    def answer(path: str, _body: bytes) -> Answer:
        asked = {name: given[0] for name, given in parse_qs(urlsplit(path).query).items()}
        known = float(asked["end"]) >= kept_since and asked["query"] == "web"
        series = [{"metric": {}, "values": [[float(asked["end"]), "12"]]}]
        return 200, answered("matrix", series if known else [])

    minutely = [measured_by(PrometheusMetric(name=name, query=name, period=FIVE / 5), name) for name in ("web", "none")]
    with serving(answer) as port:
        connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=port)
        since = NOW - timedelta(days=28)
        reading = PrometheusSource().read([Request(fleet=fleet, since=since) for fleet in minutely], until=NOW)

    assert set(reading.points["web"].values) == {12}
    assert "the query none gave no series" in reading.problems["none"]


def test_the_next_run_of_one_dag_is_known_however_many_others_run_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    midnight, busy = NOON + timedelta(hours=12), [f"every-minute-{number}" for number in range(150)]
    next_runs = {**dict.fromkeys(busy, NOW + timedelta(minutes=1)), "report": midnight}

    def answer(path: str, _body: bytes) -> Answer:
        if path == "/auth/token":
            return 201, {"access_token": "x"}
        asked = {name: given[0] for name, given in parse_qs(urlsplit(path).query).items()}
        found = [name for name in next_runs if asked.get("dag_id_pattern", "") in name][: int(asked["limit"])]
        return 200, {"dags": [{"dag_id": each, "next_dagrun_run_after": f"{next_runs[each]}"} for each in found]}

    fleet = measured_by(AirflowMetric(name="task instances", dag="report"))
    with serving(answer) as port:
        connect(monkeypatch, "airflow_api", conn_type="http", host="127.0.0.1", port=port, login="a", password="b")
        found = list(appointments(TaskInstances("airflow_api"), fleet, since=NOW, until=NOW + timedelta(days=2)))

    assert found == [Appointment(dag="report", at=midnight)]


def test_a_source_that_hangs_keeps_no_other_waiting_is_not_asked_twice_and_is_heard_when_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    released = Event()

    def answer(path: str, _body: bytes) -> Answer:
        asked.append(path)
        released.wait()
        return 200, answered("vector", [{"metric": {}, "value": [AT, "12"]}])

    healthy = MemorySource(points={"web": Points.of([(NOON - FIVE, 7.0)])})
    source = RoutedSource({"prometheus": PrometheusSource(), "cloudwatch": healthy}, patience=timedelta(seconds=0.3))
    fleets = [on_prometheus("hung"), measured_by(Metric(namespace="A", name="B"))]
    with serving(answer) as port:
        connect(monkeypatch, "prometheus_default", conn_type="http", host="127.0.0.1", port=port)
        for _ in range(2):
            latest = source.latest(fleets, now=NOW)
            assert list(latest.seen) == ["web"]
            assert "source prometheus has not answered since 12:02:00 UTC" in latest.problems["hung"]
        assert len(asked) == 1
        reading = source.read([Request(fleet=fleet, since=NOON - 2 * FIVE) for fleet in fleets], until=NOW)
        assert (list(reading.points), list(reading.problems)) == (["web"], ["hung"])

        released.set()
        while "hung" not in latest.seen:
            latest = source.latest(fleets, now=NOW)
    assert latest.seen["hung"].value == 12


def test_one_file_that_cannot_be_parsed_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "endless.csv").write_text("timestamp,value\n2026-01-05T11:00Z," + "1" * 200_000)
    (tmp_path / "huge.csv").write_text("timestamp,value\n2026-01-05T11:00Z,10\n" + "9" * 30 + ",1\n")
    (tmp_path / "web.csv").write_text("timestamp,value\n2026-01-05T11:00Z,10\n")
    fleets = [
        measured_by(FileMetric(name=name, path=f"file://{tmp_path}/{name}.csv"), name)
        for name in ("endless", "huge", "web")
    ]

    reading = FileSource().read([Request(fleet=fleet, since=NOON - timedelta(hours=2)) for fleet in fleets], until=NOW)

    assert reading.points["web"].values.tolist() == [10]
    assert "field larger than field limit" in reading.problems["endless"]
    assert "huge" in reading.problems


def test_queues_behind_an_endpoint_that_is_down_are_not_asked_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def answer(path: str, _body: bytes) -> Answer:
        asked.append(path)
        return 503, {"__type": "ServiceUnavailable", "message": "come back later"}

    fleets = [measured_by(QueueMetric(name=name, queue=name), name) for name in ("one", "two", "three")]
    with serving(answer) as port:
        connect_aws(monkeypatch, port)
        latest = SqsSource().latest(fleets, now=NOW)

    assert len(asked) == 1
    assert set(latest.problems) == {"one", "two", "three"}


@pytest.mark.parametrize("status", ["InternalError", "Forbidden", "PartialData"])
def test_a_metric_that_cloudwatch_gives_in_part_is_not_taken_for_the_whole(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [(NOON - 2 * FIVE).timestamp(), (NOON - FIVE).timestamp()]

    def result(identity: str, state: str) -> Any:
        return {"Id": identity, "Label": identity, "Timestamps": times, "Values": [10.0, 20.0], "StatusCode": state}

    def answer(_path: str, _body: bytes) -> Answer:
        return 200, {"MetricDataResults": [result("load0", "Complete"), result("load1", status)], "Messages": []}

    fleets = [measured_by(Metric(namespace="A", name=name, statistic="Average"), name) for name in ("web", "part")]
    with serving(answer) as port:
        connect_aws(monkeypatch, port)
        requests = [Request(fleet=fleet, since=NOON - timedelta(hours=1)) for fleet in fleets]
        reading = CloudWatchSource().read(requests, until=NOW)

    assert list(reading.points) == ["web"]
    assert f"CloudWatch answered {status}" in reading.problems["part"]


def test_what_comes_on_a_later_page_completes_the_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(state: str, minutes: int) -> Any:
        when = (NOON - timedelta(minutes=minutes)).timestamp()
        return [{"Id": "load0", "Label": "x", "Timestamps": [when], "Values": [1.0], "StatusCode": state}]

    def answer(_path: str, body: bytes) -> Answer:
        if b"NextToken" in body:
            return 200, {"MetricDataResults": page("Complete", 5)}
        return 200, {"MetricDataResults": page("PartialData", 10), "NextToken": "more"}

    with serving(answer) as port:
        connect_aws(monkeypatch, port)
        fleet = measured_by(Metric(namespace="A", name="B", statistic="Average"))
        reading = CloudWatchSource().read([Request(fleet=fleet, since=NOON - 3 * FIVE)], until=NOW)

    assert len(reading.points["web"]) == 2
