"""The promise: a fleet that reacts has an alarm which rings when its instances are too few, as its file says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowException
from by_hand import FLEET_FILE, Desk, a_desk

from demo.local_airflow import ROOT
from predictive_scaling.operators import EnsureAlarmsOperator

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import sandbox

FILE = f"{FLEET_FILE}reaction: {{}}\n"
QUEUE = FILE.replace("{namespace: A, name: B}", "{source: sqs, queue: mail}")
PROMETHEUS = FILE.replace("{namespace: A, name: B}", "{source: prometheus, name: load, query: sum(x)}")


def a_desk_with(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch, file: str = FILE) -> Desk:
    desk = a_desk(cloud, folder, monkeypatch, rights=("alarms",))
    (folder / "fleets" / "web.yaml").write_text(file)
    cloud.faults.forget_calls()
    return desk


def ensured(desk: Desk, **options: Any) -> list[tuple[str, str]]:
    rows = desk.carry_out(EnsureAlarmsOperator(task_id="ensure", **options))
    return [(row["alarm"], row["change"]) for row in rows]


def alarms(cloud: sandbox.Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return found


def test_an_alarm_is_made_once_and_follows_the_fleet_file(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    assert ensured(desk, only_plan="True") == [("ps-load-web", "create")]
    assert alarms(cloud) == []

    assert ensured(desk) == [("ps-load-web", "create")]
    assert ensured(desk) == [("ps-load-web", "keep")]
    (tmp_path / "fleets" / "web.yaml").write_text(FILE.replace("target_per_instance: 100", "target_per_instance: 50"))
    assert ensured(desk) == [("ps-load-web", "update")]
    assert cloud.calls()["cloudwatch.PutMetricAlarm"] == 2
    (alarm,) = alarms(cloud)
    assert alarm["Metrics"][-1]["Expression"] == "load0 - 275 * FILL(serving, 2)", "50 a minute, for five, and a tenth"


def test_where_no_fleet_reacts_the_log_says_that_no_alarm_is_wanted(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ensured(a_desk_with(cloud, tmp_path, monkeypatch, FLEET_FILE)) == []
    assert "no fleet of connection 'aws_default' has `reaction:` or `burst:`" in capsys.readouterr().out


def test_an_alarm_goes_with_the_reaction_and_what_is_not_ours_stays(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    ensured(desk)
    mine: dict[str, Any] = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    metric: dict[str, Any] = {"Namespace": "A", "MetricName": "B", "Period": 60, "Statistic": "Sum"}
    cloud.client("cloudwatch").put_metric_alarm(AlarmName="psychic", **mine, **metric)

    (tmp_path / "fleets" / "web.yaml").write_text(FLEET_FILE)
    assert ensured(desk) == [("ps-load-web", "delete")]
    assert [each["AlarmName"] for each in alarms(cloud)] == ["psychic"]


def test_a_load_above_what_the_instances_serve_rings_in_the_queue(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    cloud.clock(speed=0)
    cloud.advance(600)
    ensured(desk)
    sqs = cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName="ps-load-alarms")["QueueUrl"]

    def after(load: float) -> list[dict[str, Any]]:
        """Let ten minutes go by under a load, and listen."""
        for _ in range(10):
            datum = {"MetricName": "B", "Value": load, "Timestamp": cloud.now()}
            cloud.client("cloudwatch").put_metric_data(Namespace="A", MetricData=[datum])
            cloud.advance(60)
        heard = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(json.loads(message["Body"])["Message"]) for message in heard]

    assert after(200) == []
    (rung,) = after(400)
    assert (rung["AlarmName"], rung["NewStateValue"]) == ("ps-load-web", "ALARM")


def test_a_queue_has_an_alarm_and_a_load_that_cloudwatch_does_not_know_has_none(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch, QUEUE)
    assert ensured(desk) == [("ps-load-web", "create")]
    assert [query["Id"] for query in alarms(cloud)[0]["Metrics"]] == [
        "waiting_0",
        "working_0",
        "load0",
        "serving",
        "excess",
    ]

    (tmp_path / "fleets" / "web.yaml").write_text(PROMETHEUS)
    assert ensured(desk) == [("ps-load-web", "delete")]
    assert "web: no alarm, only looks: CloudWatch cannot measure" in capsys.readouterr().out


def test_no_alarm_is_lost_to_a_file_with_a_mistake(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    ensured(desk)
    (tmp_path / "fleets" / "web.yaml").write_text(FILE.replace("max: 12", "max: twelve"))
    (tmp_path / "fleets" / "other.yaml").write_text(FLEET_FILE.replace("web", "other"))
    assert ensured(desk) == []
    assert [each["AlarmName"] for each in alarms(cloud)] == ["ps-load-web"]


def test_an_alarm_that_is_refused_costs_no_other_and_fails_the_task(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    (tmp_path / "fleets" / "api.yaml").write_text(FILE.replace("web", "api"))
    cloud.faults.add(service="cloudwatch", operation="PutMetricAlarm", error="ValidationError", status=400, count=1)
    with pytest.raises(AirflowException, match="1 alarms could not be written, all others were: create alarm ps-load-"):
        ensured(desk)
    assert len(alarms(cloud)) == 1


def test_a_topic_of_ones_own_is_used_as_it_is(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    topic = cloud.client("sns").create_topic(Name="pager")["TopicArn"]
    ensured(desk, topic=topic)
    assert alarms(cloud)[0]["AlarmActions"] == [topic]
    assert cloud.client("sqs").list_queues().get("QueueUrls", []) == []


def test_the_permissions_asked_for_are_the_calls_made(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk_with(cloud, tmp_path, monkeypatch)
    ensured(desk)
    (tmp_path / "fleets" / "web.yaml").write_text(FLEET_FILE)
    ensured(desk)

    statements = json.loads((ROOT / "include" / "iam" / "alarms.json").read_text())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert {name.replace(".", ":") for name in cloud.calls()} == allowed
