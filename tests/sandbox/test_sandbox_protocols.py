"""Clients that do not speak as boto3 does: the query protocol, and CBOR."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import requests
from botocore.model import Shape
from botocore.parsers import create_parser

from sandbox.errors import error_answer

if TYPE_CHECKING:
    from sandbox import Cloud

SIGNATURE = "AWS4-HMAC-SHA256 Credential=sandbox/20260105/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def test_metric_data_are_answered_in_the_query_protocol_too(cloud: Cloud) -> None:
    start = cloud.now() - timedelta(minutes=10)
    cloud.write_metric("Load", "Requests", {}, start=start, step=timedelta(minutes=5), values=[3, 4])
    form = {
        "Action": "GetMetricData",
        "Version": "2010-08-01",
        "StartTime": start.isoformat(),
        "EndTime": cloud.now().isoformat(),
        "ScanBy": "TimestampAscending",
        "MetricDataQueries.member.1.Id": "m",
        "MetricDataQueries.member.1.MetricStat.Metric.Namespace": "Load",
        "MetricDataQueries.member.1.MetricStat.Metric.MetricName": "Requests",
        "MetricDataQueries.member.1.MetricStat.Period": "300",
        "MetricDataQueries.member.1.MetricStat.Stat": "Sum",
    }
    answer = requests.post(cloud.url, data=form, headers={"Authorization": SIGNATURE.format("monitoring")}, timeout=10)
    texts = [element.text for element in ET.fromstring(answer.text).iter() if element.tag.endswith("member")]  # noqa: S314
    assert answer.status_code == 200
    assert [text for text in texts if text and text.strip()] == [
        "2026-01-05T07:50:00Z",
        "2026-01-05T07:55:00Z",
        "3.0",
        "4.0",
    ]
    assert cloud.calls() == {"cloudwatch.GetMetricData": 1}


@pytest.mark.parametrize(
    ("protocol", "parser"),
    [
        ("query", "query"),
        ("ec2", "ec2"),
        ("json", "json"),
        ("rest-json", "rest-json"),
        ("rest-xml", "rest-xml"),
        ("cbor", "smithy-rpc-v2-cbor"),
    ],
)
@pytest.mark.parametrize("message", ["Rate exceeded", 'a <tag> & a "quote"', "Übermaß " * 40])
def test_an_error_can_be_read_in_every_protocol(protocol: str, parser: str, message: str) -> None:
    answer = error_answer(protocol, "Throttling", message, 400)
    raw = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}
    parsed = create_parser(parser).parse(raw, Shape("Any", {"type": "structure"}))
    assert parsed["Error"]["Code"] == "Throttling"
    assert parsed["Error"]["Message"] == message
