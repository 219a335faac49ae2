"""What a turn measures, and that it reaches a collector over the wire as Airflow's own metrics do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from demo.local_airflow import ROOT
from predictive_scaling.measures import measures_of
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = Status(
    fleet="web-shop",
    at=NOON,
    group="web-shop",
    mode="auto",
    unit="RequestCount",
    planned=6,
    desired=7,
    in_service=5,
    forecast_id="web-shop@20260301T1100Z",
    written=4,
    price_per_hour=0.5,
    wape=0.07,
)
EMIT = """
from datetime import datetime
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from opentelemetry.metrics import get_meter_provider
from predictive_scaling.measures import emit, measures_of
from predictive_scaling.status import Status

stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
emit(measures_of(Status.from_json({status})))
get_meter_provider().force_flush()
"""


class Collector(HTTPServer):
    """An OpenTelemetry collector that remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Intake)
        self.received: dict[str, tuple[float, dict[str, str]]] = {}


class Intake(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sent = ExportMetricsServiceRequest.FromString(body)
        for metric in (
            each for whole in sent.resource_metrics for part in whole.scope_metrics for each in part.metrics
        ):
            for point in (*metric.gauge.data_points, *metric.sum.data_points):
                tags = {tag.key: tag.value.string_value for tag in point.attributes}
                self.server.received[metric.name] = (point.as_double or float(point.as_int), tags)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def values(status: Status) -> dict[str, float]:
    return {measure.name: measure.value for measure in measures_of(status)}


def test_a_turn_tells_how_good_how_old_and_how_dear() -> None:
    assert values(GOOD) == {
        "forecast_error": 0.07,
        "plan_age": 3600,
        "planned": 6,
        "desired": 7,
        "in_service": 5,
        "cost_per_hour": 2.5,
        "decisions": 4,
    }


def test_what_is_unknown_is_left_out_and_never_nought() -> None:
    new = replace(GOOD, wape=None, forecast_id=None, price_per_hour=0.0)
    assert values(new).keys() == {"planned", "desired", "in_service", "decisions"}


def test_a_turn_that_failed_tells_of_nothing_but_the_failure() -> None:
    assert values(replace(GOOD, problem="AWS cannot be reached")) == {"failed_turns": 1}


def test_without_tags_the_fleet_is_part_of_the_name() -> None:
    (age,) = [measure for measure in measures_of(GOOD) if measure.name == "plan_age"]
    assert age.named(tagged=True) == "predictive_scaling.plan_age"
    assert age.named(tagged=False) == "predictive_scaling.web-shop.plan_age"


def test_they_reach_an_opentelemetry_collector_under_airflows_prefix(collector: Collector, tmp_path: Path) -> None:
    port = collector.server_address[1]
    env = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT}/plugins",
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__METRICS__OTEL_ON": "True",
        "AIRFLOW__METRICS__OTEL_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__OTEL_PORT": str(port),
    }
    script = EMIT.format(status=GOOD.as_json())
    done = subprocess.run([sys.executable, "-c", script], env=env, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-2000:]
    assert {name: told for name, told in collector.received.items() if "predictive_scaling" in name} == {
        f"airflow.predictive_scaling.{name}": (value, {"fleet": "web-shop"}) for name, value in values(GOOD).items()
    }
