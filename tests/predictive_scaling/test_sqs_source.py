"""A queue's past and present, and the permissions they take: exactly those that are shipped."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from measuring import NOON, NOW, connect_to, measured_by, on_sqs

import sandbox
from demo.local_airflow import ROOT
from predictive_scaling.metric import QueueMetric
from predictive_scaling.sources import Request
from predictive_scaling.sources.sqs import SqsSource

if TYPE_CHECKING:
    import pytest


def test_reading_a_queue_takes_the_shipped_permissions_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.running() as cloud:
        cloud.clock(now=NOW, speed=0)
        connect_to(cloud, monkeypatch)
        fleet = on_sqs(cloud).fleet("web")
        cloud.faults.forget_calls()

        SqsSource().read([Request(fleet=fleet, since=NOON - timedelta(hours=1))], until=NOW)
        SqsSource().latest([fleet], now=NOW)

        made = {name.replace(".", ":") for name in cloud.calls()}
    statements = json.loads((ROOT / "include" / "iam" / "queue.json").read_text())["Statement"]
    assert made == {action for statement in statements for action in statement["Action"]}


def test_messages_being_worked_on_count_unless_the_file_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.running() as cloud:
        cloud.clock(now=NOW, speed=0)
        connect_to(cloud, monkeypatch)
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
