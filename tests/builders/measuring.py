"""The same small past, measured by every source there is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import rights
import sqlalchemy as sa

from forecasting import Policy
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import (
    ArrivalsMetric,
    FileMetric,
    Measure,
    Metric,
    PrometheusMetric,
    QueueMetric,
    SqlMetric,
)
from predictive_scaling.sources.cloudwatch import CloudWatchSource
from predictive_scaling.sources.memory import MemorySource
from predictive_scaling.sources.object_file import FileSource
from predictive_scaling.sources.prometheus import PrometheusSource
from predictive_scaling.sources.sql import SqlSource
from predictive_scaling.sources.sqs import SqsSource
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pytest

    import sandbox
    from demo.local_prometheus import LocalPrometheus
    from predictive_scaling.sources import Source

NOON: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
NOW: Final = NOON + timedelta(minutes=2)
"""The period that began at noon is open; those before it have long closed."""
FIVE: Final = timedelta(minutes=5)
MINUTE: Final = timedelta(minutes=1)
WEB: Final = {NOON - (12 - at) * FIVE: float(at + 1) for at in range(13)}
"""1 in the hour's first period, 12 in its last, and 13 in the one that is open."""
GAPPY: Final = {when: value for when, value in WEB.items() if value not in {5, 6, 7}}
PAST: Final = {"web": WEB, "gappy": GAPPY}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A source to which the past has happened, and how a fleet of it is written."""

    source: Source
    metric: Callable[[str], Measure]
    lost: FleetSpec
    """A fleet whose metric is nowhere."""

    def fleet(self, name: str) -> FleetSpec:
        """Give the fleet of a past."""
        return measured_by(self.metric(name), name)


def measured_by(metric: Measure, name: str = "web", **keys: Any) -> FleetSpec:
    """Give a fleet measured by any kind of metric."""
    anything: Any = metric
    return FleetSpec(name=name, group=name, metric=anything, policy=Policy(1, 9, 100.0), **keys)


def in_memory() -> World:
    points = {name: Points.of(past.items()) for name, past in PAST.items()}
    source = MemorySource(points=points, problems={"lost": "is nowhere"})
    return World(source=source, metric=_requests, lost=measured_by(_requests("lost"), "lost"))


def on_cloudwatch(cloud: sandbox.Cloud) -> World:
    for name, past in PAST.items():
        _publish(cloud, _requests(name), past)
    lost = measured_by(_requests("lost"), "lost", connection="nowhere")
    return World(source=CloudWatchSource(), metric=_requests, lost=lost)


def on_sqs(cloud: sandbox.Cloud) -> World:
    """Of the messages of each period one is being worked on; the queue `web` holds twelve now."""
    sqs = cloud.client("sqs")
    address = sqs.create_queue(QueueName="web")["QueueUrl"]
    for number in range(12):
        sqs.send_message(QueueUrl=address, MessageBody=str(number))
    for queue, past in PAST.items():
        waiting, working = (
            Metric(namespace="AWS/SQS", name=f"ApproximateNumberOfMessages{which}", dimensions={"QueueName": queue})
            for which in ("Visible", "NotVisible")
        )
        _publish(cloud, waiting, {when: value - 1 for when, value in past.items()})
        _publish(cloud, working, dict.fromkeys(past, 1.0))
    lost = measured_by(QueueMetric(name="lost", queue="lost"), "lost", connection="nowhere")
    return World(source=SqsSource(), metric=lambda name: QueueMetric(name=name, queue=name), lost=lost)


def on_arrivals(cloud: sandbox.Cloud) -> World:
    """The messages of each period were sent to a queue that holds none any more."""
    for name, past in PAST.items():
        queue = f"{name}-sent"
        cloud.client("sqs").create_queue(QueueName=queue)
        sent = Metric(namespace="AWS/SQS", name="NumberOfMessagesSent", dimensions={"QueueName": queue})
        _publish(cloud, sent, {when: value * (FIVE / MINUTE) for when, value in past.items()})
    lost = measured_by(arriving("lost"), "lost", connection="nowhere")
    return World(source=SqsSource(), metric=arriving, lost=lost)


def arriving(name: str) -> ArrivalsMetric:
    """Give what comes to a queue that is drained within ten minutes."""
    return ArrivalsMetric(name=name, queue=f"{name}-sent", drain=2 * FIVE)


def on_prometheus(server: LocalPrometheus, patch: pytest.MonkeyPatch) -> World:
    connect(patch, "prometheus_default", conn_type="http", host="127.0.0.1", port=server.port)

    def metric(name: str, connection: str = "prometheus_default") -> Measure:
        return PrometheusMetric(name=name, query=f'sum(load{{fleet="{name}"}})', connection=connection)

    return World(source=PrometheusSource(), metric=metric, lost=measured_by(metric("lost", "nowhere"), "lost"))


def prometheus_past() -> Iterator[tuple[str, datetime, float]]:
    """Each period's value is scraped a minute before the period's end, from two instances."""
    for name, past in PAST.items():
        for when, value in past.items():
            for instance, part in (("a", 1.0), ("b", value - 1)):
                yield f'load{{fleet="{name}",instance="{instance}"}}', when + FIVE - MINUTE, part


def in_database(address: str, patch: pytest.MonkeyPatch, **connection: Any) -> World:
    """Every period has two orders, whose sizes together are its value."""
    engine = sa.create_engine(address)
    columns: dict[str, Any] = {"at": sa.DateTime(timezone=True), "fleet": sa.Text(), "size": sa.Float()}
    orders = sa.Table("orders", sa.MetaData(), *(sa.Column(name, kind) for name, kind in columns.items()))
    rows = [
        {"at": when + offset * MINUTE, "fleet": name, "size": value / 2}
        for name, past in PAST.items()
        for when, value in past.items()
        for offset in (0, 4)
    ]
    with engine.begin() as connected:
        orders.create(connected)
        connected.execute(orders.insert(), rows)
    connect(patch, "shop", **connection)

    def metric(name: str, connection: str = "shop") -> Measure:
        query = f"SELECT at, size * 5 FROM orders WHERE fleet = '{name}' AND at >= :since AND at < :until"  # noqa: S608
        return SqlMetric(name="orders", query=query, connection=connection)

    return World(source=SqlSource(), metric=metric, lost=measured_by(metric("lost", "nowhere"), "lost"))


def in_files(folder: Path, kind: str) -> World:
    for name, past in PAST.items():
        if kind == "csv":
            lines = [f"{when.isoformat()},{value}" for when, value in past.items()]
            (folder / f"{name}.csv").write_text("\n".join(["timestamp,value", *lines]))
        else:
            columns = {"timestamp": list(past), "value": list(past.values())}
            pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    (folder / f"dark.{kind}").write_bytes((folder / f"web.{kind}").read_bytes()[:15])

    def metric(name: str) -> Measure:
        return FileMetric(name=name, path=f"file://{folder}/{name}.{kind}")

    return World(source=FileSource(), metric=metric, lost=measured_by(metric("nowhere"), "lost"))


def connect(patch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    """Define an Airflow connection."""
    patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


def connect_to(cloud: sandbox.Cloud, patch: pytest.MonkeyPatch) -> None:
    """Define the connection to a sandbox cloud, with the rights of those who measure."""
    rights.connect(cloud, patch, "observe", "queue")


def _requests(name: str) -> Metric:
    return Metric(namespace="Shop", name="Requests", dimensions={"Fleet": name}, statistic="Average")


def _publish(cloud: sandbox.Cloud, metric: Metric, past: Mapping[datetime, float]) -> None:
    dimensions = [{"Name": key, "Value": value} for key, value in metric.dimensions.items()]
    data = [
        {"MetricName": metric.name, "Dimensions": dimensions, "Timestamp": when, "Value": value}
        for when, value in past.items()
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace=metric.namespace, MetricData=data)
