"""What a queue holds and what comes to it, and the permissions they take: exactly those that are shipped."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from measuring import NOON, NOW, arriving, connect_to, measured_by, on_arrivals, on_sqs

import sandbox
from demo.local_airflow import ROOT
from predictive_scaling.metric import QueueMetric
from predictive_scaling.sources import Request
from predictive_scaling.sources.sqs import SqsSource

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        running.clock(now=NOW, speed=0)
        connect_to(running, monkeypatch)
        yield running


def test_reading_a_queue_takes_the_shipped_permissions_and_no_more(cloud: sandbox.Cloud) -> None:
    fleet = on_sqs(cloud).fleet("web")
    cloud.faults.forget_calls()

    SqsSource().read([Request(fleet=fleet, since=NOON - timedelta(hours=1))], until=NOW)
    SqsSource().latest([fleet], now=NOW)

    made = {name.replace(".", ":") for name in cloud.calls()}
    statements = json.loads((ROOT / "include" / "iam" / "queue.json").read_text())["Statement"]
    assert made == {action for statement in statements for action in statement["Action"]}


def test_messages_being_worked_on_count_unless_the_file_says_otherwise(cloud: sandbox.Cloud) -> None:
    both = on_sqs(cloud).fleet("web")
    waiting = measured_by(QueueMetric(name="web", queue="web", in_flight=False), "waiting")
    sqs = cloud.client("sqs")
    sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="web")["QueueUrl"], MaxNumberOfMessages=5)
    gone = measured_by(QueueMetric(name="gone", queue="gone"), "gone")

    requests = [Request(fleet=fleet, since=NOON - timedelta(minutes=10)) for fleet in (both, waiting)]
    past = SqsSource().read(requests, until=NOW).points
    now = SqsSource().latest([gone, both, waiting], now=NOW)

    assert (past["web"].values.tolist(), past["waiting"].values.tolist()) == ([11, 12], [10, 11])
    assert (now.seen["web"].value, now.seen["waiting"].value) == (12, 7)
    assert "asking queue gone how many messages it holds: AWS refused" in now.problems["gone"]


def wait_in(cloud: sandbox.Cloud, name: str, count: int) -> None:
    sqs = cloud.client("sqs")
    address = sqs.create_queue(QueueName=f"{name}-sent")["QueueUrl"]
    for _ in range(count):
        sqs.send_message(QueueUrl=address, MessageBody="a message")


def test_what_waits_is_to_be_worked_off_beside_what_comes(cloud: sandbox.Cloud) -> None:
    web = on_arrivals(cloud).fleet("web")
    wait_in(cloud, "web", 30)

    latest = SqsSource().latest([web], now=NOW)

    seen = latest.seen["web"]
    assert (seen.value, seen.backlog, seen.whole, seen.at) == (12, 3, 15, NOON)
    assert latest.problems == {}


def test_of_a_queue_that_one_of_two_knows_nothing_about_half_is_known(cloud: sandbox.Cloud) -> None:
    web = on_arrivals(cloud).fleet("web")
    wait_in(cloud, "young", 50)
    sqs = cloud.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="web-sent")["QueueUrl"])

    latest = SqsSource().latest([web, measured_by(arriving("young"), "young")], now=NOW)

    assert {name: seen.whole for name, seen in latest.seen.items()} == {"web": 12, "young": 5}
    assert "asking queue web-sent how many messages it holds: AWS refused" in latest.problems["web"]
    assert latest.problems["young"].startswith("messages sent to queue young-sent are not known: CloudWatch gave")
    assert latest.fully_seen == {}
