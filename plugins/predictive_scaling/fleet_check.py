"""Looks at a fleet's group with everything around it, and judges what it sees. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.aws_client import client, reading
from predictive_scaling.blueprint import family_of
from predictive_scaling.blueprint_file import blueprint_path, read_blueprint
from predictive_scaling.checks import Facts, Flaw, Hook, Queue, Quota, TargetGroup, flaws_of, lines_of
from predictive_scaling.errors import GroupNotFound, InvalidFleet, PredictiveScalingError
from predictive_scaling.fleet_folder import fleets_at_hand, named
from predictive_scaling.fleets import HELD_BY, aws_answers
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet, no_group
from predictive_scaling.metric import ArrivalsMetric, Metric, QueueMetric
from predictive_scaling.ownership import Claim, RivalKind, judge, judge_policies
from predictive_scaling.schedule import Naming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.fleets import Observed
    from predictive_scaling.metric import Measure
    from predictive_scaling.ownership import Rival
    from predictive_scaling.settings import Settings

    Reach = Callable[[str], Any]

DEPTH_HISTORY: Final = timedelta(days=14)
_DEPTH: Final = "ApproximateNumberOfMessages"
"""How the names begin of what counts the messages that a queue holds."""
_QUOTAS: Final = (
    # families, and the quotas on their running vCPUs on demand and as Spot; of other families nothing is said
    (frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}), "L-1216C47A", "L-34B43A08"),
    (frozenset({"g", "gr", "vt"}), "L-DB2E81BA", "L-3819A6DF"),
    (frozenset({"p"}), "L-417A185B", "L-7212CCBC"),
    (frozenset({"inf"}), "L-1945791B", "L-B5D1601B"),
    (frozenset({"trn"}), "L-2C3B7624", "L-6B0D517C"),
    (frozenset({"dl"}), "L-6E869C2A", "L-85EED4F7"),
    (frozenset({"f"}), "L-74FC7D96", "L-88CF9481"),
    (frozenset({"x"}), "L-7295265B", "L-E3A00192"),
)
_SPOT_OF_P5: Final = "L-C4BD4855"
"""P5 has a Spot quota apart from the older ones of its family."""


def reach_of(spec: FleetSpec) -> Reach:
    """Reach AWS's services with the fleet's connection."""
    return partial(client, connection=spec.connection, region=spec.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found wrong with one fleet, or why nothing could be looked for."""

    name: str
    flaws: tuple[Flaw, ...] = ()
    problem: str = ""

    @property
    def grave(self) -> bool:
        """Whether it must be mended before anything is written."""
        return bool(self.problem) or any(flaw.grave for flaw in self.flaws)

    def lines(self) -> list[str]:
        """Tell it."""
        return [f"{self.name}: not checked: {self.problem}"] if self.problem else lines_of(self.name, self.flaws)


def check_fleets(names: Sequence[str], settings: Settings, *, now: datetime) -> Iterator[Checked]:
    """Check the fleets of these names, or all there are; what cannot be looked at keeps no other from being checked."""
    folder = fleets_at_hand(settings.fleets_folder)
    if not names:
        yield from (Checked(name="fleet file", problem=problem) for problem in folder.problems)
    for spec in [named(name, folder.fleets) for name in names] or folder.fleets:
        try:
            yield Checked(name=spec.name, flaws=check_fleet(spec, reach_of(spec), settings, now=now))
        except PredictiveScalingError as error:
            yield Checked(name=spec.name, problem=str(error))


def check_fleet(spec: FleetSpec, reach: Reach, settings: Settings, *, now: datetime) -> tuple[Flaw, ...]:
    """Give the flaws of one fleet's group, and whoever else moves it."""
    facts = look(spec, reach, processing=_processing(spec, settings.fleets_folder), now=now)
    fleet = AutoScalingFleet(reach("autoscaling"), spec.group, reach)
    holder = facts.observed.tags.get(HELD_BY, "")
    claim = Claim(deployment=holder, naming=Naming(settings.action_prefix, spec.name))
    rivals = (*judge(facts.observed, claim, now), *judge_policies(fleet.policies()))
    others = (_as_flaw(rival) for rival in rivals if rival.kind is not RivalKind.PROCESS)  # `checks` tells of these
    return (*flaws_of(facts), *others)


def look(spec: FleetSpec, reach: Reach, *, processing: timedelta | None, now: datetime) -> Facts:
    """Read everything the checks need."""
    fleet = AutoScalingFleet(reach("autoscaling"), spec.group, reach)
    with reading(f"checking group {spec.group}"):
        found = reach("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[spec.group])
    if not found["AutoScalingGroups"]:
        raise GroupNotFound(no_group(spec.group))
    group = found["AutoScalingGroups"][0]
    observed = aws_answers.observed(group, fleet.observe().actions)
    boots = sorted(each.boot for each in fleet.activities() if each.boot)
    with reading(f"checking what is around group {spec.group}"):
        return Facts(
            fleet=spec.name,
            policy=spec.policy,
            observed=observed,
            cooldown=timedelta(seconds=group["DefaultCooldown"]),
            grace=timedelta(seconds=group.get("HealthCheckGracePeriod") or 0),
            health_check=group["HealthCheckType"],
            capacity_rebalance=bool(group.get("CapacityRebalance")),
            spot_share=_spot_share(group),
            quotas=_quotas(spec, group, reach),
            queue=_queue(spec, reach, now),
            processing=processing,
            boot=boots[int(0.9 * len(boots))] if boots else None,
            target_groups=_target_groups(observed, reach),
            hooks=_hooks(spec.group, reach),
            uncounted=spec.counts_instances and not aws_answers.counts_instances(group),
        )


def _processing(spec: FleetSpec, fleets_folder: str | Path) -> timedelta | None:
    """What a message takes is known where a blueprint says so."""
    path = blueprint_path(fleets_folder, spec.name)
    try:
        return read_blueprint(path).processing if path.exists() else None
    except InvalidFleet:  # `ensure_fleet` says what is wrong with it
        return None


def _as_flaw(rival: Rival) -> Flaw:
    return Flaw(
        check="ownership", found=rival.what, wanted="a group that is ours alone", mend=rival.mend, grave=rival.stops
    )


def _distribution(group: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
    return found


def _spot_share(group: Mapping[str, Any]) -> int:
    """The percentage above the base that is Spot."""
    if "MixedInstancesPolicy" not in group:
        return 0
    return 100 - int(_distribution(group).get("OnDemandPercentageAboveBaseCapacity", 100))


def _types(group: Mapping[str, Any], reach: Reach) -> list[str]:
    """The types a group may launch; none are known of one that is made from a launch configuration."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    overrides = [row["InstanceType"] for row in mixed.get("Overrides", ()) if "InstanceType" in row]
    template = mixed.get("LaunchTemplateSpecification") or group.get("LaunchTemplate")
    if overrides or not template:
        return overrides
    version = template.get("Version") or "$Default"
    found = reach("ec2").describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=[version]
    )
    data = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return [data["InstanceType"]] if "InstanceType" in data else []


def _quotas(spec: FleetSpec, group: Mapping[str, Any], reach: Reach) -> tuple[Quota, ...]:
    """Hold the group at its largest, all of the type with most vCPUs, against the account's limits."""
    types = _types(group, reach)
    if not types:
        return ()
    answer = reach("ec2").describe_instance_types(InstanceTypes=types)
    vcpus = {row["InstanceType"]: row["VCpuInfo"]["DefaultVCpus"] for row in answer["InstanceTypes"]}
    most = max(group["MaxSize"], spec.policy.breach_max or 0)
    base = min(int(_distribution(group).get("OnDemandBaseCapacity") or 0), most)
    spot = (most - base) * _spot_share(group) // 100
    needed: dict[str, int] = {}
    for each, size in vcpus.items():
        for code, count in zip(quotas_of(each), (most - spot, spot), strict=False):
            if count:
                needed[code] = max(needed.get(code, 0), count * size)
    return tuple(_quota(code, vcpus, reach) for code, vcpus in needed.items())


def quotas_of(instance_type: str) -> tuple[str, ...]:
    """Give the quotas that an instance type counts towards, on demand and as Spot; none of an unknown family."""
    family = family_of(instance_type)
    for families, on_demand, spot in _QUOTAS:
        if family in families:
            return on_demand, _SPOT_OF_P5 if instance_type.startswith("p5") else spot
    return ()


def _quota(code: str, needed: int, reach: Reach) -> Quota:
    found = reach("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
    return Quota(code=code, name=found["QuotaName"], limit=found["Value"], needed=needed)


def _queue(spec: FleetSpec, reach: Reach, now: datetime) -> Queue | None:
    name = queue_of(spec)
    if name is None:
        return None
    sqs = reach("sqs")
    address = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    wanted = ["VisibilityTimeout", _DEPTH]
    held = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=wanted)["Attributes"]
    depths = _depths(name, reach, now)
    return Queue(
        name=name,
        visibility=timedelta(seconds=int(held["VisibilityTimeout"])),
        deepest=_load_of(max([float(held[_DEPTH]), *depths]), spec.metric),
    )


def queue_of(spec: FleetSpec) -> str | None:
    """The queue a fleet is measured by, if it is."""
    match spec.metric:
        case QueueMetric(queue=name) | ArrivalsMetric(queue=name):
            return name
        case Metric(namespace="AWS/SQS", dimensions=dimensions):
            return dimensions.get("QueueName")
    return None


def _load_of(waiting: float, metric: Measure) -> float | None:
    """Give what so many waiting messages are in what a fleet is measured by, where that has to do with it."""
    match metric:
        case ArrivalsMetric():
            return metric.load_of(waiting)
        case Metric(name=name) if not name.startswith(_DEPTH):
            return None
    return waiting


def _depths(queue: str, reach: Reach, now: datetime) -> Sequence[float]:
    metric = {
        "Namespace": "AWS/SQS",
        "MetricName": f"{_DEPTH}Visible",
        "Dimensions": [{"Name": "QueueName", "Value": queue}],
    }
    query = {"Id": "depth", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}}
    answer = reach("cloudwatch").get_metric_data(MetricDataQueries=[query], StartTime=now - DEPTH_HISTORY, EndTime=now)
    values: Sequence[float] = answer["MetricDataResults"][0]["Values"]
    return values


def _target_groups(observed: Observed, reach: Reach) -> tuple[TargetGroup, ...]:
    if not observed.target_groups:
        return ()
    elb = reach("elbv2")
    rows = elb.describe_target_groups(TargetGroupArns=list(observed.target_groups))["TargetGroups"]
    return tuple(_target_group(row, _drain(row["TargetGroupArn"], elb)) for row in rows)


def _target_group(row: Mapping[str, Any], drain: timedelta) -> TargetGroup:
    return TargetGroup(
        name=row["TargetGroupName"],
        interval=timedelta(seconds=row["HealthCheckIntervalSeconds"]),
        timeout=timedelta(seconds=row["HealthCheckTimeoutSeconds"]),
        healthy_after=row["HealthyThresholdCount"],
        unhealthy_after=row["UnhealthyThresholdCount"],
        drain=drain,
    )


def _drain(arn: str, elb: Any) -> timedelta:
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    found = {row["Key"]: row["Value"] for row in attributes}
    return timedelta(seconds=int(found.get("deregistration_delay.timeout_seconds", 300)))


def _hooks(group: str, reach: Reach) -> tuple[Hook, ...]:
    rows = reach("autoscaling").describe_lifecycle_hooks(AutoScalingGroupName=group)["LifecycleHooks"]
    return tuple(
        Hook(
            name=row["LifecycleHookName"],
            launching=row["LifecycleTransition"].endswith("LAUNCHING"),
            timeout=timedelta(seconds=row["HeartbeatTimeout"]),
            abandons=row["DefaultResult"] == "ABANDON",
        )
        for row in rows
    )
