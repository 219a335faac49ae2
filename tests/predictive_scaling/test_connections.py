"""A connection's own way to AWS is kept, and only how often a call is tried again is ours."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

import sandbox
from predictive_scaling.aws_client import client
from predictive_scaling.triggers.fleet import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

INSIDE = "http://autoscaling.aws.invalid"
"""An address that only the proxy knows."""


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        running.create_fleet("web", max_size=3, desired=1)
        yield running


def connect(monkeypatch: pytest.MonkeyPatch, endpoint: str | None, **config: Any) -> None:
    extra = {
        "region_name": "us-east-1",
        "aws_access_key_id": "x",
        "aws_secret_access_key": "y",
        "config_kwargs": config,
        **({"endpoint_url": endpoint} if endpoint else {}),
    }
    monkeypatch.setenv("AIRFLOW_CONN_INSIDE", json.dumps({"conn_type": "aws", "extra": extra}))


async def named_by_the_triggerer() -> list[str]:
    async with AsyncExitStack() as stack:
        autoscaling = await opened("autoscaling", stack, connection="inside", region=None)
        return names(await autoscaling.describe_auto_scaling_groups())


def names(answer: dict[str, Any]) -> list[str]:
    return [row["AutoScalingGroupName"] for row in answer["AutoScalingGroups"]]


def test_aws_is_reached_through_the_proxy_of_the_connection(
    monkeypatch: pytest.MonkeyPatch, cloud: sandbox.Cloud
) -> None:
    connect(monkeypatch, INSIDE, proxies={"http": cloud.url})
    assert names(client("autoscaling", connection="inside", region=None).describe_auto_scaling_groups()) == ["web"]
    assert asyncio.run(named_by_the_triggerer()) == ["web"]


def test_a_connection_that_asks_for_validated_cryptography_gets_the_endpoints_that_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(monkeypatch, None, use_fips_endpoint=True)
    assert (
        client("sqs", connection="inside", region=None).meta.endpoint_url == "https://sqs-fips.us-east-1.amazonaws.com"
    )


def test_a_connection_cannot_turn_off_that_a_refused_call_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, cloud: sandbox.Cloud
) -> None:
    connect(monkeypatch, cloud.url, retries={"mode": "legacy", "max_attempts": 0}, connect_timeout=9)
    cloud.faults.add(service="autoscaling", error="Throttling", count=1)
    assert names(client("autoscaling", connection="inside", region=None).describe_auto_scaling_groups()) == ["web"]
