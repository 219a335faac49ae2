"""The promise, in Airflow itself: a load that grows is answered within a look, and an alarm makes that look at once."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.ledger.store import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from predictive_scaling.ledger.records import Event

GROUP = "mailers"
FLEET = """
name: mailers
group: mailers
metric: {source: sqs, queue: outgoing-mail}
target_per_instance: 20
min: 1
max: 10
mode: auto
reaction: {}
"""


class Watched:
    """A deployment that watches one queue worker fleet."""

    def __init__(self, airflow: LocalAirflow, cloud: LocalCloud, mail: str, alarms: str) -> None:
        self.airflow, self.cloud, self.mail, self.alarms = airflow, cloud, mail, alarms
        self.ledger = SqlLedger(engine_for(f"sqlite:///{airflow.place.home}/airflow.db"))

    def send(self, count: int) -> None:
        sqs = self.cloud.client("sqs")
        for first in range(0, count, 10):
            entries = [{"Id": str(at), "MessageBody": "mail"} for at in range(first, min(first + 10, count))]
            sqs.send_message_batch(QueueUrl=self.mail, Entries=entries)

    def desired(self) -> int:
        answer = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
        return int(answer["AutoScalingGroups"][0]["DesiredCapacity"])

    def applied(self) -> list[Event]:
        """Give what the ledger says was done; it says so after the group has been changed."""
        return [event for event in self.ledger.events(fleet=GROUP) if event.kind is EventKind.APPLIED]

    def eventually(self, holds: Callable[[], bool], *, seconds: float = 120) -> bool:
        end = time.monotonic() + seconds
        while not holds() and time.monotonic() < end:
            time.sleep(0.5)
        return holds()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    home = tmp_path_factory.mktemp("watched")
    (home / "fleets").mkdir()
    (home / "fleets" / "mailers.yaml").write_text(FLEET)
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud(log=home / "sandbox.log", env=env) as cloud:
        queues = [cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("outgoing-mail", "alarms")]
        _create_group(cloud)
        place = Place(home=home / "airflow", cloud_url=cloud.url, port=free_port(), fleets=home / "fleets")
        # Looks are far apart, so that what comes soon has come by the alarm.
        section = "AIRFLOW__PREDICTIVE_SCALING__"
        waking = {f"{section}CHECK_INTERVAL": "600", f"{section}ALARM_QUEUES": queues[1]}
        with LocalAirflow(place, **waking) as airflow:
            airflow.wait_for_dags("react_to_load")
            yield Watched(airflow, cloud, *queues)


def _create_group(cloud: LocalCloud) -> None:
    ec2: Any = cloud.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    template = {"ImageId": image, "InstanceType": "t3.micro"}
    ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData=template)
    cloud.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=1,
        MaxSize=8,
        DesiredCapacity=1,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateName": GROUP},
    )


def alarm(watched: Watched) -> None:
    """Send what an alarm sends by way of a topic; the product reads no more of it than that it came."""
    body = json.dumps({"Type": "Notification", "Message": json.dumps({"NewStateValue": "ALARM"})})
    watched.cloud.client("sqs").send_message(QueueUrl=watched.alarms, MessageBody=body)


def test_an_alarm_wakes_the_watch_and_the_fleet_grows_to_its_backlog(watched: Watched) -> None:
    watched.send(100)
    alarm(watched)

    assert watched.eventually(lambda: watched.applied() != [])

    (applied,) = watched.applied()
    assert watched.desired() == 5
    assert "set desired 1 -> 5: load 500% of what 1 serve well: 5 needed" in " ".join(
        event.reason for event in watched.ledger.events(fleet=GROUP)
    )
    assert applied.by.actor == "the load watch"


def test_the_run_behind_it_tells_what_was_done(watched: Watched) -> None:
    def runs() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = watched.airflow.call("GET", "dags/react_to_load/dagRuns")["dag_runs"]
        return [run for run in found if run["state"] == "success"]

    assert watched.eventually(lambda: runs() != [])
    task = f"dags/react_to_load/dagRuns/{runs()[0]['dag_run_id']}/taskInstances/react"
    (told,) = watched.airflow.call("GET", f"{task}/xcomEntries/return_value?stringify=false")["value"]
    assert (told["fleet"], told["capacity"], told["written"]) == (GROUP, 5, True)
    assert told["told"] == "wrote desired 1 -> 5; read back and verified"


def test_alarms_that_come_twice_change_nothing_more(watched: Watched) -> None:
    assert watched.eventually(lambda: watched.applied() != [])
    before = len(watched.ledger.events(fleet=GROUP, kind=EventKind.INTENT))
    for _ in range(3):
        alarm(watched)
    sqs = watched.cloud.client("sqs")

    def heard() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        left = sqs.get_queue_attributes(QueueUrl=watched.alarms, AttributeNames=names)["Attributes"]
        return sum(map(int, left.values())) == 0

    assert watched.eventually(heard)
    assert (watched.desired(), len(watched.ledger.events(fleet=GROUP, kind=EventKind.INTENT))) == (5, before)
