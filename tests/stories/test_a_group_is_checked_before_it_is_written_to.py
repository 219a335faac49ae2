"""`fleets check` against the sandbox: a careless group is told all that is wrong with it, and nothing is changed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from by_hand import a_desk

from demo.local_airflow import ROOT
from predictive_scaling.__main__ import main
from predictive_scaling.operators import CheckFleetsOperator

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

WORKERS = """
name: web
group: web
metric:
  {namespace: AWS/SQS, name: ApproximateNumberOfMessagesVisible, dimensions: {QueueName: jobs}, statistic: Maximum}
target_per_instance: 20
min: 0
max: 5
lead_time: 6m
mode: auto
"""
BLUEPRINT = "{fleet: web, image: ami-1, instance_types: [m6i.large], zones: [us-east-1a], processing: 30s}"
IAM_NAMES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas", "monitoring": "cloudwatch"}
GOOD: dict[str, Any] = {"DefaultCooldown": 180, "HealthCheckGracePeriod": 400, "HealthCheckType": "ELB"}


def a_careless_group(cloud: sandbox.Cloud) -> dict[str, Any]:
    """Make a group with flaws of every kind, fed by a queue that was once 190 deep."""
    cloud.clock(now=datetime.now(UTC))
    cloud.configure(standard_vcpus=8)
    arn = cloud.create_fleet("workers", min_size=0, max_size=10, desired=0, balanced=True)
    queue = cloud.client("sqs").create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30"})
    cloud.write_metric(
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        {"QueueName": "jobs"},
        start=cloud.now() - timedelta(days=3),
        step=timedelta(hours=1),
        values=[10, 190, 40],
    )
    autoscaling = cloud.client("autoscaling")
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="workers", DefaultCooldown=30, HealthCheckGracePeriod=60)
    autoscaling.put_lifecycle_hook(
        AutoScalingGroupName="workers", LifecycleHookName="in", LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING"
    )
    return {"queue": queue["QueueUrl"], "target_group": arn}


@pytest.fixture
def folder(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    a_desk(cloud, tmp_path, monkeypatch, rights=("check",))
    fleets = tmp_path / "fleets"
    (fleets / "web.yaml").write_text(WORKERS.replace("group: web", "group: workers"))
    (fleets / "blueprints").mkdir()
    (fleets / "blueprints" / "web.yaml").write_text(BLUEPRINT)
    return fleets


@pytest.mark.usefixtures("folder")
def test_all_that_is_wrong_is_told_and_then_nothing_when_it_was_mended(
    cloud: sandbox.Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    made = a_careless_group(cloud)
    cloud.faults.forget_calls()
    assert main(["fleets", "check", "--json"]) == 1
    found = {flaw["check"]: flaw for flaw in json.loads(capsys.readouterr().out)["web"]}
    assert {name: found[name]["found"] for name in found} == {
        "quota L-1216C47A": "8 vCPUs",
        "max": "10",
        "visibility timeout": "30 s",
        "cooldown": "30 s",
        "health check grace period": "60 s",
        "health check type": "EC2",
        "target group workers: time to healthy": "150 s (5 checks, 30 s apart)",
        "tag predictive-scaling": "none",
        "terminating hook": "none",
        "hook in": "3600 s",
    }
    assert "at least 12: the deepest queue, 190" in found["max"]["wanted"]
    assert {_iam_name(call) for call in cloud.calls()} == _allowed(), "reads alone, and exactly those of its policy"

    _mend(cloud, made)
    assert main(["fleets", "check", "--fleet", "web"]) == 0
    assert capsys.readouterr().out == "web: nothing to mend\n"


@pytest.mark.usefixtures("folder")
def test_the_task_fails_on_a_grave_flaw_and_names_the_fleet(cloud: sandbox.Cloud) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    a_careless_group(cloud)
    with pytest.raises(AirflowFailException, match="grave flaws in 1 of 1 fleets, see the log above: web"):
        CheckFleetsOperator(task_id="check").execute({})


def test_a_group_that_nobody_counts_is_told_where_the_load_needs_it(
    cloud: sandbox.Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cpu = "  {namespace: AWS/EC2, name: CPUUtilization, dimensions: {}, statistic: Average, per_instance: true}"
    (folder / "web.yaml").write_text(re.sub(r"  {namespace: AWS/SQS.*}", cpu, WORKERS))
    grave = "GRAVE metrics collection: found no GroupInServiceInstances"

    main(["fleets", "check"])
    assert grave in capsys.readouterr().out
    counted = {"Granularity": "1Minute", "Metrics": ["GroupInServiceInstances"]}
    cloud.client("autoscaling").enable_metrics_collection(AutoScalingGroupName="web", **counted)

    main(["fleets", "check"])
    assert grave not in capsys.readouterr().out


def test_a_group_that_does_not_exist_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "web.yaml").write_text(WORKERS.replace("group: web", "group: nowhere"))
    assert main(["fleets", "check"]) == 2
    assert "'nowhere' does not exist" in capsys.readouterr().err


def _mend(cloud: sandbox.Cloud, made: dict[str, Any]) -> None:
    cloud.configure(standard_vcpus=1000)
    cloud.client("sqs").set_queue_attributes(QueueUrl=made["queue"], Attributes={"VisibilityTimeout": "90"})
    cloud.client("elbv2").modify_target_group(
        TargetGroupArn=made["target_group"], HealthCheckIntervalSeconds=10, HealthyThresholdCount=3
    )
    autoscaling = cloud.client("autoscaling")
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="workers", MaxSize=12, **GOOD)
    for name, transition, timeout in (("in", "LAUNCHING", 300), ("out", "TERMINATING", 60)):
        autoscaling.put_lifecycle_hook(
            AutoScalingGroupName="workers",
            LifecycleHookName=name,
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
            HeartbeatTimeout=timeout,
        )
    tag = {"ResourceId": "workers", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    autoscaling.create_or_update_tags(Tags=[{**tag, "Key": "predictive-scaling", "Value": "yes"}])


def _allowed() -> set[str]:
    statements = json.loads((ROOT / "include" / "iam" / "check.json").read_text())["Statement"]
    return {action for statement in statements for action in statement["Action"]}


def _iam_name(call: str) -> str:
    service, operation = call.split(".")
    return f"{IAM_NAMES.get(service, service)}:{operation}"
