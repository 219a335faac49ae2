"""The metrics that AWS publishes by itself, every minute.

Those are the sizes of each group, as far as it was told to collect them, and what each queue holds and got.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.sqs.models import sqs_backends

from sandbox.agenda import every
from sandbox.group_instances import sizes
from sandbox.metrics import Metric, store_of
from sandbox.patches import replaces
from sandbox.sqs import sent_of_late

if TYPE_CHECKING:
    from datetime import datetime

    from moto.sqs.models import Queue

MINUTE = timedelta(minutes=1)


@replaces(FakeAutoScalingGroup)
def enable_metrics_collection(self: FakeAutoScalingGroup, metrics: list[str] | None) -> None:
    """Collect these besides those that are collected already; all of them where none is named."""
    self.metrics = sorted({*self.metrics, *(metrics or sizes(self))})


@every(MINUTE)
def publish_group_sizes(now: datetime) -> None:
    """Publish AWS/AutoScaling, stamped with the start of the minute that has just passed."""
    time = (now - MINUTE).timestamp()
    for account, regions in list(autoscaling_backends.items()):
        for region, backend in list(regions.items()):
            if not backend.autoscaling_groups:
                continue
            store = store_of(cloudwatch_backends[account][region])
            for group in backend.autoscaling_groups.values():
                for name, value in sizes(group).items():
                    if name not in group.metrics:
                        continue
                    metric = Metric("AWS/AutoScaling", name, (("AutoScalingGroupName", group.name),))
                    store.open(metric).add(time, float(value))


@every(MINUTE)
def publish_queues(now: datetime) -> None:
    """Publish AWS/SQS for every queue."""
    time = (now - MINUTE).timestamp()
    for account, regions in list(sqs_backends.items()):
        for region, backend in list(regions.items()):
            for queue in list(backend.queues.values()):
                store = store_of(cloudwatch_backends[account][region])
                for name, count in _counts(queue).items():
                    metric = Metric("AWS/SQS", name, (("QueueName", queue.name),))
                    store.open(metric, "Count").add(time, float(count))


def _counts(queue: Queue) -> dict[str, int]:
    return {
        "ApproximateNumberOfMessagesVisible": queue.approximate_number_of_messages,
        "ApproximateNumberOfMessagesNotVisible": queue.approximate_number_of_messages_not_visible,
        "ApproximateNumberOfMessagesDelayed": queue.approximate_number_of_messages_delayed,
        "NumberOfMessagesSent": sent_of_late(queue),
    }
