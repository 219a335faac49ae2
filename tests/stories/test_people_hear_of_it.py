"""The promise: what a person should hear of is told when it begins, once, to whoever is in the settings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from by_hand import Desk, a_desk
from living import Life, a_spec, office_hours
from rights import a_user, connect_with

from forecasting.override import OverrideKind
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.operators import ApplyPlansOperator
from predictive_scaling.overriding import Wish
from predictive_scaling.summary import status_after

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
SNS = "airflow.providers.amazon.aws.notifications.sns.SnsNotifier"


def held(life: Life, *, minutes: int) -> None:
    ends = life.now + timedelta(minutes=minutes)
    wish = Wish(kind=OverrideKind.HOLD, reason="a sale", starts_at=life.now, ends_at=ends, min_size=4)
    life.said(wish)


def test_a_hold_is_no_news_until_the_hour_in_which_it_ends(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY, a_spec())
    held(life, minutes=150)

    keys = []
    for _ in range(3):
        keys.append([concern.key.split()[0] for concern in life.steered(forecast=False).concerns])
        life.pass_by(timedelta(minutes=60))
    assert keys == [[], [], ["override"]]


def test_a_group_whose_launches_fail_is_told_of(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY, a_spec())
    held(life, minutes=600)
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", DesiredCapacity=6)
    life.pass_by(timedelta(minutes=5))

    steered = life.steered(forecast=False)
    told = {concern.key.split()[0]: concern.text for concern in steered.concerns}
    assert told["launches"].startswith("desired 6, and only 2 are there or coming")
    assert "process Launch is suspended" in told["rival"]
    assert set(status_after(life.spec, steered).concerns) == {concern.key for concern in steered.concerns}


def test_a_floor_that_was_scheduled_before_a_busy_hour_is_not_taken_for_somebody_elses(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    life = Life(cloud, tmp_path, MONDAY, a_spec())
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()
    life.steered()
    life.pass_by(timedelta(hours=1))
    busy = Event(fleet="web", kind=EventKind.BUDGETED, reason="within", by=life.by)
    life.ledger.record(*[busy] * 200)
    wish = Wish(
        kind=OverrideKind.BOUNDS,
        reason="a sale",
        starts_at=life.now,
        ends_at=life.now + timedelta(minutes=10),
        min_size=9,
    )
    life.said(wish)

    told = []
    for _ in range(10):
        told += [concern.text for concern in life.steered(forecast=False).concerns if "rival" in concern.key]
        life.pass_by(timedelta(minutes=10))
    assert told == []


def a_pager(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a topic that the settings name, and a queue behind it; give the queue."""
    topic = cloud.client("sns").create_topic(Name="scaling")["TopicArn"]
    queue = cloud.client("sqs").create_queue(QueueName="pager")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:pager"
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    may_publish = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}}
    connect_with(a_user(cloud, "pager", [json.dumps(may_publish)]), cloud, monkeypatch, name="aws_pager")
    who = {"notifier": SNS, "aws_conn_id": "aws_pager", "region_name": "us-east-1"}
    notifier = {**who, "target_arn": topic, "message": "{{ scaling }}"}
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__NOTIFIERS", json.dumps([notifier]))
    return str(queue)


def heard(cloud: sandbox.Cloud, queue: str) -> list[str]:
    sqs, found = cloud.client("sqs"), []
    for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        found.append(json.loads(message["Body"])["Message"])
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_a_notifier_is_told_once_by_the_hourly_task(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk: Desk = a_desk(cloud, tmp_path, monkeypatch, rights=("auto",))
    now = datetime.now(UTC)
    cloud.clock(now=now.isoformat(), speed=0)
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{tmp_path}/storage")
    queue = a_pager(cloud, monkeypatch)
    life = Life(cloud, tmp_path, now)
    life.overrides = SqlOverrides(desk.ledger._engine)  # noqa: SLF001 - one database for all tables
    held(life, minutes=30)

    def applied(run: int) -> Any:
        return desk.carry_out(ApplyPlansOperator(task_id="apply", shard="1-of-1", only_plan=False), run)

    applied(1)
    (first,) = heard(cloud, queue)
    assert first.startswith("web: ends in 2")
    assert "and the plan holds again" in first
    applied(2)
    assert heard(cloud, queue) == []
