"""The promise: the watch is woken through a connection of its own, which need have no other rights."""

from __future__ import annotations

import asyncio
import runpy
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from rights import connect_with, keys_of

import sandbox
from demo.local_airflow import ROOT
from predictive_scaling.triggers.load import Bell

if TYPE_CHECKING:
    import pytest

FOREVER = 300.0


async def wait(queue: str, connection: str, *, seconds: float, times: int = 1) -> None:
    async with AsyncExitStack() as stack:
        bell = Bell(queue, connection, stack)
        for _ in range(times):
            await bell.wait(seconds)


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


def test_a_queue_that_cannot_be_read_is_told_once_and_the_watch_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(wait("http://127.0.0.1:9/alarms", "nobody", seconds=0.01, times=3))
    assert caplog.text.count("no alarm wakes the watch: queue http://127.0.0.1:9/alarms cannot be read") == 1
    assert "no Airflow connection 'nobody' in the triggerer" in caplog.text
