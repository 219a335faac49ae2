"""CloudWatch alarms that ring when a fleet's load is more than its instances serve well, and what they ring with.

A fleet with a burst beside it has one for its baseline too, which rings when splitting the traffic does not help.

An alarm wakes the watch, which looks for itself: so an alarm need not be exact, and one that fails costs no more than
the time until the next look. The sum is made by CloudWatch, of the fleet's own metric and of its instances in service.
What is there already is compared first, so a second run writes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.aws_client import reading, writing
from predictive_scaling.burst import baseline_cpu
from predictive_scaling.errors import WriteRefused
from predictive_scaling.fleet_spec import each_load
from predictive_scaling.metric import IN_SERVICE, OF_GROUPS
from predictive_scaling.sources import SourceUnavailable
from predictive_scaling.sources.cloudwatch import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from predictive_scaling.burst import Burst
    from predictive_scaling.fleet_spec import FleetSpec

PAGE: Final = 100
"""Alarms that one DeleteAlarms takes."""
TOO_LONG: Final = 2
"""Periods of five minutes that a baseline may stay above its ceiling."""
_KINDS: Final = ("load", "baseline")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChange:
    """What is to be done about one alarm."""

    name: str
    verb: str  # create, update, keep or delete
    request: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.verb} alarm {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """A topic that alarms are sent to, and the queues behind it, one for each shard of the watch."""

    topic: str
    queues: tuple[str, ...]


def wanted_alarms(
    fleets: Sequence[FleetSpec], prefix: str, topic: str
) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """Give an alarm for each load that is reacted to and each baseline, by name; and why a load can have none."""
    found: dict[str, Mapping[str, Any]] = {
        alarm_name(prefix, spec.name, "baseline"): _of_baseline(spec, spec.burst, topic)
        for spec in fleets
        if spec.burst
    }
    none: dict[str, str] = {}
    for load in each_load(spec for spec in fleets if spec.reaction):
        try:
            found[alarm_name(prefix, load.name)] = _alarm(load, topic)
        except SourceUnavailable as error:
            none[load.name] = f"no alarm, only looks: {error}"
    return found, none


def alarm_name(prefix: str, load: str, kind: str = "load") -> str:
    """Name an alarm; whatever begins like it is ours."""
    return f"{prefix}-{kind}-{load}"


def changes(cloudwatch: Any, prefix: str, wanted: Mapping[str, Mapping[str, Any]]) -> list[AlarmChange]:
    """Compare what is wanted with what is there."""
    with reading("reading the alarms"):
        paginate = cloudwatch.get_paginator("describe_alarms").paginate
        pages = [page for kind in _KINDS for page in paginate(AlarmNamePrefix=alarm_name(prefix, "", kind))]
        known = {row["AlarmName"]: row for page in pages for row in page["MetricAlarms"]}
    put = [
        AlarmChange(name=name, verb=_verb(known.get(name), request), request=request)
        for name, request in wanted.items()
    ]
    return [*put, *(AlarmChange(name=name, verb="delete") for name in sorted(known.keys() - wanted.keys()))]


def apply_changes(cloudwatch: Any, planned: Sequence[AlarmChange]) -> dict[str, str]:
    """Make the changes; what CloudWatch refuses of one alarm keeps no other from being made, and is given back."""
    refused: dict[str, str] = {}
    for change in planned:
        if change.request and change.verb != "keep":
            try:
                with writing(str(change)):
                    cloudwatch.put_metric_alarm(AlarmName=change.name, **change.request)
            except WriteRefused as error:
                refused[change.name] = str(error)
    gone = [change.name for change in planned if change.verb == "delete"]
    for at in range(0, len(gone), PAGE):
        with writing(f"deleting {len(gone)} alarms"):
            cloudwatch.delete_alarms(AlarmNames=gone[at : at + PAGE])
    return refused


def make_bell(sns: Any, sqs: Any, name: str, *, shards: int = 1) -> Bell:
    """Make sure of topic, queues and what leads from the one to the others; what is there is only named."""
    with writing(f"making sure of topic {name}"):
        topic = sns.create_topic(Name=name)["TopicArn"]
    names = [name, *(f"{name}-{number}" for number in range(2, shards + 1))]
    return Bell(topic=topic, queues=tuple(_queue_behind(topic, each, sns, sqs) for each in names))


def _queue_behind(topic: str, name: str, sns: Any, sqs: Any) -> str:
    with writing(f"making sure of queue {name}"):
        queue = str(sqs.create_queue(QueueName=name)["QueueUrl"])
    with reading(f"reading queue {name}"):
        known = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn", "Policy"])["Attributes"]
    policy = _may_send(topic, known["QueueArn"])
    with writing(f"leading topic {name} to its queue"):
        if json.loads(known.get("Policy") or "{}") != policy:
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=known["QueueArn"])
    return queue


def _alarm(spec: FleetSpec, topic: str) -> dict[str, Any]:
    """Ring when the load is above what the instances in service serve well, by more than the tolerance."""
    policy, metric = spec.policy, spec.metric
    served = policy.target_per_instance * policy.units * (1 + policy.tolerance) / metric.scale
    load = [{**query, "ReturnData": False} for query in queries(metric, spec.group, 0)]
    excess = f"load0 - {served:.10g} * FILL(serving, {policy.min_size // policy.units})"
    return {
        "AlarmDescription": f"{metric.unit} of fleet {spec.name} above what serves it well; wakes predictive scaling",
        "Metrics": [*load, _serving(spec), {"Id": "excess", "Expression": excess, "ReturnData": True}],
        **_ringing(above=0.0, periods=1, topic=topic),
    }


def _of_baseline(spec: FleetSpec, burst: Burst, topic: str) -> dict[str, Any]:
    """Ring when a baseline stays above its ceiling, though what it cannot take should go to the burst."""
    cpu = baseline_cpu(spec.group, timedelta(minutes=5))
    ceiling = round(100 * burst.terms.ceiling, 6)
    return {
        "AlarmDescription": f"CPU of fleet {spec.name} stays above {ceiling:g}%: see split_traffic, and its size",
        "Metrics": queries(cpu, spec.group, 0),
        **_ringing(above=ceiling, periods=TOO_LONG, topic=topic),
    }


def _ringing(*, above: float, periods: int, topic: str) -> dict[str, Any]:
    return {
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": periods,
        "Threshold": above,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "ActionsEnabled": True,
        "AlarmActions": [topic],
    }


def _serving(spec: FleetSpec) -> dict[str, Any]:
    measured = {
        "Namespace": OF_GROUPS,
        "MetricName": IN_SERVICE,
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": spec.group}],
    }
    stat = {"Metric": measured, "Period": int(spec.metric.period.total_seconds()), "Stat": "Average"}
    return {"Id": "serving", "MetricStat": stat, "ReturnData": False}


def _verb(known: Mapping[str, Any] | None, request: Mapping[str, Any]) -> str:
    if known is None:
        return "create"
    return "keep" if all(_plain(known.get(key)) == _plain(value) for key, value in request.items()) else "update"


def _plain(value: Any) -> Any:
    """Leave out of a list of queries what AWS adds to it."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return value
    kept = ("Id", "Expression", "MetricStat", "ReturnData")
    return [{name: query[name] for name in kept if name in query} for query in value]


def _may_send(topic: str, queue: str) -> dict[str, Any]:
    statement = {
        "Sid": "AlarmsOfThisTopic",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
