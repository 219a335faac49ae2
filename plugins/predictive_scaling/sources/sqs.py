"""SQS as a source: a queue's past from CloudWatch, its present from the queue itself.

SQS remembers nothing and CloudWatch is minutes late, so a history comes from the one and the newest value from the
other. How many messages an instance should have is the fleet's `target_per_instance`.

How many messages come only CloudWatch can tell. The queue tells what has piled up meanwhile, so a load of arrivals has
two halves, and either says how much there is to do at least.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from predictive_scaling.aws_client import client, reading
from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.metric import ArrivalsMetric, QueueMetric
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
        """Ask each queue how many messages it holds, and CloudWatch how many come to those that are to be drained."""

        def ask(_account: str, fleet: FleetSpec) -> Seen:
            try:
                return _waiting(fleet, now)
            except CloudUnavailable as error:
                raise (SourceUnavailable if _is_of_the_queue(error) else Unreachable)(str(error)) from error

        held, problems = in_turn(fleets, reach=str, ask=ask)
        drained = [fleet for fleet in fleets if isinstance(fleet.metric, ArrivalsMetric)]
        coming = CloudWatchSource().latest(drained, now=now) if drained else Latest()
        both = {name: replace(come, backlog=held[name].backlog) for name, come in coming.seen.items() if name in held}
        unknown = {fleet.name: _not_told(fleet, coming) for fleet in drained if fleet.name not in coming.seen}
        return Latest(seen={**coming.seen, **held, **both}, problems={**unknown, **problems})


def _is_of_the_queue(error: CloudUnavailable) -> bool:
    """Whether SQS refused this queue, rather than being down or asked too much: then each would be retried in vain."""
    answer = getattr(error.__cause__, "response", None)
    if answer is None:
        return False
    throttled = "Throttl" in answer["Error"]["Code"]
    return not throttled and answer["ResponseMetadata"].get("HTTPStatusCode", 0) < _SERVER_FAULT


def _not_told(fleet: FleetSpec, coming: Latest) -> str:
    why = coming.problems.get(fleet.name, "CloudWatch gave nothing of late")
    return f"{fleet.metric.described} are not known: {why}"


def _waiting(fleet: FleetSpec, now: datetime) -> Seen:
    """Tell what the queue holds: as the load itself, or as a backlog beside what comes."""
    if isinstance(fleet.metric, ArrivalsMetric):
        backlog = fleet.metric.load_of(_held(fleet, fleet.metric.queue, [_WAITING]))
        return Seen(value=0.0, at=now, backlog=backlog)
    metric = metric_of(fleet, QueueMetric)
    wanted = [_WAITING, _IN_FLIGHT] if metric.in_flight else [_WAITING]
    return Seen(value=_held(fleet, metric.queue, wanted), at=now)


def _held(fleet: FleetSpec, queue: str, wanted: Sequence[str]) -> float:
    sqs = client("sqs", connection=fleet.connection, region=fleet.region)
    with reading(f"asking queue {queue} how many messages it holds"):
        address = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        held = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=list(wanted))["Attributes"]
    return float(sum(int(held[name]) for name in wanted))
