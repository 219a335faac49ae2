"""Metric math: the subset that the sandbox knows, and a clear refusal of the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)


def a_metric(name: str) -> dict[str, Any]:
    metric = {"Namespace": "Load", "MetricName": name, "Dimensions": []}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}, "ReturnData": False}


def evaluate(cloud: Cloud, expression: str, *more: dict[str, Any], **metrics: list[float]) -> list[float]:
    """Write metrics in 5-minute steps that end now, and return what the expression makes of them."""
    since = cloud.now() - 4 * FIVE_MINUTES
    for name, values in metrics.items():
        cloud.write_metric("Load", name, {}, start=since, step=FIVE_MINUTES, values=values)
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[*(a_metric(name) for name in metrics), *more, {"Id": "e", "Expression": expression}],
        StartTime=since,
        EndTime=cloud.now(),
        ScanBy="TimestampAscending",
    )
    (result,) = [each for each in answer["MetricDataResults"] if each["Id"] == "e"]
    return list(result["Values"])


NAN = float("nan")
A = [1.0, 2.0, 3.0, 4.0]
B = [10.0, 0.0, 30.0, 40.0]
HOLES = [NAN, 5.0, NAN, 7.0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", [11, 2, 33, 44]),
        ("-(a - b) * 2", [18, -4, 54, 72]),
        ("a ^ 2", [1, 4, 9, 16]),
        ("b / a", [10, 0, 10, 10]),
        ("a / b", [0.1, 0.1, 0.1]),
        ("a + h", [7, 11]),
        ("a * 0 + 1.5", [1.5] * 4),
        ("7", [7] * 4),
        ("MAX([a, b])", [10, 2, 30, 40]),
        ("MIN([a, h])", [1, 2, 3, 4]),
        ("SUM([a, h])", [1, 7, 3, 11]),
        ("SUM(METRICS())", [11, 7, 33, 51]),
        ("AVG([a, b])", [5.5, 1, 16.5, 22]),
        ("a / MAX(a)", [0.25, 0.5, 0.75, 1]),
        ("SUM([a, b] * 2)", [22, 4, 66, 88]),
        ("IF(a > 2, a, 0)", [0, 0, 3, 4]),
        ("IF(b == 0, 9, b)", [10, 9, 30, 40]),
        ("IF(a >= 3, b)", [30, 40]),
        ("FILL(h, 0)", [0, 5, 0, 7]),
        ("FILL(h, REPEAT)", [5, 5, 7]),
        ("FILL(h, LINEAR)", [5, 6, 7]),
        ("a / PERIOD(a) * 300", [1, 2, 3, 4]),
        ("CEIL(a / 2) + FLOOR(a / 2) + ABS(-a)", [2, 4, 6, 8]),
    ],
)
def test_an_expression_means_what_it_means_in_cloudwatch(cloud: Cloud, expression: str, expected: list[float]) -> None:
    assert evaluate(cloud, expression, a=A, b=B, h=HOLES) == pytest.approx(expected)


def test_an_expression_can_use_another_whatever_the_order(cloud: Cloud) -> None:
    double = {"Id": "d", "Expression": "a * 2", "ReturnData": False}
    assert evaluate(cloud, "d + 1", double, a=A) == [3, 5, 7, 9]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("SEARCH('{Load}', 'Sum')", "SEARCH"),
        ("a.real", "not supported"),
        ("__import__('os')", "__import__"),
        ("[x for x in a]", "not supported"),
        ("a +", "cannot be parsed"),
        ("ghost + 1", "'ghost', which does not exist"),
        ("e + 1", "'e', which refers to itself"),
        ("[a, b]", "several time series"),
        ("a / 0 if a else b", "not supported"),
        ("1 / 0", "divides by the constant 0"),
    ],
)
def test_an_expression_that_the_sandbox_does_not_know_is_refused(cloud: Cloud, expression: str, words: str) -> None:
    with pytest.raises(ClientError) as caught:
        evaluate(cloud, expression, a=A, b=B)
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert words in caught.value.response["Error"]["Message"]
