"""A group is made and changed from its blueprint: shown first, then made, verified, and never made twice."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from by_hand import a_desk, a_run
from rights import client_of, keys_of

from demo.local_airflow import ROOT
from predictive_scaling.blueprint_file import blueprint_path, read_blueprint
from predictive_scaling.ensure import Builder, Ensured, ensure
from predictive_scaling.errors import CloudUnavailable, NotAllowed, OutcomeUnknown, WriteRefused
from predictive_scaling.fleet_check import check_fleet, queue_of
from predictive_scaling.fleet_file import read_fleet
from predictive_scaling.fleets import HELD_BY
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.operators import EnsureFleetOperator
from predictive_scaling.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from by_hand import Desk

    import sandbox

STAGES = ROOT / "include" / "fleets" / "stages"
GPU = ROOT / "include" / "fleets" / "gpu"
KINDS = ("messaging", "video", "ai-cpu")
WRITES = ("Create", "Update", "Put", "Attach", "Enable", "Delete", "Modify", "Set", "Terminate", "Detach")
FOR_AWS_ALONE = {"ec2:CreateTags", "ec2:RunInstances", "iam:PassRole", "ssm:GetParameters"}
"""What AWS asks of whoever makes a group from a launch template, without a call of ours."""


@pytest.fixture
def desk(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return a_desk(cloud, tmp_path, monkeypatch, rights=("ensure",))


def built(desk: Desk, folder: Path, name: str, **how: Any) -> Ensured:
    reach = partial(client_of, desk.cloud, keys=keys_of(desk.cloud, "ensure"))
    by = a_run(attempt=how.pop("attempt", 1))
    builder = Builder(reach=reach, ledger=desk.ledger, by=by, deployment=how.pop("deployment", None))
    blueprint = read_blueprint(blueprint_path(folder, name))
    return ensure(read_fleet(folder / f"{name}.yaml"), blueprint, builder, **how)


def written(cloud: sandbox.Cloud) -> dict[str, int]:
    return {call: count for call, count in cloud.calls().items() if call.split(".")[1].startswith(WRITES)}


def the_group(cloud: sandbox.Cloud, name: str) -> dict[str, Any]:
    answer = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    found: dict[str, Any] = answer["AutoScalingGroups"][0]
    return found


@pytest.mark.parametrize("stage", ["500", "10k", "30k"])
def test_each_example_is_built_in_three_calls_and_a_second_run_makes_none(desk: Desk, stage: str) -> None:
    for name in KINDS:
        desk.cloud.faults.forget_calls()
        assert built(desk, STAGES / stage, name).written == 3
        assert sum(written(desk.cloud).values()) == 3
        again = built(desk, STAGES / stage, name)
        assert (again.written, again.plan.lines()) == (0, ["everything is as the blueprint says"])
        assert sum(written(desk.cloud).values()) == 3


@pytest.mark.parametrize("folder", [STAGES / "500", STAGES / "30k", GPU], ids=lambda folder: folder.name)
def test_what_was_built_has_nothing_to_mend(desk: Desk, folder: Path) -> None:
    settings = replace(Settings.from_airflow(), fleets_folder=folder)
    for path in sorted(folder.glob("*.yaml")):
        built(desk, folder, path.stem)
        spec = read_fleet(path)
        if queue := queue_of(spec):
            desk.cloud.client("sqs").create_queue(QueueName=queue, Attributes={"VisibilityTimeout": "120"})
        reach = partial(client_of, desk.cloud, keys=keys_of(desk.cloud, "check"))
        assert check_fleet(spec, reach, settings, now=desk.cloud.now()) == ()


def test_the_stages_differ_in_numbers_alone() -> None:
    for path in (STAGES / "500").rglob("*.yaml"):
        texts = {
            re.sub(r"\b\d+(\.\d+)?|\btrue\b|\bfalse\b", "N", path.read_text().replace("/500/", "/"))
            for path in (STAGES / stage / path.relative_to(STAGES / "500") for stage in ("500", "10k", "30k"))
        }
        assert len(texts) == 1, path.name


def test_an_accelerated_group_keeps_instances_warm(desk: Desk) -> None:
    assert built(desk, GPU, "ai-gpu").written == 4
    assert built(desk, GPU, "ai-gpu").written == 0
    desk.cloud.advance(900)
    group = the_group(desk.cloud, "ai-gpu-workers")
    assert [each["InstanceType"] for each in group["Instances"]] == ["g4dn.xlarge"]
    pool = desk.cloud.client("autoscaling").describe_warm_pool(AutoScalingGroupName="ai-gpu-workers")
    assert {each["LifecycleState"] for each in pool["Instances"]} == {"Warmed:Stopped"}
    assert len(pool["Instances"]) == 2


def test_a_mixed_group_buys_what_its_blueprint_says(desk: Desk) -> None:
    built(desk, STAGES / "10k", "video")
    autoscaling = desk.cloud.client("autoscaling")
    autoscaling.set_desired_capacity(AutoScalingGroupName="video-workers", DesiredCapacity=8)
    desk.cloud.advance(900)
    instances = the_group(desk.cloud, "video-workers")["Instances"]
    assert {each["InstanceType"] for each in instances} <= {"c6i.large", "c5.large"}
    assert len(instances) == 8


def test_a_dry_run_shows_the_difference_and_writes_nothing(desk: Desk) -> None:
    desk.cloud.faults.forget_calls()
    shown = built(desk, STAGES / "500", "messaging", why_not="this is a dry run")
    assert shown.lines()[0] == "new launch template messaging-workers:"
    assert "  + InstanceType: t3.small" in shown.lines()
    assert shown.lines()[-1] == "wrote nothing: this is a dry run"
    assert not any("#!/bin/bash" in line for line in shown.lines()), "user data is told by its digest alone"
    assert written(desk.cloud) == {}
    (event,) = desk.ledger.events(fleet="messaging")
    assert event.kind.value == "observed"


def test_only_what_differs_is_changed_and_what_nobody_asked_for_is_left(desk: Desk, tmp_path: Path) -> None:
    cloud, folder = desk.cloud, tmp_path / "mine"
    shutil.copytree(STAGES / "10k", folder)
    _with_its_script(folder)
    built(desk, folder, "messaging")
    autoscaling = cloud.client("autoscaling")
    arn = cloud.create_fleet("other", balanced=True)
    name = "messaging-workers"
    autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[arn])
    autoscaling.put_warm_pool(AutoScalingGroupName=name, MinSize=1)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=3, MaxSize=30)
    hook = {"LifecycleHookName": "theirs", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
    autoscaling.put_lifecycle_hook(AutoScalingGroupName=name, **hook)
    data = {"KeyName": "ops", "InstanceType": "t3.small"}
    cloud.client("ec2").create_launch_template_version(
        LaunchTemplateName=name, LaunchTemplateData=data, SourceVersion="$Latest"
    )
    path = blueprint_path(folder, "messaging")
    path.write_text(
        path.read_text().replace("t3.small, t3a.small", "t3.medium, t3a.small").replace("cooldown: 3m", "cooldown: 4m")
    )
    cloud.faults.forget_calls()
    ensured = built(desk, folder, "messaging")
    assert written(cloud) == {
        "ec2.CreateLaunchTemplateVersion": 1,
        "autoscaling.UpdateAutoScalingGroup": 1,
    }
    assert "  ~ DefaultCooldown: 180 -> 240" in ensured.lines()
    assert "  ~ InstanceType: t3.small -> t3.medium" in ensured.lines()
    assert [each.split(":")[0].split(" arn")[0] for each in ensured.plan.left] == [
        "MaxSize 30 above max 10",
        "target group",
        "lifecycle hook theirs",
        "warm pool",
    ]
    group = the_group(cloud, name)
    assert (group["MinSize"], group["MaxSize"], group["TargetGroupARNs"]) == (3, 30, [arn])
    latest = cloud.client("ec2").describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"])
    assert latest["LaunchTemplateVersions"][0]["LaunchTemplateData"]["KeyName"] == "ops", "what others put in is kept"


@pytest.mark.parametrize("checks", ["EC2,EBS", "EBS,VPC_LATTICE"])
def test_health_checks_that_a_blueprint_does_not_know_are_left_to_the_group(desk: Desk, checks: str) -> None:
    built(desk, STAGES / "500", "messaging")
    client = desk.cloud.client("autoscaling")
    client.update_auto_scaling_group(AutoScalingGroupName="messaging-workers", HealthCheckType=checks)
    assert built(desk, STAGES / "500", "messaging").written == 0
    assert the_group(desk.cloud, "messaging-workers")["HealthCheckType"] == checks
    client.update_auto_scaling_group(AutoScalingGroupName="messaging-workers", HealthCheckType=f"{checks},ELB")
    assert f"  ~ HealthCheckType: {checks},ELB -> EC2" in built(desk, STAGES / "500", "messaging").lines()


def test_a_call_that_ec2_throttled_is_known_to_have_changed_nothing(desk: Desk) -> None:
    desk.cloud.faults.add(service="ec2", operation="CreateLaunchTemplate", error="RequestLimitExceeded", status=503)
    with pytest.raises(WriteRefused, match="RequestLimitExceeded"):
        built(desk, STAGES / "500", "video")
    assert desk.ledger.events(fleet="video")[0].kind is EventKind.FAILED, "certain, though EC2 answers it with 503"


def test_a_run_that_broke_off_is_taken_up_by_the_next(desk: Desk) -> None:
    desk.cloud.faults.add(service="autoscaling", operation="PutWarmPool", error="ServiceUnavailable", count=1)
    desk.cloud.faults.forget_calls()
    with pytest.raises(WriteRefused, match="warm pool"):
        built(desk, GPU, "ai-gpu")
    event, _intent = desk.ledger.events(fleet="ai-gpu")
    assert "new group ai-gpu-workers, metrics collection; then: warm pool" in event.reason
    assert built(desk, GPU, "ai-gpu").written == 1
    assert {call: count for call, count in written(desk.cloud).items() if count > 1} == {"autoscaling.PutWarmPool": 2}


@pytest.mark.parametrize(
    ("operation", "trouble", "told"),
    [
        ("PutWarmPool", OutcomeUnknown, ["intent", "unknown", "applied"]),
        ("DescribeWarmPool", CloudUnavailable, ["intent", "applied"]),
    ],
)
def test_a_try_that_made_all_and_did_not_see_it_is_ended_by_the_next_in_the_ledger_too(
    desk: Desk, operation: str, trouble: type[Exception], told: list[str]
) -> None:
    fault = {"error": "InternalFailure", "status": 500, "after": True, "count": 1}
    desk.cloud.faults.add(service="autoscaling", operation=operation, **fault)
    with pytest.raises(trouble):
        built(desk, GPU, "ai-gpu")
    for attempt in (2, 3):
        assert built(desk, GPU, "ai-gpu", attempt=attempt).written == 0
    assert [event.kind.value for event in reversed(desk.ledger.events(fleet="ai-gpu"))] == told


def test_a_group_that_another_deployment_holds_is_left_alone(desk: Desk) -> None:
    built(desk, STAGES / "500", "video")
    tag = {"ResourceId": "video-workers", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    desk.cloud.client("autoscaling").create_or_update_tags(Tags=[{**tag, "Key": HELD_BY, "Value": "green"}])
    with pytest.raises(NotAllowed, match="deployment 'green' holds group video-workers"):
        built(desk, STAGES / "10k", "video", deployment="blue")


def test_the_form_shows_first_and_builds_when_told(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "fleets"
    shutil.copytree(GPU, folder, dirs_exist_ok=True)
    _with_its_script(folder)
    shown = desk.carry_out(EnsureFleetOperator(task_id="ensure", fleet="ai-gpu", only_plan="True"))
    assert (shown["written"], len(shown["steps"])) == (0, 4)
    assert "does not exist" not in capsys.readouterr().out, "that there is no group yet is no trouble"
    made = desk.carry_out(EnsureFleetOperator(task_id="ensure", fleet="ai-gpu", only_plan="False"))
    assert made["written"] == 4


def test_the_form_leaves_a_group_alone_that_another_deployment_holds(desk: Desk, tmp_path: Path) -> None:
    built(desk, STAGES / "500", "video")
    tag = {"ResourceId": "video-workers", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    desk.cloud.client("autoscaling").create_or_update_tags(Tags=[{**tag, "Key": HELD_BY, "Value": "green"}])
    folder = tmp_path / "fleets"
    shutil.copytree(STAGES / "10k", folder, dirs_exist_ok=True)
    _with_its_script(folder)
    desk.cloud.faults.forget_calls()
    with pytest.raises(AirflowFailException, match="deployment 'green' holds group video-workers, and we are"):
        desk.carry_out(EnsureFleetOperator(task_id="ensure", fleet="video", only_plan="False"))
    assert written(desk.cloud) == {}


def test_building_needs_what_its_policy_gives(desk: Desk, tmp_path: Path) -> None:
    statements = json.loads((ROOT / "include" / "iam" / "ensure.json").read_text())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    folder = tmp_path / "mine"
    shutil.copytree(GPU, folder)
    _with_its_script(folder)
    arn = desk.cloud.create_fleet("other", balanced=True)
    desk.cloud.faults.forget_calls()
    built(desk, folder, "ai-gpu")
    path = blueprint_path(folder, "ai-gpu")
    changed = path.read_text().replace("g4dn.xlarge", "g5.xlarge").replace("cooldown: 5m", "cooldown: 4m")
    changed = changed.replace("farewell: 60s", "farewell: 45s").replace("min: 1", "min: 2")
    path.write_text(changed.replace("tags: {", "tags: {team: ai, ") + f"target_groups: ['{arn}']\n")
    assert built(desk, folder, "ai-gpu").written == 6
    assert "metrics collection:" in built(desk, folder, "ai-inference").lines()
    made = {call.replace(".", ":") for call in desk.cloud.calls()}
    assert made | FOR_AWS_ALONE == allowed


def _with_its_script(folder: Path) -> None:
    """Give the copy of an example its user data, which lies elsewhere."""
    (folder / "blueprints" / "worker.sh").write_text("#!/bin/bash\necho @fleet@\n")
    for path in (folder / "blueprints").glob("*.yaml"):
        path.write_text(re.sub(r"user_data: .*", "user_data: worker.sh", path.read_text()))


def test_what_will_be_made_is_told_before_the_first_call(desk: Desk) -> None:
    desk.cloud.faults.add(service="autoscaling", operation="CreateAutoScalingGroup", error="AccessDenied", status=403)
    with pytest.raises(WriteRefused):
        built(desk, STAGES / "500", "video")
    kinds = [event.kind.value for event in sorted(desk.ledger.events(), key=lambda event: event.id or 0)]
    assert kinds == ["intent", "failed"]
