"""CloudWatch: aligned periods, exact names, statistics, pages and limits."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
DAY = timedelta(days=1)
FLEET = {"Fleet": "web"}


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def a_query(
    name: str = "m", *, statistic: str = "Sum", period: int = 300, metric: str = "Requests", **more: Any
) -> dict[str, Any]:
    dimensions = more.pop("dimensions", FLEET)
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": more.pop("namespace", "Load"),
                "MetricName": metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": period,
            "Stat": statistic,
        },
        **more,
    }


def ask(cloud: Cloud, *queries: dict[str, Any], since: datetime, until: datetime, **more: Any) -> dict[str, Any]:
    more.setdefault("ScanBy", "TimestampAscending")
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=list(queries), StartTime=since, EndTime=until, **more
    )
    return dict(answer)


def values(cloud: Cloud, query: dict[str, Any], since: datetime, until: datetime) -> list[float]:
    (result,) = ask(cloud, query, since=since, until=until)["MetricDataResults"]
    return list(result["Values"])


def put(cloud: Cloud, *data: dict[str, Any], namespace: str = "Load") -> None:
    cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=list(data))


def a_datum(**changes: Any) -> dict[str, Any]:
    return {"MetricName": "Requests", "Dimensions": [{"Name": "Fleet", "Value": "web"}], **changes}


# ---------------------------------------------------------------------------------------------- reading


def test_periods_are_aligned_whatever_the_start(cloud: Cloud) -> None:
    start = cloud.now() - timedelta(hours=1)
    cloud.write_metric("Load", "Requests", FLEET, start=start, step=MINUTE, values=[1.0] * 60)
    answer = ask(cloud, a_query(), since=start + timedelta(minutes=7), until=start + timedelta(minutes=21))
    (result,) = answer["MetricDataResults"]
    assert result["Timestamps"] == [start + minutes * MINUTE for minutes in (5, 10, 15, 20)]
    assert result["Values"] == [5.0] * 4
    assert result["StatusCode"] == "Complete"


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 15.0),
        ("Average", 3.0),
        ("Minimum", 1.0),
        ("Maximum", 5.0),
        ("SampleCount", 5.0),
        ("p50", 3.0),
        ("p100", 5.0),
    ],
)
def test_every_statistic_sums_a_period_up(cloud: Cloud, statistic: str, expected: float) -> None:
    start = cloud.now() - FIVE_MINUTES
    cloud.write_metric("Load", "Requests", FLEET, start=start, step=MINUTE, values=[3, 1, 5, 2, 4])
    assert values(cloud, a_query(statistic=statistic), start, cloud.now()) == [expected]


def test_statistic_sets_and_counted_values_keep_their_figures(cloud: Cloud) -> None:
    start = cloud.now() - FIVE_MINUTES
    figures = {"Sum": 10.0, "SampleCount": 4.0, "Minimum": 1.0, "Maximum": 6.0}
    put(cloud, a_datum(Timestamp=start, StatisticValues=figures))
    put(cloud, a_datum(Timestamp=start + MINUTE, Values=[7.0, 8.0], Counts=[2.0, 1.0]))
    put(cloud, a_datum(Timestamp=start + 2 * MINUTE, Value=0.5))
    found = {
        statistic: values(cloud, a_query(statistic=statistic), start, cloud.now())[0]
        for statistic in ("Sum", "SampleCount", "Minimum", "Maximum", "Average")
    }
    assert found == {"Sum": 32.5, "SampleCount": 8.0, "Minimum": 0.5, "Maximum": 8.0, "Average": 32.5 / 8}


def test_a_query_matches_its_namespace_and_dimensions_exactly(cloud: Cloud) -> None:
    start = cloud.now() - FIVE_MINUTES
    for namespace, dimensions, value in (("Load", FLEET, 1.0), ("Load", {}, 2.0), ("Other", FLEET, 4.0)):
        cloud.write_metric(namespace, "Requests", dimensions, start=start, step=MINUTE, values=[value])
    until = cloud.now()
    assert values(cloud, a_query(), start, until) == [1.0]
    assert values(cloud, a_query(dimensions={}), start, until) == [2.0]
    assert values(cloud, a_query(namespace="Other"), start, until) == [4.0]
    assert values(cloud, a_query(dimensions={**FLEET, "Zone": "a"}), start, until) == []


def test_data_that_came_out_of_order_are_read_in_order(cloud: Cloud) -> None:
    start = cloud.now() - timedelta(hours=1)
    for minutes in (30, 10, 20):
        put(cloud, a_datum(Timestamp=start + minutes * MINUTE, Value=float(minutes)))
    (ascending,) = ask(cloud, a_query(), since=start, until=cloud.now())["MetricDataResults"]
    assert ascending["Values"] == [10.0, 20.0, 30.0]
    (default,) = ask(cloud, a_query(), since=start, until=cloud.now(), ScanBy="TimestampDescending")[
        "MetricDataResults"
    ]
    assert default["Values"] == [30.0, 20.0, 10.0]
    assert default["Timestamps"] == ascending["Timestamps"][::-1]


def test_fourteen_days_of_a_hundred_metrics_come_whole_through_pages(cloud: Cloud) -> None:
    count, step = 14 * 288, FIVE_MINUTES
    since = cloud.now() - 14 * DAY
    rng = np.random.default_rng(3)
    history = rng.uniform(0, 1000, size=(100, count))
    for number, row in enumerate(history):
        cloud.write_metric("Load", "Requests", {"Fleet": str(number)}, start=since, step=step, values=row.tolist())
    queries = [a_query(f"m{number}", dimensions={"Fleet": str(number)}) for number in range(100)]
    got: dict[str, list[float]] = {query["Id"]: [] for query in queries}
    sizes: list[int] = []
    more: dict[str, str] = {}
    while True:
        answer = ask(cloud, *queries, since=since, until=cloud.now(), **more)
        sizes.append(sum(len(result["Values"]) for result in answer["MetricDataResults"]))
        for result in answer["MetricDataResults"]:
            got[result["Id"]].extend(result["Values"])
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    assert sizes == [100_800] * 4
    np.testing.assert_allclose([got[f"m{number}"] for number in range(100)], history)


def test_a_page_holds_as_many_points_as_asked_and_says_what_is_partial(cloud: Cloud) -> None:
    since = cloud.now() - timedelta(minutes=25)
    for name in ("a", "b"):
        cloud.write_metric("Load", "Requests", {"Fleet": name}, start=since, step=FIVE_MINUTES, values=[1, 2, 3, 4, 5])
    queries = [a_query(name, dimensions={"Fleet": name}) for name in ("a", "b")]
    first = ask(cloud, *queries, since=since, until=cloud.now(), MaxDatapoints=7)
    shown = [(r["Id"], r["Values"], r["StatusCode"]) for r in first["MetricDataResults"]]
    assert shown == [("a", [1, 2, 3, 4, 5], "Complete"), ("b", [1, 2], "PartialData")]
    for _ in range(2):  # a token can be used again, as after a time-out
        second = ask(cloud, *queries, since=since, until=cloud.now(), MaxDatapoints=7, NextToken=first["NextToken"])
        shown = [(r["Id"], r["Values"], r["StatusCode"]) for r in second["MetricDataResults"]]
        assert shown == [("b", [3, 4, 5], "Complete")]
        assert "NextToken" not in second


def test_old_data_are_gone_at_a_fine_resolution(cloud: Cloud) -> None:
    start = cloud.now() - 20 * DAY
    cloud.write_metric("Load", "Requests", FLEET, start=start, step=MINUTE, values=[1.0] * 10)
    assert values(cloud, a_query(period=60), start, cloud.now()) == []
    assert values(cloud, a_query(period=300), start, cloud.now()) == [5.0, 5.0]


def test_a_request_that_starts_before_its_period_is_kept_is_told_nothing_of_later_either(cloud: Cloud) -> None:
    now = cloud.now()
    cloud.write_metric("Load", "Requests", FLEET, start=now - 10 * MINUTE, step=MINUTE, values=[1.0] * 10)
    for period, days in ((60, 15), (300, 63)):
        query = a_query(period=period)
        assert values(cloud, query, now - days * DAY + MINUTE, now)
        assert values(cloud, query, now - days * DAY - MINUTE, now) == []
    statistics = cloud.client("cloudwatch").get_metric_statistics
    told = {"Namespace": "Load", **a_datum(), "Statistics": ["Sum"]}
    start = now - 16 * DAY
    assert statistics(**told, StartTime=start, EndTime=now, Period=3600)["Datapoints"]
    assert statistics(**told, StartTime=start, EndTime=now, Period=7140)["Datapoints"] == []


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        ([a_query(f"m{number}") for number in range(501)], "must not have a size greater than 500"),
        ([a_query("m"), a_query("m")], "not unique: m"),
        ([a_query("M")], "expected pattern"),
        ([a_query(period=90)], "Period must be"),
        ([a_query(statistic="p101")], "p101"),
        ([{"Id": "m"}], "either MetricStat or Expression"),
    ],
)
def test_queries_that_break_a_rule_are_refused(cloud: Cloud, queries: list[dict[str, Any]], words: str) -> None:
    start = cloud.now() - FIVE_MINUTES
    cloud.write_metric("Load", "Requests", FLEET, start=start, step=MINUTE, values=[1.0])
    with pytest.raises(ClientError) as caught:
        ask(cloud, *queries, since=start, until=cloud.now())
    assert refusal(caught)[0] == "ValidationError"
    assert words in refusal(caught)[1]


def test_a_range_that_ends_before_it_starts_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as caught:
        ask(cloud, a_query(), since=cloud.now(), until=cloud.now())
    assert refusal(caught) == ("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")


def statistics(cloud: Cloud, since: datetime, **more: Any) -> list[dict[str, Any]]:
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="Load",
        MetricName="Requests",
        Dimensions=[{"Name": "Fleet", "Value": "web"}],
        StartTime=since,
        EndTime=cloud.now(),
        **more,
    )
    return list(answer["Datapoints"])


def test_statistics_of_one_metric_come_with_percentiles(cloud: Cloud) -> None:
    start = cloud.now() - 2 * FIVE_MINUTES
    cloud.write_metric("Load", "Requests", FLEET, start=start, step=MINUTE, values=range(10))
    first, second = statistics(cloud, start, Period=300, Statistics=["Sum", "Maximum"])
    assert (first["Timestamp"], first["Sum"], second["Maximum"]) == (start, 10.0, 9.0)
    assert statistics(cloud, start, Period=600, ExtendedStatistics=["p50"])[0]["ExtendedStatistics"] == {"p50": 4.5}


def test_statistics_stop_at_1440_points(cloud: Cloud) -> None:
    assert statistics(cloud, cloud.now() - DAY, Period=60, Statistics=["Sum"]) == []
    with pytest.raises(ClientError) as caught:
        statistics(cloud, cloud.now() - DAY - MINUTE, Period=60, Statistics=["Sum"])
    assert refusal(caught)[0] == "InvalidParameterCombination"
    assert "1,441 datapoints, which exceeds the limit of 1,440" in refusal(caught)[1]


# ---------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize(
    ("age", "accepted"),
    [(14 * DAY, True), (14 * DAY + MINUTE, False), (timedelta(hours=-2), True), (timedelta(hours=-2) - MINUTE, False)],
)
def test_data_are_taken_from_two_weeks_back_to_two_hours_ahead(cloud: Cloud, age: timedelta, *, accepted: bool) -> None:
    datum = a_datum(Timestamp=cloud.now() - age, Value=1.0)
    if accepted:
        put(cloud, datum)
        return
    with pytest.raises(ClientError) as caught:
        put(cloud, a_datum(Value=1.0), datum)
    assert refusal(caught)[0] == "InvalidParameterValue"
    assert "MetricData.member.2.Timestamp" in refusal(caught)[1]
    assert cloud.client("cloudwatch").list_metrics()["Metrics"] == []


def test_the_window_for_old_data_can_be_widened(cloud: Cloud) -> None:
    cloud.configure(metric_past_days=30)
    put(cloud, a_datum(Timestamp=cloud.now() - 28 * DAY, Value=1.0))
    assert values(cloud, a_query(), cloud.now() - 29 * DAY, cloud.now()) == [1.0]


def test_a_call_takes_a_thousand_data_and_no_more(cloud: Cloud) -> None:
    put(cloud, *[a_datum(Value=1.0)] * 1000)
    with pytest.raises(ClientError) as caught:
        put(cloud, *[a_datum(Value=1.0)] * 1001)
    assert refusal(caught)[0] == "InvalidParameterValue"


def test_a_value_that_is_no_number_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as caught:
        put(cloud, a_datum(Value=math.nan))
    assert refusal(caught)[0] == "InvalidParameterValue"


def test_a_datum_without_a_time_is_of_now(cloud: Cloud) -> None:
    put(cloud, a_datum(Value=3.0))
    assert values(cloud, a_query(period=60), cloud.now(), cloud.now() + MINUTE) == [3.0]


# ---------------------------------------------------------------------------------------------- listing


def listed(cloud: Cloud, **request: Any) -> list[str]:
    paginator = cloud.client("cloudwatch").get_paginator("list_metrics")
    return [m["Dimensions"][0]["Value"] for page in paginator.paginate(**request) for m in page["Metrics"]]


def test_each_metric_is_listed_once_and_found_by_its_parts(cloud: Cloud) -> None:
    for name in ("web", "api"):
        cloud.write_metric("Load", "Requests", {"Fleet": name}, start=cloud.now() - DAY, step=MINUTE, values=[1, 2])
    assert listed(cloud, Namespace="Load") == ["web", "api"]
    assert listed(cloud, Dimensions=[{"Name": "Fleet", "Value": "api"}]) == ["api"]
    assert listed(cloud, Dimensions=[{"Name": "Fleet"}]) == ["web", "api"]
    assert listed(cloud, MetricName="Other") == []


def test_a_metric_without_recent_data_is_not_listed(cloud: Cloud) -> None:
    for name, age in (("new", timedelta(hours=1)), ("old", DAY), ("gone", 15 * DAY)):
        cloud.write_metric("Load", "Requests", {"Fleet": name}, start=cloud.now() - age, step=MINUTE, values=[1])
    assert listed(cloud) == ["new", "old"]
    assert listed(cloud, RecentlyActive="PT3H") == ["new"]


def test_the_list_of_metrics_comes_in_pages_of_500(cloud: Cloud) -> None:
    for number in range(501):
        cloud.write_metric("Load", "Requests", {"Fleet": str(number)}, start=cloud.now(), step=MINUTE, values=[1])
    assert len(cloud.client("cloudwatch").list_metrics()["Metrics"]) == 500
    assert len(set(listed(cloud))) == 501
