"""A baseline with a burst beside it, as a fleet file names them, and what is measured of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forecasting.traffic_split import Terms
from predictive_scaling.metric import Metric

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """The listener rule that splits a fleet's traffic, and the target groups it splits it between."""

    rule: str
    baseline: str
    serverless: str
    terms: Terms = field(default_factory=Terms)

    def requests_to(self, target_group: str) -> list[str]:
        """Name CloudWatch's count of the requests that a target group got, as a dashboard does."""
        balancer = "/".join(self.rule.rpartition(":")[2].split("/")[1:4])
        target = target_group.rpartition(":")[2]
        return ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", balancer, "TargetGroup", target]


def baseline_cpu(group: str, period: timedelta) -> Metric:
    """The mean CPU of the instances of a group, in percent."""
    return Metric(
        namespace="AWS/EC2",
        name="CPUUtilization",
        dimensions={"AutoScalingGroupName": group},
        statistic="Average",
        period=period,
    )
