"""SQS as a source: a queue's past from CloudWatch, its present from the queue itself.

SQS remembers nothing and CloudWatch is minutes late, so a history comes from the one and the newest value from the
other. How many messages an instance should have is the fleet's `target_per_instance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from predictive_scaling.aws_client import client, reading
from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.metric import QueueMetric
from predictive_scaling.sources import Latest, Seen, SourceUnavailable, Unreachable, metric_of
from predictive_scaling.sources.cloudwatch import CloudWatchSource
from predictive_scaling.sources.in_turn import in_turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Reading, Request

_WAITING: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
_SERVER_FAULT: Final = 500


class SqsSource:
    """Keeps the contract of `Source` through GetMetricData and GetQueueAttributes."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Give the queues' past, hundreds a call."""
        return CloudWatchSource().read(requests, until=until)

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Ask each queue how many messages it holds."""

        def ask(_account: str, fleet: FleetSpec) -> Seen:
            try:
                return Seen(value=_depth(fleet), at=now)
            except CloudUnavailable as error:
                raise (SourceUnavailable if _is_of_the_queue(error) else Unreachable)(str(error)) from error

        seen, problems = in_turn(fleets, reach=str, ask=ask)
        return Latest(seen=seen, problems=problems)


def _is_of_the_queue(error: CloudUnavailable) -> bool:
    """Whether SQS refused this queue, rather than being down or asked too much: then each would be retried in vain."""
    answer = getattr(error.__cause__, "response", None)
    if answer is None:
        return False
    throttled = "Throttl" in answer["Error"]["Code"]
    return not throttled and answer["ResponseMetadata"].get("HTTPStatusCode", 0) < _SERVER_FAULT


def _depth(fleet: FleetSpec) -> float:
    metric = metric_of(fleet, QueueMetric)
    sqs = client("sqs", connection=fleet.connection, region=fleet.region)
    wanted = [_WAITING, _IN_FLIGHT] if metric.in_flight else [_WAITING]
    with reading(f"asking queue {metric.queue} how many messages it holds"):
        address = sqs.get_queue_url(QueueName=metric.queue)["QueueUrl"]
        held = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=wanted)["Attributes"]
    return float(sum(int(held[name]) for name in wanted))
