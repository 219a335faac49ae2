"""Long polling: it waits for a message, ends when one comes, and holds up nobody else meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

import sandbox


def test_a_long_poll_holds_nobody_up_and_ends_with_the_message() -> None:
    with sandbox.running() as cloud, ThreadPoolExecutor(1) as pool:
        sqs = cloud.client("sqs")
        queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        waiting = pool.submit(cloud.client("sqs").receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        for _ in range(20):
            cloud.client("autoscaling").describe_auto_scaling_groups()
        assert not waiting.done(), "the others were answered while it waited"
        sqs.send_message(QueueUrl=queue, MessageBody="at last")
        assert [each["Body"] for each in waiting.result(timeout=15)["Messages"]] == ["at last"]


def test_a_poll_without_a_wait_ends_at_once() -> None:
    with sandbox.running() as cloud:
        sqs = cloud.client("sqs")
        queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_message_is_counted_where_it_is_and_deleted_once() -> None:
    with sandbox.running() as cloud:
        sqs = cloud.client("sqs")
        queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        for body, delay in (("a", 0), ("b", 0), ("later", 600)):
            sqs.send_message(QueueUrl=queue, MessageBody=body, DelaySeconds=delay)
        (taken,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=60)["Messages"]
        assert counts(sqs, queue) == {"": 1, "NotVisible": 1, "Delayed": 1}
        for _ in range(2):  # as on AWS, a message that is gone can be deleted again
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=taken["ReceiptHandle"])
        assert counts(sqs, queue) == {"": 1, "NotVisible": 0, "Delayed": 1}
        with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle="never")


def counts(sqs: Any, queue: str) -> dict[str, int]:
    start = "ApproximateNumberOfMessages"
    names = [start, f"{start}NotVisible", f"{start}Delayed"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return {name.removeprefix(start): int(found[name]) for name in names}
