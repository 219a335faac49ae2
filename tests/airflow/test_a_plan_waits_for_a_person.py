"""The promise, in Airflow: a plan outside what was agreed waits for one of those named, or for its deadline."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from deployment import Stack

from demo.airflow_api import AirflowApi
from demo.cycle import DAGS, await_cycle
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port
from forecasting.approval import Matter, Question
from predictive_scaling.ledger.approvals import SqlApprovals
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import Event, EventKind
from predictive_scaling.ledger.store import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED, LEFT = "web-shop", "api-checkout"
AGREED = {
    ASKED: "approval: {above: 4, by: [admin]}",
    LEFT: "approval: {above: 8, lower_by: 0, within: 20s}",
}
PAGER = {
    "notifier": "airflow.providers.amazon.aws.notifications.sqs.SqsNotifier",
    "message_body": "{{ scaling }}",
    "region_name": "us-east-1",
}
SETTLED = 3
"""Seconds after which a task that waits may be answered: Airflow has by then seen its process end."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Fleets about which something was agreed, one of which has a high floor that its plan would lower."""
    home = tmp_path_factory.mktemp("asked")
    fleets = home / "agreed" / "fleets"
    shutil.copytree(ROOT / "include" / "fleets", fleets, ignore=shutil.ignore_patterns("stages", "gpu"))
    for name, words in AGREED.items():
        with (fleets / f"{name}.yaml").open("a") as file:
            file.write(f"{words}\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud("--seed-demo", log=home / "sandbox.log", env=env) as cloud:
        cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=LEFT, MinSize=8)
        pager = {**PAGER, "queue_url": cloud.client("sqs").create_queue(QueueName="pager")["QueueUrl"]}
        place = Place(home=home / "airflow", cloud_url=cloud.url, port=free_port(), fleets=fleets)
        more = {
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{place.port}",
            "AIRFLOW__PREDICTIVE_SCALING__NOTIFIERS": json.dumps([pager]),
        }
        with LocalAirflow(place, **more) as airflow:
            airflow.wait_for_dags(*DAGS, "approve_plans")
            await_cycle(airflow)
            yield Stack(airflow, cloud, SqlLedger(engine_for(f"sqlite:///{place.home}/airflow.db")))


def questions(stack: Stack, fleet: str) -> dict[Matter, Question]:
    approvals = SqlApprovals(engine_for(f"sqlite:///{stack.airflow.place.home}/airflow.db"))
    return {each.matter: each for each in approvals.newest(fleet)}


def when_it_waits(stack: Stack, question: Question) -> dict[str, Any]:
    """Give what the person is shown, once the task waits and Airflow is ready for the answer."""
    for _ in range(600):
        states = {task["task_id"]: task["state"] for task in stack.airflow.tasks("approve_plans", question.id)}
        if states.get("approve") == "awaiting_input":
            time.sleep(SETTLED)
            shown: dict[str, Any] = stack.airflow.call("GET", answer_path(question))
            return shown
        time.sleep(0.2)
    raise TimeoutError(str(question))


def answer_path(question: Question) -> str:
    return f"dags/approve_plans/dagRuns/{question.id}/taskInstances/approve/-1/hitlDetails"


def paged(stack: Stack) -> list[str]:
    """Give what the notifiers were told."""
    sqs = stack.cloud.client("sqs")
    letters = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="pager")["QueueUrl"], MaxNumberOfMessages=10)
    return [letter["Body"] for letter in letters["Messages"]]


def told(stack: Stack, fleet: str, kind: EventKind) -> list[Event]:
    return [event for event in stack.ledger.events(fleet=fleet, limit=1000) if event.kind is kind]


def test_the_person_who_is_named_approves_and_the_floor_is_raised_at_once(deployment: Stack) -> None:
    question = questions(deployment, ASKED)[Matter.RAISE]
    assert max(deployment.floors(ASKED).values()) == 4, "what is inside was done meanwhile"
    shown = when_it_waits(deployment, question)
    assert shown["subject"] == question.subject
    assert "above 4" in shown["body"]
    assert "cost of 24 hours" in shown["body"]
    assert [user["id"] for user in shown["assigned_users"]] == ["admin"]

    (message,) = (each for each in paged(deployment) if each.startswith(question.subject))
    assert f"/dags/approve_plans/runs/{question.id}/tasks/approve/required_actions" in message

    stranger = AirflowApi(deployment.airflow.url)
    stranger.log_in("uma", "uma")
    answer = {"chosen_options": ["Approve"], "params_input": {}}
    assert stranger.request("PATCH", f"/api/v2/{answer_path(question)}", answer).status_code == 403
    stranger.close()
    deployment.airflow.call("PATCH", answer_path(question), answer)
    assert deployment.airflow.wait_for_run("approve_plans", question.id)["state"] == "success"

    assert max(deployment.floors(ASKED).values()) > 4
    (answered,) = told(deployment, ASKED, EventKind.ANSWERED)
    assert (answered.by.actor, answered.by.run_id) == ("admin", question.id)
    assert "approved by admin" in answered.reason


def test_nobody_answers_and_the_raise_passes_and_the_lowering_does_not(deployment: Stack) -> None:
    asked = questions(deployment, LEFT)
    assert set(asked) == {Matter.RAISE, Matter.LOWER}
    for question in asked.values():
        assert deployment.airflow.wait_for_run("approve_plans", question.id)["state"] == "success"

    expired = {str((event.after or {})["matter"]): event.reason for event in told(deployment, LEFT, EventKind.EXPIRED)}
    assert "approved, as nobody in time answered" in expired["raise"]
    assert "rejected, as nobody in time answered" in expired["lower"]
    a_day_on = f"{asked[Matter.RAISE].asked_at + timedelta(hours=24):%Y%m%dT%H%MZ}"
    coming = [size for name, size in deployment.floors(LEFT).items() if name.rsplit("-", 1)[1] < a_day_on]
    assert max(coming) > 8
    assert min(coming) >= 8
