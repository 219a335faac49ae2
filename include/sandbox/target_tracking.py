"""Target tracking: the two alarms that such a policy makes for itself, and the capacity that its target calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from moto.cloudwatch.models import Dimension, MetricDataQuery, MetricStat, cloudwatch_backends
from moto.cloudwatch.models import Metric as MotoMetric

from sandbox.adjustments import proportional
from sandbox.alarm_data import recent
from sandbox.alarm_state import ALARM
from sandbox.errors import ValidationError
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moto.autoscaling.models import FakeAutoScalingGroup
    from moto.cloudwatch.models import Alarm, CloudWatchBackend

HIGH, LOW = "AlarmHigh", "AlarmLow"
LOW_SHARE = 0.9
"""In is scaled when the metric stays below this share of the target."""
PERIOD_SECONDS = 60
PERIODS = {HIGH: 3, LOW: 15}
PREDEFINED = {
    "ASGAverageCPUUtilization": ("AWS/EC2", "CPUUtilization", "Average"),
    "ASGAverageNetworkIn": ("AWS/EC2", "NetworkIn", "Average"),
    "ASGAverageNetworkOut": ("AWS/EC2", "NetworkOut", "Average"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum"),
}


def _backend(group: FakeAutoScalingGroup) -> CloudWatchBackend:
    return cloudwatch_backends[group.account_id][group.region]


def create_alarms(
    group: FakeAutoScalingGroup, policy_arn: str, configuration: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Make the alarms of a policy, named as AWS names them; without scaling in only the high one."""
    target = float(configuration["TargetValue"])
    sides = [(HIGH, "GreaterThanThreshold", target)]
    if not configuration.get("DisableScaleIn"):
        sides.append((LOW, "LessThanThreshold", target * LOW_SHARE))
    made = []
    for side, comparison, threshold in sides:
        token = UUID(int=WORLD.random.getrandbits(128), version=4)
        alarm = _backend(group).put_metric_alarm(
            name=f"TargetTracking-{group.name}-{side}-{token}",
            comparison_operator=comparison,
            evaluation_periods=PERIODS[side],
            threshold=threshold,
            description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}.",
            alarm_actions=[policy_arn],
            **_watched(group, configuration),
        )
        made.append({"AlarmName": alarm.name, "AlarmARN": alarm.alarm_arn})
    return made


def delete_alarms(group: FakeAutoScalingGroup, alarms: Sequence[Mapping[str, str]]) -> None:
    """Delete the alarms of a policy."""
    _backend(group).delete_alarms([alarm["AlarmName"] for alarm in alarms])


def _watched(group: FakeAutoScalingGroup, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the alarms watch, in the words of moto's put_metric_alarm."""
    custom = configuration.get("CustomizedMetricSpecification")
    if custom and custom.get("Metrics"):
        queries = [_query(query) for query in custom["Metrics"]]
        return {**_metric(None, None, None, []), "metric_data_queries": queries}
    if custom:
        return _metric(custom["Namespace"], custom["MetricName"], custom["Statistic"], custom.get("Dimensions") or [])
    predefined = configuration.get("PredefinedMetricSpecification") or {}
    kind = predefined.get("PredefinedMetricType")
    if kind not in PREDEFINED:
        message = f"PredefinedMetricType {kind} is not valid; use one of {', '.join(PREDEFINED)} or a customized metric"
        raise ValidationError(message)
    namespace, name, statistic = PREDEFINED[kind]
    return _metric(namespace, name, statistic, _dimensions(group, kind, predefined.get("ResourceLabel")))


def _dimensions(group: FakeAutoScalingGroup, kind: str, label: str | None) -> list[dict[str, str]]:
    if kind != "ALBRequestCountPerTarget":
        return [{"Name": "AutoScalingGroupName", "Value": group.name}]
    if not label or "/targetgroup/" not in label:
        message = f"ResourceLabel {label} is not valid: give app/<name>/<id>/targetgroup/<name>/<id>"
        raise ValidationError(message)
    return [{"Name": "TargetGroup", "Value": f"targetgroup/{label.split('/targetgroup/')[1]}"}]


def _metric(
    namespace: str | None, name: str | None, statistic: str | None, dimensions: list[dict[str, str]]
) -> dict[str, Any]:
    period = PERIOD_SECONDS if name else None
    return {
        "namespace": namespace,
        "metric_name": name,
        "statistic": statistic,
        "dimensions": dimensions,
        "period": period,
    }


def _query(query: Mapping[str, Any]) -> MetricDataQuery:
    stat = query.get("MetricStat")
    return MetricDataQuery(
        query_id=query["Id"],
        label=query.get("Label") or "",
        period=str(PERIOD_SECONDS),
        return_data=query.get("ReturnData", True),
        expression=query.get("Expression"),
        metric_stat=_stat(stat) if stat else None,
    )


def _stat(stat: Mapping[str, Any]) -> MetricStat:
    metric = stat["Metric"]
    dimensions = [Dimension(each["Name"], each["Value"]) for each in metric.get("Dimensions") or ()]
    named = MotoMetric(metric["MetricName"], metric["Namespace"], dimensions)
    return MetricStat(named, str(PERIOD_SECONDS), stat["Stat"], stat.get("Unit") or "")


def is_high(alarm: Alarm) -> bool:
    """Tell whether an alarm is the one that scales out."""
    return f"-{HIGH}-" in alarm.name


def low_value(group: FakeAutoScalingGroup, alarms: Sequence[Mapping[str, str]]) -> float | None:
    """Return the metric of a policy if its alarm to scale in is on, else None; one that never scales in agrees."""
    backend = _backend(group)
    known = [backend.alarms[each["AlarmName"]] for each in alarms if each["AlarmName"] in backend.alarms]
    low = next((alarm for alarm in known if not is_high(alarm)), None)
    if low is None:
        return 0.0
    values = recent(backend, low).values
    return float(values[-1]) if low.state_value == ALARM and len(values) else None


def wanted(configuration: Mapping[str, Any], capacity: int, value: float) -> int:
    """Return the capacity at which the metric would be at its target."""
    return proportional(capacity, value, float(configuration["TargetValue"]))
