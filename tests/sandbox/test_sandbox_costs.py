"""What the account may call, and what it pays: the shared bucket of calls, prices, and the bill."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

NEVER = 1e-9
"""Tokens per second: none comes back while a test runs."""


def products(cloud: Cloud, **filters: str) -> list[dict[str, Any]]:
    wanted = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in filters.items()]
    answer = cloud.client("pricing").get_products(ServiceCode="AmazonEC2", Filters=wanted)
    return [json.loads(each) for each in answer["PriceList"]]


def bill(cloud: Cloud, start: str, end: str, **more: Any) -> list[dict[str, Any]]:
    request = {"Granularity": "DAILY", "Metrics": ["UnblendedCost", "UsageQuantity"], **more}
    answer = cloud.client("ce").get_cost_and_usage(TimePeriod={"Start": start, "End": end}, **request)
    return list(answer["ResultsByTime"])


def amounts(metrics: dict[str, Any]) -> tuple[float, float]:
    return float(metrics["UsageQuantity"]["Amount"]), round(float(metrics["UnblendedCost"]["Amount"]), 6)


def test_all_auto_scaling_calls_of_the_account_share_one_bucket(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    cloud.configure(account_rate=NEVER, account_burst=3)
    autoscaling = cloud.client("autoscaling")
    autoscaling.describe_auto_scaling_groups()
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    autoscaling.describe_policies()
    with pytest.raises(ClientError) as caught:
        autoscaling.describe_auto_scaling_groups()
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("Throttling", "Rate exceeded")
    assert cloud.client("ec2").describe_instances()["Reservations"]
    cloud.configure(account_rate=0)
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]


def test_the_price_of_an_instance_type_is_found(cloud: Cloud) -> None:
    (product,) = products(
        cloud,
        instanceType="m6i.large",
        regionCode="eu-central-1",
        operatingSystem="Linux",
        tenancy="Shared",
        preInstalledSw="NA",
        capacitystatus="Used",
    )
    attributes = product["product"]["attributes"]
    assert (attributes["vcpu"], attributes["memory"], attributes["regionCode"]) == ("2", "8 GiB", "eu-central-1")
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert (dimension["unit"], float(dimension["pricePerUnit"]["USD"])) == ("Hrs", 0.096)


def test_every_price_comes_in_pages(cloud: Cloud) -> None:
    pages = (
        cloud.client("pricing")
        .get_paginator("get_products")
        .paginate(ServiceCode="AmazonEC2", PaginationConfig={"PageSize": 10})
    )
    sizes = [len(page["PriceList"]) for page in pages]
    assert sum(sizes) == len(products(cloud)) > 20
    assert max(sizes) == 10


def test_what_has_no_price_is_not_listed(cloud: Cloud) -> None:
    assert products(cloud, instanceType="m6i.large", operatingSystem="Windows") == []
    with pytest.raises(ClientError, match="InvalidParameterException"):
        cloud.client("pricing").get_products(ServiceCode="AmazonBraket")


def test_the_bill_is_the_hours_that_instances_ran_times_their_price(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=2)  # at 08:00
    cloud.advance(6 * 3600)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    cloud.advance(24 * 3600)  # 14:00 of the next day
    first, second = bill(cloud, "2026-01-05", "2026-01-07")
    assert amounts(first["Total"]) == (6 + 16, round(22 * 0.096, 6))
    assert amounts(second["Total"]) == (14, round(14 * 0.096, 6))
    assert (first["Estimated"], second["Estimated"]) == (False, True)


def test_the_bill_is_grouped_and_filtered(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.client("ec2").run_instances(ImageId="ami-12c6146b", InstanceType="g4dn.xlarge", MinCount=1, MaxCount=1)
    cloud.advance(3600)
    by_type = {"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}
    (day,) = bill(cloud, "2026-01-05", "2026-01-06", GroupBy=[by_type])
    found = {group["Keys"][0]: amounts(group["Metrics"]) for group in day["Groups"]}
    assert found == {"m6i.large": (1, 0.096), "g4dn.xlarge": (1, 0.526)}
    only = {"Dimensions": {"Key": "INSTANCE_TYPE", "Values": ["g4dn.xlarge"]}}
    (day,) = bill(cloud, "2026-01-05", "2026-01-06", Filter=only)
    assert amounts(day["Total"]) == (1, 0.526)


def test_hours_and_months_can_be_asked_for(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.advance(5400)
    hours = bill(cloud, "2026-01-05T08:00:00Z", "2026-01-05T11:00:00Z", Granularity="HOURLY")
    assert [amounts(hour["Total"])[0] for hour in hours] == [1, 0.5, 0]
    assert hours[0]["TimePeriod"] == {"Start": "2026-01-05T08:00:00Z", "End": "2026-01-05T09:00:00Z"}
    (month, _) = bill(cloud, "2026-01-01", "2026-03-01", Granularity="MONTHLY")
    assert amounts(month["Total"])[0] == 1.5


def test_an_unknown_grouping_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        bill(cloud, "2026-01-05", "2026-01-06", GroupBy=[{"Type": "TAG", "Key": "team"}])
