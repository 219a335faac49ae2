"""What an instance costs: who is asked, in which order, how often, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from budgeting import a_fleet_of

import sandbox
from demo.local_airflow import ROOT
from forecasting.price_book import Purchase
from predictive_scaling.cost_store import CostStore
from predictive_scaling.fleets import Instance, Observed
from predictive_scaling.prices import AwsPrices, BookPrices, Bought, Catalogue, spot_rate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
BOOK = BookPrices(ROOT / "include" / "prices")


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        yield running


def from_aws(cloud: sandbox.Cloud, folder: Path) -> AwsPrices:
    def reach(service: str, region: str) -> object:
        return cloud.client(service, region_name=region)

    return AwsPrices(reach, CostStore.at(f"file://{folder}"))


def a_group(*types: str) -> Observed:
    instances = tuple(Instance(id=f"i-{at}", zone="us-east-1a", type=kind) for at, kind in enumerate(types))
    return Observed(min_size=1, max_size=9, desired=2, in_service=2, instances=instances, zones=("us-east-1a",))


def test_aws_is_asked_first_and_once_a_day(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    bought = Bought(instance_type="m6i.large", region="eu-central-1")
    cloud.faults.forget_calls()
    for later in (0, 5, 23):
        rate = from_aws(cloud, tmp_path).rate(bought, now=NOW + timedelta(hours=later))
        assert rate
        assert (rate.price, rate.as_of, rate.source) == (0.096, date(2025, 1, 1), "AWS Pricing API")
    assert cloud.calls() == {"pricing.GetProducts": 1}
    from_aws(cloud, tmp_path).rate(bought, now=NOW + timedelta(hours=25))
    assert cloud.calls() == {"pricing.GetProducts": 2}


def test_where_aws_may_not_be_asked_the_files_price_is_used_and_both_are_said(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    cloud.faults.add(service="pricing", error="AccessDeniedException")
    catalogue = Catalogue(aws=lambda _: from_aws(cloud, tmp_path), book=BOOK)
    priced = catalogue.priced(a_fleet_of(), a_group("t3.micro"), now=NOW)
    assert priced.price == 0.0104
    assert priced.source.startswith("$0.0104 for t3.micro on_demand as of 2025-01-01 (on-demand list of Linux")
    assert "AccessDeniedException" in priced.source


def test_who_did_not_answer_is_asked_again_a_while_later(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    cloud.faults.add(service="pricing", error="AccessDeniedException")
    cloud.faults.forget_calls()
    catalogue = Catalogue(aws=lambda _: from_aws(cloud, tmp_path), book=BOOK)
    for minutes in (0, 5, 14):
        priced = catalogue.priced(a_fleet_of(), a_group("t3.micro"), now=NOW + timedelta(minutes=minutes))
        assert "AccessDeniedException" in priced.source
    assert cloud.calls() == {"pricing.GetProducts": 1}
    cloud.faults.clear()
    later = catalogue.priced(a_fleet_of(), a_group("t3.micro"), now=NOW + timedelta(minutes=15))
    assert "AWS Pricing API" in later.source


def test_while_aws_does_not_answer_its_last_answer_serves_on(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    bought = Bought(instance_type="m6i.large", region="eu-central-1")
    first = from_aws(cloud, tmp_path).rate(bought, now=NOW)
    cloud.faults.add(service="pricing", error="ThrottlingException")
    cloud.faults.forget_calls()
    for minutes in (0, 5, 14):
        later = NOW + timedelta(hours=25, minutes=minutes)
        assert from_aws(cloud, tmp_path).rate(bought, now=later) == first
    asked = cloud.calls()["pricing.GetProducts"]
    cloud.faults.clear()
    assert from_aws(cloud, tmp_path).rate(bought, now=NOW + timedelta(hours=26)) == first
    assert cloud.calls()["pricing.GetProducts"] == asked + 1


def test_the_fleet_file_goes_before_all() -> None:
    spec = a_fleet_of(price_per_hour=0.5, units=2)
    priced = Catalogue(aws=None, book=BOOK).priced(spec, a_group("t3.micro"), now=NOW)
    assert (priced.price, priced.source) == (0.25, "price_per_hour of the fleet file, $0.5")


def test_a_group_of_several_types_costs_their_mean() -> None:
    group = a_group("m5.large", "m5.large", "m5.xlarge")
    priced = Catalogue(aws=None, book=BOOK).priced(a_fleet_of(), group, now=NOW)
    assert priced.price == pytest.approx((0.096 * 2 + 0.192) / 3)


def test_a_unit_of_a_group_with_weights_costs_what_its_instances_cost_over_all_their_units() -> None:
    large, larger = a_group("m5.large", "m5.xlarge").instances
    group = replace(a_group(), instances=(replace(large, weight=1), replace(larger, weight=2)))
    priced = Catalogue(aws=None, book=BOOK).priced(a_fleet_of(), group, now=NOW)
    assert priced.price == pytest.approx((0.096 + 0.192) / 3)


def test_an_empty_group_is_priced_by_the_type_it_would_launch() -> None:
    group = replace(a_group(), types=("g5.xlarge",))
    assert Catalogue(aws=None, book=BOOK).priced(a_fleet_of(), group, now=NOW).price == 1.006


def test_what_nobody_knows_has_no_price_and_says_what_to_do() -> None:
    priced = Catalogue(aws=None, book=BOOK).priced(a_fleet_of(), a_group("m99.huge"), now=NOW)
    assert priced.price is None
    assert priced.source.startswith("no price of m99.huge on_demand in us-east-1 is known: write price_per_hour")
    bare = Catalogue(aws=None, book=BOOK).priced(a_fleet_of(), a_group(), now=NOW)
    assert "shows no instance type" in bare.source


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("eu-central-1a", "eu-central-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("us-west-2-lax-1a", "us-west-2"),
        ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
    ],
)
def test_a_group_is_priced_in_the_region_of_its_zone_be_that_a_local_one(zone: str, region: str) -> None:
    priced = Catalogue(aws=None, book=BOOK).priced(a_fleet_of(), replace(a_group("m99.huge"), zones=(zone,)), now=NOW)
    assert priced.source.startswith(f"no price of m99.huge on_demand in {region} is known")


def test_a_spot_price_is_the_mean_of_the_newest_in_each_zone() -> None:
    rows = [
        {"AvailabilityZone": zone, "SpotPrice": price, "Timestamp": NOW - timedelta(hours=hours)}
        for zone, price, hours in (("a", "0.03", 1), ("a", "0.09", 9), ("b", "0.05", 2), ("c", "9", 24 * 91))
    ]
    rate = spot_rate(rows, Bought(instance_type="m6i.large", region="us-east-1", purchase=Purchase.SPOT), NOW)
    assert rate
    assert (round(rate.price, 6), rate.as_of) == (0.04, NOW.date())
    assert rate.source == "AWS spot price history, mean of 2 zones"


def test_a_spot_price_from_before_the_history_is_none(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    bought = Bought(instance_type="m6i.large", region="us-east-1", purchase=Purchase.SPOT)
    cloud.faults.forget_calls()
    answer = from_aws(cloud, tmp_path).rate(bought, now=NOW)
    assert cloud.calls() == {"ec2.DescribeSpotPriceHistory": 1}
    assert answer is None or answer.as_of >= NOW.date() - timedelta(days=90)
    assert BOOK.rate(bought, now=NOW)
