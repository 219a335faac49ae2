"""A cloud on loopback that behaves like AWS in time: built on moto, with a clock, checks, metrics and faults."""

from __future__ import annotations

from sandbox import (  # noqa: F401 - each of them declares what it replaces in moto
    alarms,
    autoscaling,
    cloudwatch,
    cost_explorer,
    ec2,
    elbv2,
    health,
    hooks,
    metric_queries,
    policies,
    pricing,
    published,
    quotas,
    scheduled_actions,
    spot_prices,
    sqs,
    stub,
)
from sandbox.cloud import Cloud, in_process, running

__all__ = ["Cloud", "in_process", "running"]
