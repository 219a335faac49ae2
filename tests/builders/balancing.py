"""A load balancer whose rule forwards to a group's instances and, with weight 0, to a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.burst import Burst

if TYPE_CHECKING:
    from collections.abc import Callable

    Reach = Callable[[str], Any]

CONDITION: Final = {"Field": "path-pattern", "Values": ["/infer/*"]}
STICKY: Final = {"Enabled": True, "DurationSeconds": 60}


def a_balancer(reach: Reach, baseline: str) -> Burst:
    """Arrange it before a target group that there is; `reach` gives a client of a service."""
    elb, subnets = reach("elbv2"), [row["SubnetId"] for row in reach("ec2").describe_subnets()["Subnets"]][:2]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    function = elb.create_target_group(Name="function", TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": baseline}
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward])
    weights = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in ((baseline, 100), (function, 0))]
    config = {"TargetGroups": weights, "TargetGroupStickinessConfig": STICKY}
    action = {"Type": "forward", "Order": 1, "ForwardConfig": config}
    of = listener["Listeners"][0]["ListenerArn"]
    rule = elb.create_rule(ListenerArn=of, Priority=7, Conditions=[CONDITION], Actions=[action])["Rules"][0]
    return Burst(rule=rule["RuleArn"], baseline=baseline, serverless=function)


def the_rule(reach: Reach, burst: Burst) -> dict[str, Any]:
    """Give the rule as the load balancer has it."""
    found: dict[str, Any] = reach("elbv2").describe_rules(RuleArns=[burst.rule])["Rules"][0]
    return found


def weights(reach: Reach, burst: Burst) -> tuple[int, int]:
    """Give the weights of the baseline and of the burst."""
    groups = the_rule(reach, burst)["Actions"][0]["ForwardConfig"]["TargetGroups"]
    found = {group["TargetGroupArn"]: group["Weight"] for group in groups}
    return found[burst.baseline], found[burst.serverless]
