"""Alarms in time: what they see each minute, when they change, and whom they tell."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sandbox.alarm_state import Rule, next_state

if TYPE_CHECKING:
    from sandbox import Cloud


def an_alarm(cloud: Cloud, **changes: Any) -> None:
    request = {
        "AlarmName": "busy",
        "Namespace": "App",
        "MetricName": "Load",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 70.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **changes,
    }
    cloud.client("cloudwatch").put_metric_alarm(**request)


def alarm(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.client("cloudwatch").describe_alarms(AlarmNames=["busy"])["MetricAlarms"][0])


def state(cloud: Cloud) -> str:
    return str(alarm(cloud)["StateValue"])


def write(cloud: Cloud, *values: float) -> None:
    cloud.write_metric("App", "Load", {}, start=cloud.now(), step=timedelta(minutes=1), values=values)


def test_an_alarm_knows_nothing_until_there_are_data(cloud: Cloud) -> None:
    an_alarm(cloud)
    assert (state(cloud), alarm(cloud)["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    cloud.advance(600)
    assert state(cloud) == "INSUFFICIENT_DATA"
    write(cloud, 10)
    cloud.advance(60 + 10)
    assert state(cloud) == "OK"


def test_it_goes_off_after_its_evaluation_periods_and_says_why(cloud: Cloud) -> None:
    an_alarm(cloud)
    write(cloud, 10, 10, 10, 90, 91, 92.5)
    cloud.advance(5 * 60 + 59)
    assert state(cloud) == "OK"
    cloud.advance(11)
    assert state(cloud) == "ALARM"
    assert alarm(cloud)["StateReason"] == (
        "Threshold Crossed: 3 out of the last 3 datapoints [92.5 (05/01/26 08:05:00), 91.0 (05/01/26 08:04:00), "
        "90.0 (05/01/26 08:03:00)] were greater than the threshold (70.0) (minimum 3 datapoints for OK -> ALARM "
        "transition)."
    )
    assert alarm(cloud)["StateUpdatedTimestamp"] == cloud.now()


def test_m_of_n_datapoints_are_enough(cloud: Cloud) -> None:
    an_alarm(cloud, DatapointsToAlarm=2)
    write(cloud, 10, 90, 10, 90)
    cloud.advance(190)
    assert state(cloud) == "OK"
    cloud.advance(60)
    assert state(cloud) == "ALARM"


def test_an_alarm_on_an_expression(cloud: Cloud) -> None:
    metric = {"Namespace": "App", "MetricName": "Load"}
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName="busy",
        EvaluationPeriods=1,
        Threshold=100,
        ComparisonOperator="GreaterThanThreshold",
        Metrics=[
            {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "double", "Expression": "m * 2", "ReturnData": True},
        ],
    )
    write(cloud, 40, 60)
    cloud.advance(70)
    assert state(cloud) == "OK"
    cloud.advance(60)
    assert state(cloud) == "ALARM"


@pytest.mark.parametrize(
    ("seen", "needed", "states"),
    [
        # the states for: missing, ignore, breaching, notBreaching
        ("0-X-X", 3, ("OK", "OK", "OK", "OK")),
        ("----0", 3, ("OK", "OK", "OK", "OK")),
        ("-----", 3, ("INSUFFICIENT_DATA", "kept", "ALARM", "OK")),
        ("0XX-X", 3, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("--X--", 3, ("ALARM", "kept", "ALARM", "OK")),
        ("----X", 3, ("kept", "kept", "ALARM", "OK")),
        ("0-X-X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("00X-X", 2, ("ALARM", "ALARM", "ALARM", "ALARM")),
        ("0-X--", 2, ("OK", "OK", "ALARM", "OK")),
        ("---X-", 2, ("ALARM", "kept", "ALARM", "OK")),
    ],
)
def test_missing_data_are_treated_as_asked(seen: str, needed: int, states: tuple[str, ...]) -> None:
    window = [{"0": 0.0, "X": 1.0, "-": None}[each] for each in seen]
    found = []
    for missing in ("missing", "ignore", "breaching", "notBreaching"):
        rule = Rule(comparison="GreaterThanThreshold", threshold=0.5, periods=3, needed=needed, missing=missing)
        found.append(next_state(rule, window, "kept"))
    assert tuple(found) == states


def test_data_that_stop_lead_back_to_insufficient_data(cloud: Cloud) -> None:
    an_alarm(cloud)
    write(cloud, 90, 90, 90)
    cloud.advance(190)
    assert state(cloud) == "ALARM"
    cloud.advance(600)
    assert state(cloud) == "INSUFFICIENT_DATA"


def test_a_change_reaches_a_queue_through_a_topic(cloud: Cloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:alarms")
    an_alarm(cloud, AlarmActions=[topic], OKActions=[topic])
    write(cloud, 10, 90, 90, 90, 90, 90, 90)
    cloud.advance(430)
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    envelopes = [json.loads(message["Body"]) for message in received]
    told = [json.loads(envelope["Message"]) for envelope in envelopes]
    assert [(each["OldStateValue"], each["NewStateValue"]) for each in told] == [
        ("INSUFFICIENT_DATA", "OK"),
        ("OK", "ALARM"),
    ]
    assert told[1]["Trigger"]["MetricName"] == "Load"
    assert envelopes[1]["Subject"].startswith('ALARM: "busy" in ')


def test_disabled_actions_are_silent(cloud: Cloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:alarms")
    an_alarm(cloud, AlarmActions=[topic], ActionsEnabled=False)
    write(cloud, 90, 90, 90)
    cloud.advance(190)
    assert state(cloud) == "ALARM"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_state_set_by_hand_acts_and_lasts_until_the_next_evaluation(cloud: Cloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:alarms")
    an_alarm(cloud, AlarmActions=[topic])
    write(cloud, 10, 10)
    cloud.advance(80)
    cloud.client("cloudwatch").set_alarm_state(AlarmName="busy", StateValue="ALARM", StateReason="a drill")
    assert state(cloud) == "ALARM"
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    cloud.advance(60)
    assert state(cloud) == "OK"


def test_a_changed_alarm_keeps_its_state(cloud: Cloud) -> None:
    an_alarm(cloud)
    write(cloud, 90, 90, 90)
    cloud.advance(190)
    an_alarm(cloud, Threshold=80.0)
    assert state(cloud) == "ALARM"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm"),
        ({"Period": 43_200}, "more than a day"),
        ({"AlarmActions": [f"arn:aws:sns:us-east-1:123456789012:t{n}" for n in range(6)]}, "at most 5 actions"),
    ],
)
def test_what_cloudwatch_would_refuse_is_refused(cloud: Cloud, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        an_alarm(cloud, **changes)
