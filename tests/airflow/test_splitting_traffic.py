"""The promise, in Airflow itself: what a baseline cannot bear goes to its burst, and is put back by its number."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from balancing import a_balancer, weights

from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployment import Stack

    from predictive_scaling.burst import Burst

# The chain is told on every database; what is done by hand goes the same way, on the one of production.
pytestmark = pytest.mark.parametrize("stack", ["postgres"], indirect=True)


@contextmanager
def a_burst_beside_web_shop(stack: Stack) -> Iterator[Burst]:
    """Put a load balancer before the group, and write it into the fleet's file for a while."""
    groups = stack.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["web-shop"])
    burst = a_balancer(stack.cloud.client, groups["AutoScalingGroups"][0]["TargetGroupARNs"][0])
    file = stack.airflow.place.fleets / "web-shop.yaml"
    text = file.read_text()
    file.write_text(
        f"{text}\nburst: {{rule: '{burst.rule}', baseline: '{burst.baseline}', serverless: '{burst.serverless}'}}\n"
    )
    try:
        yield burst
    finally:
        file.write_text(text)


def busy(stack: Stack, percent: float) -> None:
    """Say that the group's CPU was at this in each of the last ten minutes."""
    dimensions, now = [{"Name": "AutoScalingGroupName", "Value": "web-shop"}], datetime.now(UTC)
    datum = {"MetricName": "CPUUtilization", "Dimensions": dimensions, "Value": percent}
    data = [{**datum, "Timestamp": now - timedelta(minutes=minute)} for minute in range(10)]
    stack.cloud.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=data)


def test_a_busy_baseline_gives_traffic_to_its_burst_and_the_split_is_rolled_back(stack: Stack) -> None:
    stack.airflow.wait_for_dags("split_traffic", "roll_back")
    with a_burst_beside_web_shop(stack) as burst:
        busy(stack, 100)
        run = stack.airflow.trigger("split_traffic")
        ended = stack.airflow.wait_for_run("split_traffic", run)

        assert ended["state"] == "success", stack.airflow.task_log("split_traffic", run, "split")
        assert weights(stack.cloud.client, burst) == (70, 30)
        told = [each for each in stack.ledger.events(fleet="web-shop", limit=1000) if each.by.dag_id == "split_traffic"]
        assert [event.kind for event in told] == [EventKind.APPLIED, EventKind.INTENT]
        assert (told[1].before, told[1].after) == ({"burst": 0}, {"burst": 30})
        assert "the baseline is at 100% with 100% of the traffic" in told[1].reason

        back = stack.airflow.trigger("roll_back", {"event_id": told[1].id, "reason": "the function is ill"})
        ended = stack.airflow.wait_for_run("roll_back", back)

        log = stack.airflow.task_log("roll_back", back, "roll_back")
        assert ended["state"] == "success", log
        assert "wrote burst 30% -> 0%: roll back: the function is ill; read back and verified" in log
        assert weights(stack.cloud.client, burst) == (100, 0)
        assert stack.ledger.open_operation("web-shop/traffic") is None
