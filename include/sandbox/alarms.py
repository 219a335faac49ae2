"""Metric alarms that are evaluated each minute, and whose changes of state reach topics and scaling policies."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends
from moto.core.exceptions import ServiceException

from sandbox.agenda import every
from sandbox.alarm_data import period_of, recent, window
from sandbox.alarm_state import ALARM, COMPARISONS, INSUFFICIENT, OK, Rule, next_state
from sandbox.errors import InvalidParameterCombination, ValidationError
from sandbox.notices import send
from sandbox.patches import replaces
from sandbox.policies import carry_out
from sandbox.world import WORLD

if TYPE_CHECKING:
    from sandbox.metrics import Points

LAG_SECONDS = 10
"""Alarms are looked at a little after the minute, when its data are there."""
MAX_ACTIONS = 5
DAY = 86_400
ACTIONS = {ALARM: "alarm_actions", OK: "ok_actions", INSUFFICIENT: "insufficient_data_actions"}

_moto_put_alarm = CloudWatchBackend.put_metric_alarm
_moto_set_state = CloudWatchBackend.set_alarm_state


@replaces(CloudWatchBackend)
def put_metric_alarm(self: CloudWatchBackend, name: str, **request: Any) -> Alarm:
    """Create an alarm that knows nothing yet, or change one, which keeps its state."""
    _check(request)
    before = self.alarms.get(name)
    alarm = _moto_put_alarm(self, name=name, **request)
    alarm.state_value = before.state_value if before else INSUFFICIENT
    if before:
        alarm.history, alarm.state_reason = before.history, before.state_reason
        alarm.state_updated_timestamp = before.state_updated_timestamp
    return alarm


def _check(request: dict[str, Any]) -> None:
    periods, needed = int(request.get("evaluation_periods") or 1), request.get("datapoints_to_alarm")
    if needed and int(needed) > periods:
        message = "DatapointsToAlarm must be less than or equal to EvaluationPeriods"
        raise ValidationError(message)
    if int(request.get("period") or 0) * periods > DAY:
        message = "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."
        raise ValidationError(message)
    if any(len(request.get(actions) or ()) > MAX_ACTIONS for actions in ACTIONS.values()):
        message = f"An alarm can have at most {MAX_ACTIONS} actions for each state"
        raise InvalidParameterCombination(message)


@replaces(CloudWatchBackend)
def set_alarm_state(self: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str, state_value: str) -> None:
    """Set the state by hand until the next evaluation; actions are taken as for any change."""
    known = self.alarms.get(alarm_name)
    before = known.state_value if known else ""
    _moto_set_state(self, alarm_name, reason, reason_data, state_value)
    if known is not None and before != state_value:
        _act(self, known, before)


@every(timedelta(minutes=1))
def plan_evaluation(_now: datetime) -> None:
    """Evaluate every alarm of every account and region shortly after the minute."""
    for regions in list(cloudwatch_backends.values()):
        for backend in list(regions.values()):
            if backend.alarms:
                WORLD.agenda.at(WORLD.after(LAG_SECONDS), partial(evaluate_alarms, backend))


def evaluate_alarms(backend: CloudWatchBackend) -> None:
    """Look at each metric alarm of one account and region."""
    for alarm in list(backend.alarms.values()):
        if alarm.rule is None and alarm.comparison_operator in COMPARISONS:
            _evaluate(backend, alarm)


def rule_of(alarm: Alarm) -> Rule:
    """Return the rule of a metric alarm."""
    periods = int(alarm.evaluation_periods or 1)
    return Rule(
        comparison=alarm.comparison_operator,
        threshold=float(alarm.threshold),
        periods=periods,
        needed=int(alarm.datapoints_to_alarm or periods),
        missing=alarm.treat_missing_data or "missing",
    )


def _evaluate(backend: CloudWatchBackend, alarm: Alarm) -> None:
    try:
        points = recent(backend, alarm)
    except (ServiceException, KeyError):  # an expression that cannot be evaluated gives no data
        return
    before, rule = alarm.state_value, rule_of(alarm)
    after = next_state(rule, window(alarm, points), before)
    if after != before:
        alarm.update_state(_reason(rule, points, before, after), _reason_data(alarm, points), after)
        _act(backend, alarm, before)
    elif after == ALARM and alarm.actions_enabled:
        _scale(alarm, backend)  # scaling policies are called for as long as the alarm lasts


def _reason(rule: Rule, points: Points, before: str, after: str) -> str:
    times, values = points.times.tolist()[-rule.periods :], points.values.tolist()[-rule.periods :]
    if after == INSUFFICIENT:
        return f"Insufficient Data: {rule.periods} datapoints were unknown."
    _, words = COMPARISONS[rule.comparison]
    shown = ", ".join(
        f"{value} ({datetime.fromtimestamp(time, UTC):%d/%m/%y %H:%M:%S})"
        for time, value in zip(reversed(times), reversed(values), strict=True)
    )
    broken = sum(rule.breaks(value) for value in values)
    count, verb = (broken, "were") if after == ALARM else (len(values) - broken, "were not")
    least = rule.needed if after == ALARM else rule.periods - rule.needed + 1
    return (
        f"Threshold Crossed: {count} out of the last {rule.periods} datapoints [{shown}] {verb} {words} the threshold "
        f"({rule.threshold}) (minimum {least} datapoint{'s' * (least > 1)} for {before} -> {after} transition)."
    )


def _reason_data(alarm: Alarm, points: Points) -> str:
    data = {
        "version": "1.0",
        "queryDate": WORLD.now().isoformat(timespec="milliseconds"),
        "period": period_of(alarm),
        "recentDatapoints": points.values.tolist(),
        "threshold": alarm.threshold,
    }
    return json.dumps(data)


def _act(backend: CloudWatchBackend, alarm: Alarm, before: str) -> None:
    if not alarm.actions_enabled:
        return
    for arn in getattr(alarm, ACTIONS[alarm.state_value]):
        if ":sns:" in arn:
            send(arn, _message(backend, alarm, before), f'{alarm.state_value}: "{alarm.name}" in {backend.region_name}')
    _scale(alarm, backend)


def _scale(alarm: Alarm, backend: CloudWatchBackend) -> None:
    for arn in getattr(alarm, ACTIONS[alarm.state_value]):
        if ":scalingPolicy:" in arn:
            values = recent(backend, alarm).values
            carry_out(arn, alarm, float(values[-1]) if len(values) else None)


def _message(backend: CloudWatchBackend, alarm: Alarm, before: str) -> dict[str, Any]:
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": backend.account_id,
        "AlarmConfigurationUpdatedTimestamp": alarm.configuration_updated_timestamp.isoformat(),
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "StateChangeTime": WORLD.now().isoformat(timespec="milliseconds"),
        "Region": backend.region_name,
        "AlarmArn": alarm.alarm_arn,
        "OldStateValue": before,
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": {
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "StatisticType": "Statistic",
            "Statistic": (alarm.statistic or "").upper(),
            "Unit": alarm.unit,
            "Dimensions": [{"name": each.name, "value": each.value} for each in alarm.dimensions],
            "Period": alarm.period,
            "EvaluationPeriods": alarm.evaluation_periods,
            "DatapointsToAlarm": alarm.datapoints_to_alarm,
            "ComparisonOperator": alarm.comparison_operator,
            "Threshold": alarm.threshold,
            "TreatMissingData": alarm.treat_missing_data or "missing",
        },
    }
