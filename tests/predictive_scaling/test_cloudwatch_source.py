"""CloudWatch is read in few calls, within its limits, as total load, and nothing is invented."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import sandbox
from forecasting import Policy
from predictive_scaling.autoscaler import Autoscaler
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric, MetricMath
from predictive_scaling.pull import pull
from predictive_scaling.sources import Request
from predictive_scaling.sources.cloudwatch import POINTS_PER_PAGE, QUERIES_PER_CALL, CloudWatchSource, calls, queries
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        running.clock(now=NOON, speed=0)
        extra = {
            "endpoint_url": running.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "y",
        }
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps({"conn_type": "aws", "extra": extra}))
        yield running


def a_spec(fleet: str = "web", **metric: object) -> FleetSpec:
    measured = Metric(**{"namespace": "Shop", "name": "Requests", "dimensions": {"Fleet": fleet}, **metric})  # type: ignore[arg-type]
    return FleetSpec(name=fleet, group=fleet, metric=measured, policy=Policy(1, 9, 100.0))


def put(cloud: sandbox.Cloud, name: str, *values: float, end: datetime = NOON) -> None:
    """Publish one value every five minutes, the last in the period that closes at `end`."""
    data = [
        {
            "MetricName": "Requests",
            "Dimensions": [{"Name": "Fleet", "Value": name}],
            "Timestamp": end - (len(values) - index) * FIVE,
            "Value": value,
        }
        for index, value in enumerate(values)
    ]
    cloud.client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=data)


def test_a_count_is_kept_per_minute(cloud: sandbox.Cloud) -> None:
    put(cloud, "web", 500, 1000, 1500)
    reading = CloudWatchSource().read([Request(fleet=a_spec(), since=NOON - timedelta(hours=1))], until=NOON)
    assert reading.points["web"].values.tolist() == [100, 200], "the newest period closed only now and may still grow"


def test_a_mean_over_instances_is_multiplied_by_the_instances_in_service(cloud: sandbox.Cloud) -> None:
    cpu = [{"Name": "AutoScalingGroupName", "Value": "web"}]
    then = NOON - timedelta(minutes=30)
    client = cloud.client("cloudwatch")
    client.put_metric_data(
        Namespace="AWS/EC2",
        MetricData=[{"MetricName": "CPUUtilization", "Dimensions": cpu, "Timestamp": then, "Value": 40.0}],
    )
    client.put_metric_data(
        Namespace="AWS/AutoScaling",
        MetricData=[{"MetricName": "GroupInServiceInstances", "Dimensions": cpu, "Timestamp": then, "Value": 6.0}],
    )
    spec = a_spec(
        namespace="AWS/EC2",
        name="CPUUtilization",
        dimensions={"AutoScalingGroupName": "web"},
        statistic="Average",
        per_instance=True,
    )

    reading = CloudWatchSource().read([Request(fleet=spec, since=NOON - timedelta(hours=1))], until=NOON)

    assert reading.problems == {}
    assert reading.points["web"].values.tolist() == [240.0]


def test_the_cpu_that_ec2_measures_every_five_minutes_is_seen_by_an_autoscaler_at_every_look(
    cloud: sandbox.Cloud,
) -> None:
    asked = {"name": "web", "workload": {"name": "web", "namespace": "shop"}, "group": "web", "target_cpu_percent": 60}
    spec = Autoscaler.model_validate({**asked, "min_replicas": 1, "max_replicas": 9}).spec()
    dimensions = [{"Name": "AutoScalingGroupName", "Value": "web"}]
    cloud.write_metric(
        "AWS/AutoScaling",
        "GroupInServiceInstances",
        {"AutoScalingGroupName": "web"},
        start=NOON - timedelta(hours=1),
        step=timedelta(minutes=1),
        values=[2.0] * 90,
    )
    for minute in range(20):
        now = NOON + timedelta(minutes=minute)
        if minute % 5 == 0:  # a basic value bears the time at which its five minutes began
            datum = {"MetricName": "CPUUtilization", "Dimensions": dimensions, "Timestamp": now - FIVE, "Value": 40.0}
            cloud.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=[datum])
        cloud.advance(60)
        looked = CloudWatchSource().latest([spec], now=now + timedelta(minutes=1))
        assert looked.seen["web"].value == 80.0


def test_missing_stays_missing(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    put(cloud, "web", 500, 500, end=NOON - timedelta(minutes=30))
    put(cloud, "web", 500, end=NOON - timedelta(minutes=10))
    storage = Storage.at(f"file://{tmp_path}")

    pull([a_spec()], CloudWatchSource(), storage, now=NOON)

    values = storage.demand(a_spec(), since=NOON - timedelta(hours=1)).values
    assert np.isnan(values).sum() == 3


def test_the_next_pull_asks_only_for_what_is_new(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    put(cloud, "web", *range(100, 400))
    storage = Storage.at(f"file://{tmp_path}")
    (first,) = pull([a_spec()], CloudWatchSource(), storage, now=NOON)
    cloud.advance(3600)
    later = NOON + timedelta(hours=1)
    put(cloud, "web", *range(400, 412), end=later)

    (second,) = pull([a_spec()], CloudWatchSource(), storage, now=later)

    assert (first.added, second.added) == (299, 12)
    assert len(storage.demand(a_spec(), since=NOON - timedelta(days=28))) == 311


def test_one_fleet_without_data_costs_the_others_nothing(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    put(cloud, "web", 1, 2, 3)
    storage = Storage.at(f"file://{tmp_path}")

    web, dark = pull([a_spec(), a_spec("dark")], CloudWatchSource(), storage, now=NOON)

    assert web.problem is None
    assert dark.problem is not None
    assert "Shop Requests (Fleet=dark, Sum) has no data" in dark.problem


def test_an_account_out_of_reach_costs_only_its_own_fleets(cloud: sandbox.Cloud) -> None:
    put(cloud, "web", 1, 2, 3)
    lost = dataclasses.replace(a_spec("lost"), connection="aws_nowhere")
    since = NOON - timedelta(hours=1)

    reading = CloudWatchSource().read(
        [Request(fleet=lost, since=since), Request(fleet=a_spec(), since=since)], until=NOON
    )

    assert "aws_nowhere" in reading.problems["lost"]
    assert len(reading.points["web"]) == 2


def test_a_first_pull_of_a_thousand_fleets_fits_pages_and_calls() -> None:
    requests = [Request(fleet=a_spec(f"fleet-{number}"), since=NOON - timedelta(days=28)) for number in range(1000)]
    made = list(calls(requests, until=NOON))
    for call in made:
        periods = (call.end - call.start) // FIVE
        asked = sum(len(queries(request.fleet.metric, "g", 0)) for request in call.requests)
        assert asked <= QUERIES_PER_CALL
        assert periods * len(call.requests) <= POINTS_PER_PAGE
    assert sum(len(call.requests) for call in made) == 1000


@pytest.mark.parametrize(("minutes", "days"), [(1, 15), (5, 63), (30, 63), (60, 455)])
def test_a_history_longer_than_cloudwatch_keeps_its_values_is_read_from_the_oldest_on(
    cloud: sandbox.Cloud, minutes: int, days: int
) -> None:
    period, since = timedelta(minutes=minutes), NOON - timedelta(days=days + 5)
    cloud.write_metric(
        "Shop", "Requests", {"Fleet": "web"}, start=since, step=period, values=[1.0] * ((NOON - since) // period)
    )

    reading = CloudWatchSource().read([Request(fleet=a_spec(period=period), since=since)], until=NOON)

    assert reading.problems == {}
    oldest = datetime.fromtimestamp(int(reading.points["web"].times[0]), UTC)
    assert NOON - timedelta(days=days) <= oldest <= NOON - timedelta(days=days) + timedelta(hours=2)


def test_an_hourly_pull_of_five_hundred_fleets_is_one_call() -> None:
    requests = [Request(fleet=a_spec(f"fleet-{number}"), since=NOON - timedelta(hours=1)) for number in range(500)]
    assert len(list(calls(requests, until=NOON))) == 1


def test_an_expression_is_asked_with_its_own_names(cloud: sandbox.Cloud) -> None:
    put(cloud, "web", 10, 20, 30)
    put(cloud, "api", 1, 2, 3)
    parts = {name: Metric(namespace="Shop", name="Requests", dimensions={"Fleet": name}) for name in ("web", "api")}
    metric: Any = MetricMath(name="both", expression="web * 2 + api", metrics=parts)
    both = dataclasses.replace(a_spec("both"), metric=metric)
    since = NOON - timedelta(hours=1)

    reading = CloudWatchSource().read([Request(fleet=each, since=since) for each in (both, a_spec())], until=NOON)

    assert reading.points["both"].values.tolist() == [21, 42], "the value of an expression is taken as it is"
    assert reading.points["web"].values.tolist() == [2, 4]


def test_the_greater_of_two_loads_is_followed_in_instances(cloud: sandbox.Cloud) -> None:
    put(cloud, "web", 600, 1200, 0)
    put(cloud, "api", 60, 10, 0)
    parts = {name: Metric(namespace="Shop", name="Requests", dimensions={"Fleet": name}) for name in ("web", "api")}
    metric: Any = MetricMath(name="instances", expression="MAX([web / 600, api / 20])", metrics=parts)
    fleet = dataclasses.replace(a_spec("both"), metric=metric)

    reading = CloudWatchSource().read([Request(fleet=fleet, since=NOON - timedelta(hours=1))], until=NOON)

    assert reading.points["both"].values.tolist() == [3, 2]


def test_requests_per_target_are_multiplied_by_the_instances_in_service() -> None:
    metric = Metric(namespace="AWS/ApplicationELB", name="RequestCountPerTarget", per_instance=True)

    *parts, load = queries(metric, "web", 7)

    assert [part["MetricStat"]["Metric"]["MetricName"] for part in parts] == [
        "RequestCountPerTarget",
        "GroupInServiceInstances",
    ]
    assert [part["MetricStat"]["Stat"] for part in parts] == ["Sum", "Average"]
    assert load == {"Id": "load7", "Expression": "mean_7 * count_7", "ReturnData": True}


def test_a_query_that_cloudwatch_does_not_understand_costs_only_its_own_fleet(cloud: sandbox.Cloud) -> None:
    for number in range(5):
        put(cloud, f"web-{number}", 10, 20, 30)
    broken: Any = MetricMath(
        name="broken", expression="web +* 2", metrics={"web": Metric(namespace="Shop", name="Requests")}
    )
    fleets = [a_spec(f"web-{number}") for number in range(5)]
    fleets.insert(2, dataclasses.replace(a_spec("broken"), metric=broken))
    since = NOON - timedelta(hours=1)

    reading = CloudWatchSource().read([Request(fleet=fleet, since=since) for fleet in fleets], until=NOON)

    assert sorted(reading.points) == [f"web-{number}" for number in range(5)]
    assert list(reading.problems) == ["broken"]
