"""The promise: the watch is woken through a connection of its own, which need have no other rights."""

from __future__ import annotations

import asyncio
import runpy
from contextlib import AsyncExitStack

import pytest
from measuring import connect
from rights import connect_with, keys_of

import sandbox
from demo.local_airflow import ROOT
from predictive_scaling.aws_client import CONFIG
from predictive_scaling.triggers.load import LONGEST_POLL, Bell

FOREVER = 300.0


async def wait(queue: str, connection: str, *, seconds: float, times: int = 1) -> None:
    async with AsyncExitStack() as stack:
        bell = Bell(queue, connection, stack)
        for _ in range(times):
            await bell.wait(seconds)


async def troubled(bell: Bell, caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the bell has told a trouble, after which it waits for the next look."""
    waiting = asyncio.create_task(bell.wait(FOREVER))
    while "no alarm wakes the watch" not in caplog.text:
        await asyncio.sleep(0.01)
        assert not waiting.done(), waiting.exception()
    waiting.cancel()


def test_the_queue_of_alarms_is_read_with_the_connection_that_is_set_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.running() as cloud:
        sqs = cloud.client("sqs")
        queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="look now")
        connect_with(keys_of(cloud, "watch"), cloud, monkeypatch, name="ears")
        monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__ALARM_QUEUES", queue)
        monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__ALARM_CONNECTION", "ears")

        (watcher,) = runpy.run_path(str(ROOT / "dags" / "react_to_load.py"))["SIGNAL"].watchers
        fields = watcher.trigger.serialize()[1]
        asyncio.run(asyncio.wait_for(wait(fields["queue"], fields["connection"], seconds=FOREVER), FOREVER / 10))

        assert cloud.calls()["sqs.DeleteMessageBatch"] == 1, "what woke it is not heard again"
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


@pytest.mark.parametrize(
    ("queue", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/alarms", "eu-central-1"),
        ("https://vpce-1-a.sqs.us-gov-west-1.vpce.amazonaws.com/123456789012/alarms", "us-gov-west-1"),
        ("https://sqs-fips.us-west-2.amazonaws.com/123456789012/alarms", "us-west-2"),
        ("https://sqs.eu-west-1.api.aws/123456789012/alarms", "eu-west-1"),
        ("https://eu-west-3.queue.amazonaws.com/123456789012/alarms", "eu-west-3"),
        ("http://127.0.0.1:5555/123456789012/alarms", "us-east-1"),
    ],
)
def test_a_queue_is_asked_in_the_region_of_its_address_else_in_that_of_its_connection(
    monkeypatch: pytest.MonkeyPatch, queue: str, region: str
) -> None:
    extra = {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}
    connect(
        monkeypatch, "ears", conn_type="aws", extra={**extra, "aws_access_key_id": "x", "aws_secret_access_key": "y"}
    )
    asked: list[str] = []

    async def live() -> None:
        async with AsyncExitStack() as stack:
            bell = Bell(queue, "ears", stack)
            await bell.wait(1.0)
            asked.append(bell._sqs.meta.region_name)  # noqa: SLF001 - what it asks is nowhere else to be seen

    asyncio.run(live())
    assert asked == [region]


def test_a_queue_that_cannot_be_read_is_told_once_and_the_watch_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(wait("http://127.0.0.1:9/alarms", "nobody", seconds=0.01, times=3))
    assert caplog.text.count("no alarm wakes the watch: queue http://127.0.0.1:9/alarms cannot be read") == 1
    assert "no Airflow connection 'nobody' in the triggerer" in caplog.text


def test_an_address_that_is_none_is_told_and_the_watch_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    extra = {"endpoint_url": "nonsense", "region_name": "us-east-1"}
    connect(monkeypatch, "ears", conn_type="aws", extra=extra)

    async def live() -> None:
        async with AsyncExitStack() as stack:
            await troubled(Bell("http://127.0.0.1:9/alarms", "ears", stack), caplog)

    asyncio.run(live())
    assert "Invalid endpoint: nonsense" in caplog.text


def test_a_queue_that_goes_and_comes_back_is_read_again_and_its_next_trouble_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def live(cloud: sandbox.Cloud, queue: str) -> None:
        sqs = cloud.client("sqs")
        async with AsyncExitStack() as stack:
            bell = Bell(queue, "ears", stack)
            for _ in range(2):
                caplog.clear()
                sqs.delete_queue(QueueUrl=queue)
                await troubled(bell, caplog)
                sqs.create_queue(QueueName="alarms")
                sqs.send_message(QueueUrl=queue, MessageBody="look now")
                await asyncio.wait_for(bell.wait(FOREVER), FOREVER / 10)

    with sandbox.running() as cloud:
        queue = cloud.client("sqs").create_queue(QueueName="alarms")["QueueUrl"]
        connect_with(keys_of(cloud, "watch"), cloud, monkeypatch, name="ears")
        asyncio.run(live(cloud, queue))


def test_a_quiet_queue_answers_well_before_the_client_takes_it_for_dead() -> None:
    patience: float = getattr(CONFIG, "read_timeout")  # noqa: B009 - botocore's types do not know its options
    assert patience >= 2 * LONGEST_POLL


def test_many_messages_are_one_reason_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.running() as cloud:
        sqs = cloud.client("sqs")
        queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
        for _ in range(25):
            sqs.send_message(QueueUrl=queue, MessageBody="look now")
        connect_with(keys_of(cloud, "watch"), cloud, monkeypatch, name="ears")
        asyncio.run(wait(queue, "ears", seconds=FOREVER))
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")
