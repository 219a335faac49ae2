"""A fleet to try things on: an Auto Scaling group of the sandbox, and the autoscaler that moves it, under one name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from demo.traffic import TARGET

if TYPE_CHECKING:
    from demo.cloud_api import CloudApi

PREFIX: Final = "trial-"
"""Whatever bears it was made by these scripts, and `make clean-up` removes it."""
MINUTE: Final = timedelta(minutes=1)
LEAST, MOST = 2, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A group's bounds, what it was asked for, and what serves."""

    min_size: int
    max_size: int
    desired: int
    in_service: int


@dataclass(frozen=True, slots=True)
class TrialFleet:
    """The group and autoscaler `trial-…` in a sandbox; its GPUs are as busy as we say."""

    name: str
    cloud: CloudApi

    def __post_init__(self) -> None:
        """Refuse a name that cleaning up would not find."""
        if not self.name.startswith(PREFIX):
            msg = f"name {self.name!r}: begin it with {PREFIX!r}, so that clean-up finds it"
            raise ValueError(msg)

    def body(self) -> dict[str, Any]:
        """What is sent to make the autoscaler."""
        return {
            "name": self.name,
            "workload": {"name": self.name, "namespace": "trial"},
            "group": self.name,
            "min_replicas": LEAST,
            "max_replicas": MOST,
            "target_gpu_percent": TARGET,
            "gpu_metrics": "cloudwatch_agent",
            "mode": "auto",
        }

    def build(self) -> bool:
        """Make the group with its launch template, counted each minute, unless it is there; say whether it was made."""
        if self.counts() is not None:
            return False
        autoscaling = self.cloud.client("autoscaling")
        image = self.cloud.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        template = {"ImageId": image, "InstanceType": "g4dn.xlarge"}
        self.cloud.client("ec2").create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=template)
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            MinSize=LEAST,
            MaxSize=MOST,
            DesiredCapacity=LEAST,
            AvailabilityZones=["us-east-1a"],
            LaunchTemplate={"LaunchTemplateName": self.name},
            Tags=[{"Key": "predictive-scaling", "Value": "yes"}],
        )
        count = ["GroupInServiceInstances"]
        autoscaling.enable_metrics_collection(AutoScalingGroupName=self.name, Granularity="1Minute", Metrics=count)
        return True

    def counts(self) -> Counts | None:
        """Look at the group; None when there is none."""
        answer = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        for row in answer["AutoScalingGroups"]:
            serving = sum(each["LifecycleState"] == "InService" for each in row["Instances"])
            sizes = {"min_size": row["MinSize"], "max_size": row["MaxSize"], "desired": row["DesiredCapacity"]}
            return Counts(**sizes, in_service=serving)
        return None

    def serving(self) -> int:
        """Give the instances in service now."""
        counts = self.counts()
        return counts.in_service if counts else 0

    def scheduled(self) -> list[str]:
        """Give the names of the group's scheduled actions."""
        pages = self.cloud.client("autoscaling").get_paginator("describe_scheduled_actions")
        found = pages.paginate(AutoScalingGroupName=self.name)
        return [row["ScheduledActionName"] for page in found for row in page["ScheduledUpdateGroupActions"]]

    def remove(self) -> None:
        """Remove the group, with its scheduled actions and instances."""
        autoscaling = self.cloud.client("autoscaling")
        for action in self.scheduled():
            autoscaling.delete_scheduled_action(AutoScalingGroupName=self.name, ScheduledActionName=action)
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)

    def counted(self, minute: datetime) -> int:
        """Give the instances that CloudWatch has in service in a minute; 0 when it knows of none."""
        answer = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/AutoScaling",
            MetricName="GroupInServiceInstances",
            Dimensions=[self._dimension],
            StartTime=minute,
            EndTime=minute + MINUTE,
            Period=60,
            Statistics=["Average"],
        )
        return int(next((point["Average"] for point in answer["Datapoints"]), 0))

    def report(self, percent: float, minute: datetime) -> None:
        """Publish how busy the GPUs were in a minute, as the CloudWatch agent does."""
        datum = {"MetricName": "nvidia_smi_utilization_gpu", "Dimensions": [self._dimension], "Timestamp": minute}
        self.cloud.client("cloudwatch").put_metric_data(Namespace="CWAgent", MetricData=[{**datum, "Value": percent}])

    @property
    def _dimension(self) -> dict[str, str]:
        return {"Name": "AutoScalingGroupName", "Value": self.name}


def minutes_ago(minutes: int) -> datetime:
    """Give the start of the minute that began so many minutes before this one."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - minutes * MINUTE
