"""The `metric` of a fleet file is one kind of several; what each may say is checked to the last key."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from demo.local_airflow import ROOT
from predictive_scaling.errors import InvalidFleet
from predictive_scaling.fleet_file import fleet_schema, read_fleet
from predictive_scaling.metric import AirflowMetric, ArrivalsMetric, Metric, PrometheusMetric, QueueMetric, SqlMetric
from predictive_scaling.metric_file import KINDS
from predictive_scaling.sources.routed import shipped_sources

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = re.findall(
    r"^```yaml\n(metric:.*?)^```$", (ROOT / "docs" / "fleets.md").read_text(), re.DOTALL | re.MULTILINE
)


def a_fleet(folder: Path, metric: str) -> Any:
    """Read a fleet file with this metric and give what it is measured by."""
    rest = "name: web\ngroup: web-asg\ntarget_per_instance: 20\nmin: 1\nmax: 9\n"
    (folder / "web.yaml").write_text(rest + metric)
    return read_fleet(folder / "web.yaml").metric


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split("\n")[1].strip())
def test_every_example_of_the_document_is_a_good_metric(tmp_path: Path, example: str) -> None:
    metric = a_fleet(tmp_path, example)

    jsonschema.validate(yaml.safe_load((tmp_path / "web.yaml").read_text()), fleet_schema())
    assert metric.source == yaml.safe_load(example)["metric"].get("source", "cloudwatch")


def test_the_document_has_an_example_of_every_source() -> None:
    kinds = {yaml.safe_load(example)["metric"].get("source", "cloudwatch") for example in EXAMPLES}

    assert kinds == {"cloudwatch", "sqs", "prometheus", "sql", "airflow", "file"}


def test_every_source_a_file_can_name_is_shipped() -> None:
    named = {str(fields.model_fields["source"].annotation).split("'")[1] for fields in KINDS.values()}

    assert named == set(shipped_sources())


def test_a_file_without_a_source_means_cloudwatch(tmp_path: Path) -> None:
    assert isinstance(a_fleet(tmp_path, "metric: {namespace: A, name: B}"), Metric)


def test_what_a_file_leaves_out_has_its_default(tmp_path: Path) -> None:
    assert a_fleet(tmp_path, "metric: {source: sqs, queue: jobs}") == QueueMetric(
        name="messages in jobs", queue="jobs", in_flight=True, period=timedelta(minutes=5)
    )
    assert a_fleet(tmp_path, "reaction: {}\nmetric: {source: sqs, queue: jobs, drain: 10m}") == ArrivalsMetric(
        name="messages sent to jobs", queue="jobs", drain=timedelta(minutes=10), period=timedelta(minutes=5)
    )
    assert a_fleet(tmp_path, "metric: {source: prometheus, name: x, query: sum(up)}") == PrometheusMetric(
        name="x", query="sum(up)", connection="prometheus_default"
    )
    assert a_fleet(tmp_path, "metric: {source: airflow, pool: gpu}") == AirflowMetric(
        name="task instances", pool="gpu", connection="airflow_api"
    )


HOUR = timedelta(hours=1)
ACCOUNT = ("aws_default", None)


def test_histories_of_different_metrics_never_mix() -> None:
    kinds = [
        Metric(namespace="A", name="jobs"),
        QueueMetric(name="jobs", queue="jobs"),
        QueueMetric(name="jobs", queue="jobs", in_flight=False),
        ArrivalsMetric(name="jobs", queue="jobs", drain=HOUR),
        PrometheusMetric(name="jobs", query="jobs"),
        SqlMetric(name="jobs", query="jobs", connection="jobs"),
        SqlMetric(name="jobs", query="jobs", connection="other"),
        AirflowMetric(name="jobs", queue="jobs"),
        AirflowMetric(name="jobs", pool="jobs"),
    ]

    assert len({kind.identity(ACCOUNT) for kind in kinds}) == len(kinds)
    again = QueueMetric(name="other name", queue="jobs", may_stand_still=timedelta(1))
    assert again.identity(ACCOUNT) == kinds[1].identity(ACCOUNT)
    sooner = ArrivalsMetric(name="jobs", queue="jobs", drain=HOUR / 4)
    assert sooner.identity(ACCOUNT) == kinds[3].identity(ACCOUNT)


def test_a_metric_of_another_account_is_another_metric_if_it_lies_in_an_account() -> None:
    ireland, ohio = ("aws_default", "eu-west-1"), ("aws_default", "us-east-2")
    queue, query = QueueMetric(name="jobs", queue="jobs"), PrometheusMetric(name="jobs", query="jobs")

    assert queue.identity(ireland) != queue.identity(ohio)
    assert query.identity(ireland) == query.identity(ohio)


SQL = "metric: {source: sql, name: x, connection: c, query: "
BAD_METRICS = {
    "an unknown source": (
        "metric: {source: datadog}",
        r"metric: source 'datadog' is none of airflow, cloudwatch, .*sqs",
    ),
    "a key of another source": ("metric: {source: sqs, queue: q, query: x}", r"metric\.query: is no key .*in_flight"),
    "a depth that is to be drained": (
        "metric: {source: sqs, queue: q, in_flight: false, drain: 5m}",
        r"in_flight is of what a queue holds, and with drain it is what comes that counts: leave one out",
    ),
    "a drain of no time": ("metric: {source: sqs, queue: q, drain: 1s}", r"drain 0:00:01 is not between .*: write"),
    "a drain nobody sees to": (
        "metric: {source: sqs, queue: q, drain: 5m}",
        r"metric.drain is how soon reaction works off what waits, and there is none: add `reaction: {}`",
    ),
    "no query": ("metric: {source: prometheus, name: x}", r"metric\.query: is missing"),
    "an address for a queue": ("metric: {source: sqs, queue: 'https://sqs/1/q'}", r"metric\.queue: 'https://sqs/1/q'"),
    "a mean of instances": ("metric: {source: prometheus, name: x, query: avg(cpu)}", r"is a mean, .*: write sum"),
    "a query without bounds": (SQL + "SELECT 1}", r"query lacks :since and :until"),
    "a query with a cast for a bound": (SQL + "'SELECT now()::since, :until'}", r"query lacks :since: "),
    "a period there is not": ("metric: {source: sqs, queue: q, period: 2m}", r"period 0:02:00 is none of 1m"),
    "a file of another kind": ("metric: {source: file, name: x, path: /load.xls}", r"ends neither in .csv nor"),
    "a search": (
        "metric: {name: x, expression: 'SUM(SEARCH(1)) + a', metrics: {a: {namespace: A, name: B}}}",
        r"expression uses SEARCH, which gives several series",
    ),
    "a metric no expression uses": (
        "metric: {name: x, expression: 'a * 2', metrics: {a: {namespace: A, name: B}, b: {namespace: A, name: C}}}",
        r"metrics names b, which the expression 'a \* 2' does not use",
    ),
}


@pytest.mark.parametrize(("metric", "message"), BAD_METRICS.values(), ids=BAD_METRICS.keys())
def test_a_bad_metric_gets_one_line_that_names_key_value_and_mend(tmp_path: Path, metric: str, message: str) -> None:
    with pytest.raises(InvalidFleet, match=message) as refusal:
        a_fleet(tmp_path, metric)
    assert "\n" not in str(refusal.value)
