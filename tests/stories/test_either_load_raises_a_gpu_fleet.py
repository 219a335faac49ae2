"""The promise: the shipped GPU fleet grows at 70 % CPU or at 80 % of GPU memory, and shrinks when neither needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sandbox
from bench.day import START, Product, environment
from load_test.following import raises
from predictive_scaling.api.event_views import event_row
from predictive_scaling.blueprint_file import blueprint_path, read_blueprint
from predictive_scaling.ensure import Builder, ensure
from predictive_scaling.fleet_file import read_fleet
from predictive_scaling.ledger.records import EventKind, TaskRun
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.metric import MetricMath

if TYPE_CHECKING:
    import pytest

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.records import Event

INCLUDE: Final = Path(__file__).parents[2] / "include"
GPU: Final = INCLUDE / "fleets" / "gpu"
FLEET: Final = GPU / "ai-inference.yaml"
MINUTE: Final = timedelta(minutes=1)
BOARD: Final = 15_360.0
"""Megabytes of GPU memory that one instance has."""


@dataclass
class Inference:
    """The fleet with some work, of which every instance in service has its share."""

    cloud: sandbox.Cloud
    spec: FleetSpec
    product: Product

    def live(self, minutes: int, *, cpu: float, memory: float) -> None:
        """Let time pass with so much to do, in percent of what one instance has."""
        for _ in range(minutes):
            self.cloud.advance(30)
            self.product.look()
            self.cloud.advance(30)
            serving = max(len(self.serving()), 1)
            self._publish("AWS/EC2", CPUUtilization=min(cpu / serving, 100.0))
            used = BOARD * min(memory / serving, 100.0) / 100
            self._publish("CWAgent", nvidia_smi_memory_used=used, nvidia_smi_memory_total=BOARD)
            self.product.look()

    def serving(self) -> list[str]:
        group = self._group()
        return [each["InstanceId"] for each in group["Instances"] if each["LifecycleState"] == "InService"]

    @property
    def desired(self) -> int:
        return int(self._group()["DesiredCapacity"])

    @property
    def story(self) -> list[Event]:
        return list(self.product.around.ledger.events(fleet=self.spec.name))

    @property
    def last_reason(self) -> str:
        return next(event.reason for event in self.story if event.kind is EventKind.INTENT)

    def _publish(self, namespace: str, **values: float) -> None:
        """Publish what was measured in the minute that has just passed."""
        dimensions = [{"Name": "AutoScalingGroupName", "Value": self.spec.group}]
        minute = {"Dimensions": dimensions, "Timestamp": self.cloud.now() - MINUTE}
        data = [{"MetricName": name, "Value": value, **minute} for name, value in values.items()]
        self.cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

    def _group(self) -> dict[str, Any]:
        answer = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.spec.group])
        found: dict[str, Any] = answer["AutoScalingGroups"][0]
        return found


def the_fleet(cloud: sandbox.Cloud, folder: Path) -> Inference:
    """Build the group of the shipped example from its blueprint, and let its first instance boot."""
    cloud.clock(now=START, speed=0)
    (folder / "fleets" / FLEET.name).write_text(FLEET.read_text())
    spec, blueprint = read_fleet(FLEET), read_blueprint(blueprint_path(GPU, FLEET.stem))
    by = TaskRun(actor="ada", dag_id="ensure_fleet", run_id="first", task_id="ensure")
    ensure(spec, blueprint, Builder(reach=cloud.client, ledger=SqlLedger.from_connection(), by=by))
    cloud.advance(1800)
    return Inference(cloud, spec, Product(cloud, folder, [spec], "auto"))


def test_gpu_memory_alone_raises_it_keeps_it_and_cpu_alone_raises_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path).items():
        if name != "AIRFLOW_HOME":
            monkeypatch.setenv(name, value)
    with sandbox.in_process() as cloud:
        fleet = the_fleet(cloud, tmp_path)
        fleet.live(12, cpu=69, memory=79)
        assert fleet.desired == 1, "neither is high"

        fleet.live(15, cpu=50, memory=180)
        assert (fleet.desired, len(fleet.serving())) == (3, 3)
        assert " 2 -> 3: GPU memory: load " in fleet.last_reason

        fleet.live(20, cpu=5, memory=180)
        assert fleet.desired == 3, "what is idle by CPU has its memory full"

        fleet.live(20, cpu=5, memory=60)
        assert fleet.desired == 1, "neither needs more than one"

        fleet.live(12, cpu=70, memory=60)
        assert fleet.desired == 2, "70 % is too much for one"
        fleet.live(12, cpu=150, memory=60)
        assert fleet.desired == 3
        assert " 2 -> 3: CPUUtilization: load " in fleet.last_reason

        read = [event_row(event).model_dump(mode="json") for event in fleet.story]
        assert [each.reason.split(":")[0] for each in raises(read, START)] == [
            f"set desired {step}" for step in ("1 -> 2", "2 -> 3", "1 -> 2", "2 -> 3")
        ], "what a load test reads"


def test_the_agent_publishes_what_the_fleet_is_measured_by() -> None:
    (memory,) = (load.metric for load in read_fleet(FLEET).also)
    assert isinstance(memory, MetricMath)
    asked = {each.name for each in memory.metrics.values() if each.namespace == "CWAgent"}
    agent = json.loads((INCLUDE / "user_data" / "gpu-metrics.json").read_text())["metrics"]
    published = {f"nvidia_smi_{name}" for name in agent["metrics_collected"]["nvidia_gpu"]["measurement"]}
    assert asked <= published
    assert agent["aggregation_dimensions"] == [["AutoScalingGroupName"]]
